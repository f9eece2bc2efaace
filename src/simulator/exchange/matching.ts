import {
  add,
  compare,
  type Decimal,
  isMore,
  isPositive,
  isZero,
  multiply,
  roundToPlaces,
  smaller,
  subtract,
  zero,
} from '../../domain/decimal.ts';
import type { Side } from '../../domain/order.ts';
import type { PreventionMode } from './ledger.ts';
import { levelPrice, type Market, type Quotes } from './market.ts';

export type Level = { readonly price: Decimal; readonly quantity: Decimal };

/** An order of the account itself that rests on the side that a taker of the account meets. */
export type OwnLevel = Level & { readonly orderId: number };

/** Where a taker met an order of its own account, and what it had still to take. */
export type Meeting = { readonly maker: OwnLevel; readonly takerQuantity: Decimal };

/** What a taker gets from the book, best price first, whom of its own account it met, and what it does not get. */
type Walk = {
  readonly fills: readonly Level[];
  readonly meetings: readonly Meeting[];
  readonly leaves: Decimal;
};

type Taker = {
  readonly side: Side;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  readonly preventionMode: PreventionMode;
};

/** Money moves with eight decimals at this venue; what is smaller is cut. */
export const quoteOf = ({ price, quantity }: Level): Decimal => roundToPlaces(multiply(price, quantity), 8, 'truncate');

/** The side of the book that a taker meets, best price first. Every order sees it whole: the next trade refills it. */
export function* bookFor(market: Market, quotes: Quotes, taker: Side): Generator<Level> {
  for (let depth = 0; depth < market.levelsMax; depth += 1) {
    const price = levelPrice(quotes, taker, depth, market.tickSize);
    if (!isPositive(price)) return;
    yield { price, quantity: market.levelQuantity };
  }
}

/** The market's book with the account's own orders in it, which stand before the market's at the same price. */
export function* withOwn(book: Iterable<Level>, own: readonly OwnLevel[], taker: Side): Generator<Level | OwnLevel> {
  const waiting = [...own].sort((a, b) => byPrice(taker)(a, b) || a.orderId - b.orderId);
  for (const level of book) {
    while (waiting[0] && byPrice(taker)(waiting[0], level) <= 0) yield waiting.shift() as OwnLevel;
    yield level;
  }
  yield* waiting;
}

const byPrice =
  (taker: Side) =>
  (a: Level, b: Level): number =>
    taker === 'BUY' ? compare(a.price, b.price) : compare(b.price, a.price);

/**
 * Takes from the levels until the quantity or the prices within the limit run out, or until the taker meets an order of its
 * own account and its mode says that it ends there.
 */
export function walk(levels: Iterable<Level | OwnLevel>, taker: Taker): Walk {
  const fills: Level[] = [];
  const meetings: Meeting[] = [];
  let leaves = taker.quantity;
  for (const level of levels) {
    if (isZero(leaves) || !isWithin(level.price, taker.side, taker.limitPrice)) break;
    if ('orderId' in level) {
      meetings.push({ maker: level, takerQuantity: leaves });
      if (taker.preventionMode !== 'EXPIRE_MAKER') break;
      continue;
    }
    const quantity = smaller(leaves, level.quantity);
    if (!isPositive(quantity)) continue;
    fills.push({ price: level.price, quantity });
    leaves = subtract(leaves, quantity);
  }
  return { fills, meetings, leaves };
}

/** Whether an order at `limitPrice` trades at `price`; a market order (null) trades at any. */
export function isWithin(price: Decimal, side: Side, limitPrice: Decimal | null): boolean {
  if (limitPrice === null) return true;
  return side === 'BUY' ? !isMore(price, limitPrice) : !isMore(limitPrice, price);
}

/** What the fills cost or bring, in the quote asset. */
export const totalQuote = (fills: readonly Level[]): Decimal =>
  fills.reduce<Decimal>((total, fill) => add(total, quoteOf(fill)), zero);
