import { absolute, compare, type Decimal, divide, larger, multiply, one, smaller, subtract, zero } from '../decimal.ts';
import { bookKnown, decimalLimit, equityOf, exposureCap, together } from './known.ts';
import { groupOf, type LimitsRead } from './limits.ts';
import type { Book, Snapshot } from './snapshot.ts';
import { amountIn } from './sums.ts';

/**
 * What another entry could still add, in the account's currency and never below zero, pending reservations taken off.
 * Null = it can't be told, because the book, the equity or a limit is unknown.
 */
export type RemainingCapacity = {
  readonly delta: Decimal | null;
  readonly symbolDelta: Decimal | null;
  /** What one order may cost by its own limit, concentration, correlation and the cap. */
  readonly exposure: Decimal | null;
};

export const remainingCapacity = (snapshot: Snapshot, limits: LimitsRead, symbol: string): RemainingCapacity => ({
  delta: deltaRoom(snapshot, limits, 'portfolioDeltaMax', (book) => book.portfolioDelta),
  symbolDelta: deltaRoom(snapshot, limits, 'symbolDeltaMax', (book) => amountIn(book.deltaBySymbol, symbol)),
  exposure: exposureRoom(snapshot, limits, symbol),
});

function deltaRoom(
  snapshot: Snapshot,
  limits: LimitsRead,
  name: 'portfolioDeltaMax' | 'symbolDeltaMax',
  taken: (book: Book) => Decimal,
): Decimal | null {
  const facts = together({
    max: decimalLimit(limits, name),
    equity: equityOf(snapshot),
    book: bookKnown(snapshot),
  });
  if (!facts.isKnown) return null;
  const { max, equity, book } = facts.value;
  return larger(zero, subtract(multiply(max, equity), absolute(taken(book))));
}

function exposureRoom(snapshot: Snapshot, limits: LimitsRead, symbol: string): Decimal | null {
  const facts = together({
    order: decimalLimit(limits, 'orderNotionalMax'),
    concentrated: decimalLimit(limits, 'concentrationMax'),
    correlated: decimalLimit(limits, 'correlatedExposureMax'),
    cap: exposureCap(limits),
    equity: equityOf(snapshot),
    book: bookKnown(snapshot),
  });
  if (!facts.isKnown) return null;
  const { order, concentrated, correlated, cap, equity, book } = facts.value;
  const base = limits.options?.exposureBase === 'exposure' ? null : equity;
  const rooms = [
    shareRoom(concentrated, base, zero, book),
    shareRoom(correlated, base, amountIn(book.exposureByGroup, groupOf(limits, symbol)), book),
    cap === null ? null : subtract(cap, book.exposureTotal),
  ];
  return larger(
    zero,
    rooms.reduce<Decimal>((least, room) => (room === null ? least : smaller(least, room)), order),
  );
}

// By exposure the entry raises its own base: taken + room = max x (total + room). A share of 1 never binds.
function shareRoom(max: Decimal, equity: Decimal | null, taken: Decimal, { exposureTotal }: Book): Decimal | null {
  if (equity !== null) return subtract(multiply(max, equity), taken);
  if (compare(max, one) >= 0) return null;
  return divide(subtract(multiply(max, exposureTotal), taken), subtract(one, max));
}
