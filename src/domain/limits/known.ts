import { type Decimal, decimal, isDecimal, isPositive } from '../decimal.ts';
import type { ErrorCode } from '../errors.ts';
import type { Limits, LimitsRead } from './limits.ts';
import type { Book, Snapshot, Standing } from './snapshot.ts';

/** Something that the gate knows, or the code and the words of the denial that its absence is. */
export type Known<T> =
  | { readonly isKnown: true; readonly value: T }
  | { readonly isKnown: false; readonly code: ErrorCode; readonly note: string };

export const known = <T>(value: T): Known<T> => ({ isKnown: true, value });
export const unknown = (code: ErrorCode, note: string): Known<never> => ({ isKnown: false, code, note });

type ValuesOf<P> = { readonly [K in keyof P]: P[K] extends Known<infer T> ? T : never };

/** All of the parts, or the first that is unknown. */
export function together<P extends Readonly<Record<string, Known<unknown>>>>(parts: P): Known<ValuesOf<P>> {
  const values: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(parts)) {
    if (!part.isKnown) return part;
    values[name] = part.value;
  }
  return known(values as ValuesOf<P>);
}

type DecimalLimit = Exclude<keyof Limits, 'totalExposureCap' | 'equityAgeMsMax' | 'priceAgeMsMax' | 'options'>;

/** A limit as it was read from outside: anything that is no decimal counts as not set. */
export function decimalLimit(limits: LimitsRead, name: DecimalLimit): Known<Decimal> {
  const value: unknown = limits[name];
  return isDecimal(value) ? known(decimal(value)) : notSet(name);
}

/** Null = explicitly no cap. */
export function exposureCap(limits: LimitsRead): Known<Decimal | null> {
  const value: unknown = limits.totalExposureCap;
  if (value === null) return known(null);
  return isDecimal(value) ? known(decimal(value)) : notSet('totalExposureCap');
}

export function ageLimit(limits: LimitsRead, name: 'equityAgeMsMax' | 'priceAgeMsMax'): Known<number> {
  const value: unknown = limits[name];
  return typeof value === 'number' && Number.isFinite(value) ? known(value) : notSet(name);
}

/** However old: its age is the equity control's affair. */
export function equityOf({ equity }: Standing): Known<Decimal> {
  if (equity.amount === null) return unknown('EQUITY_UNKNOWN', equity.fault ?? 'no equity has been read yet');
  if (!isPositive(equity.amount)) return unknown('EQUITY_UNKNOWN', `an equity of ${equity.amount} has no shares`);
  return known(equity.amount);
}

/** The last price, however old: its age is the affair of the control of prices. */
export function referencePriceOf({ referencePrices }: Snapshot, symbol: string): Known<Decimal> {
  const last = referencePrices[symbol]?.last;
  return last !== undefined && isPositive(last) ? known(last) : unknown('PRICE_UNKNOWN', `no price of ${symbol}`);
}

export const bookKnown = ({ book }: Standing): Known<Book> =>
  book === null ? unknown('BOOK_UNKNOWN', 'the book could not be read') : known(book);

const notSet = (name: keyof Limits): Known<never> => unknown('LIMITS_MISSING', `${name} is not set`);
