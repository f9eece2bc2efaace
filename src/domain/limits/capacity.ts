import {
  absolute,
  compare,
  type Decimal,
  divide,
  isMore,
  larger,
  multiply,
  one,
  smaller,
  subtract,
  zero,
} from '../decimal.ts';
import { ageKnown, milliseconds } from './age.ts';
import {
  ageLimit,
  bookKnown,
  decimalLimit,
  equityOf,
  exposureCap,
  type Known,
  known,
  together,
  unknown,
} from './known.ts';
import { groupOf, type LimitsRead } from './limits.ts';
import type { Book, Standing } from './snapshot.ts';
import { amountIn } from './sums.ts';

/**
 * What another entry could still add, in the account's currency and never below zero, pending reservations taken off.
 * Null = it can't be told, because the book, a fresh equity or a limit is unknown. Holds and the circuit breaker leave
 * room or none whatever the numbers say: they are not asked here.
 */
export type AccountCapacity = {
  readonly delta: Decimal | null;
  /** What one order may cost by its own limit, concentration, correlation and the cap. */
  readonly exposure: Decimal | null;
};

export type RemainingCapacity = AccountCapacity & { readonly symbolDelta: Decimal | null };

/** The room for an entry in a symbol. */
export const remainingCapacity = (standing: Standing, limits: LimitsRead, symbol: string): RemainingCapacity => ({
  delta: portfolioDeltaRoom(standing, limits),
  symbolDelta: deltaRoom(standing, limits, 'symbolDeltaMax', (book) => amountIn(book.deltaBySymbol, symbol)),
  exposure: exposureRoom(standing, limits, (book) => amountIn(book.exposureByGroup, groupOf(limits, symbol))),
});

/** The room before a symbol is chosen: the most that any symbol has, which is one whose group holds nothing yet. */
export const accountCapacity = (standing: Standing, limits: LimitsRead): AccountCapacity => ({
  delta: portfolioDeltaRoom(standing, limits),
  exposure: exposureRoom(standing, limits, () => zero),
});

const portfolioDeltaRoom = (standing: Standing, limits: LimitsRead): Decimal | null =>
  deltaRoom(standing, limits, 'portfolioDeltaMax', (book) => book.portfolioDelta);

function deltaRoom(
  standing: Standing,
  limits: LimitsRead,
  name: 'portfolioDeltaMax' | 'symbolDeltaMax',
  taken: (book: Book) => Decimal,
): Decimal | null {
  const facts = together({
    max: decimalLimit(limits, name),
    equity: freshEquity(standing, limits),
    book: bookKnown(standing),
  });
  if (!facts.isKnown) return null;
  const { max, equity, book } = facts.value;
  return larger(zero, subtract(multiply(max, equity), absolute(taken(book))));
}

function exposureRoom(standing: Standing, limits: LimitsRead, inGroup: (book: Book) => Decimal): Decimal | null {
  const facts = together({
    order: decimalLimit(limits, 'orderNotionalMax'),
    concentrated: decimalLimit(limits, 'concentrationMax'),
    correlated: decimalLimit(limits, 'correlatedExposureMax'),
    cap: exposureCap(limits),
    equity: freshEquity(standing, limits),
    book: bookKnown(standing),
  });
  if (!facts.isKnown) return null;
  const { order, concentrated, correlated, cap, equity, book } = facts.value;
  const base = limits.options?.exposureBase === 'exposure' ? null : equity;
  const rooms = [
    shareRoom(concentrated, base, zero, book),
    shareRoom(correlated, base, inGroup(book), book),
    cap === null ? null : subtract(cap, book.exposureTotal),
  ];
  return larger(
    zero,
    rooms.reduce<Decimal>((least, room) => (room === null ? least : smaller(least, room)), order),
  );
}

// The gate denies every entry on an equity that is too old, so then nobody knows of any room.
function freshEquity(standing: Standing, limits: LimitsRead): Known<Decimal> {
  const facts = together({
    amount: equityOf(standing),
    ageMs: ageKnown(standing.equity.ageMs, 'EQUITY_UNKNOWN', 'the equity'),
    ageMsMax: ageLimit(limits, 'equityAgeMsMax'),
  });
  if (!facts.isKnown) return facts;
  const { amount, ageMs, ageMsMax } = facts.value;
  if (isMore(ageMs, milliseconds(ageMsMax))) return unknown('EQUITY_UNKNOWN', `the equity is ${ageMs} ms old`);
  return known(amount);
}

// By exposure the entry raises its own base: taken + room = max x (total + room). A share of 1 never binds.
function shareRoom(max: Decimal, equity: Decimal | null, taken: Decimal, { exposureTotal }: Book): Decimal | null {
  if (equity !== null) return subtract(multiply(max, equity), taken);
  if (compare(max, one) >= 0) return null;
  return divide(subtract(multiply(max, exposureTotal), taken), subtract(one, max));
}
