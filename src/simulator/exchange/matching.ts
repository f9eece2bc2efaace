import {
  add,
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
import { levelPrice, type Market, type Quotes } from './market.ts';

export type Level = { readonly price: Decimal; readonly quantity: Decimal };

/** What a taker gets from the book, best price first, and what it does not get. */
type Walk = { readonly fills: readonly Level[]; readonly leaves: Decimal };

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

/** Takes from the levels until the quantity or the prices within the limit run out. */
export function walk(
  levels: Iterable<Level>,
  taker: { readonly side: Side; readonly quantity: Decimal; readonly limitPrice: Decimal | null },
): Walk {
  const fills: Level[] = [];
  let leaves = taker.quantity;
  for (const level of levels) {
    if (isZero(leaves) || !isWithin(level.price, taker.side, taker.limitPrice)) break;
    const quantity = smaller(leaves, level.quantity);
    if (!isPositive(quantity)) continue;
    fills.push({ price: level.price, quantity });
    leaves = subtract(leaves, quantity);
  }
  return { fills, leaves };
}

/** Whether an order at `limitPrice` trades at `price`; a market order (null) trades at any. */
export function isWithin(price: Decimal, side: Side, limitPrice: Decimal | null): boolean {
  if (limitPrice === null) return true;
  return side === 'BUY' ? !isMore(price, limitPrice) : !isMore(limitPrice, price);
}

/** What the fills cost or bring, in the quote asset. */
export const totalQuote = (fills: readonly Level[]): Decimal =>
  fills.reduce<Decimal>((total, fill) => add(total, quoteOf(fill)), zero);
