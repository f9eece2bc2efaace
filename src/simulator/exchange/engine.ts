import {
  add,
  compare,
  type Decimal,
  decimal,
  isEqual,
  isMore,
  isPositive,
  larger,
  multiply,
  roundToPlaces,
  smaller,
  subtract,
  zero,
} from '../../domain/decimal.ts';
import type { FeeSchedule } from '../../domain/fees.ts';
import type { Side } from '../../domain/order.ts';
import { leavesOf, type PaperOrder, spentBy } from './books.ts';
import type { FeeDesk } from './fees.ts';
import type { ClosedStatus, ExpiryReason, FeeIn, Fill } from './ledger.ts';
import type { Market, MarketTrade, Quotes } from './market.ts';
import {
  bookFor,
  isWithin,
  type Level,
  type Meeting,
  type OwnLevel,
  quoteOf,
  totalQuote,
  walk,
  withOwn,
} from './matching.ts';

/** An execution before it has its place on the tape. */
export type UnnumberedFill = Omit<Fill, 'tradeId' | 'tradedAtMs'>;

/** How the venue itself ends an order. */
export type Ending = { readonly status: Exclude<ClosedStatus, 'CANCELED'>; readonly reason: ExpiryReason };

/** What the engine decides for an order: executions without their ids, orders of the account that it met, and how it ends. */
type Match = {
  readonly fills: readonly UnnumberedFill[];
  readonly meetings: readonly Meeting[];
  readonly ending: Ending | null;
};

type Priced = {
  readonly side: Side;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  readonly stopPrice: Decimal | null;
  readonly feeIn: FeeIn;
};

const oneBps = decimal('0.0001');

/**
 * What an order has to lock: a seller the base, a buyer what it may have to pay, fee included where it pays in quote. A stop at
 * the market that waits locks its own price.
 */
export function lockOf(order: Priced, market: Market, quotes: Quotes | null, fees: FeeSchedule): Decimal {
  if (order.side === 'SELL') return order.quantity;
  const price = order.limitPrice ?? order.stopPrice;
  const cost =
    price === null
      ? totalQuote(
          quotes ? walk(bookFor(market, quotes, 'BUY'), { ...order, preventionMode: 'EXPIRE_MAKER' }).fills : [],
        )
      : roundToPlaces(multiply(price, order.quantity), 8, 'ceiling');
  if (order.feeIn !== 'quote') return cost;
  const feeMax = multiply(multiply(cost, larger(fees.makerBps, fees.takerBps)), oneBps);
  return roundToPlaces(add(cost, feeMax), 8, 'ceiling');
}

/** Matches an order that begins to work against the synthetic book and against the account's own orders in it. */
export function matchIncoming(
  order: PaperOrder,
  { market, quotes }: { readonly market: Market; readonly quotes: Quotes | null },
  own: readonly OwnLevel[],
  desk: FeeDesk,
  fees: FeeSchedule,
): Match {
  const book = quotes ? bookFor(market, quotes, order.side) : [];
  const { fills: levels, meetings, leaves } = walk(withOwn(book, own, order.side), order);
  if (order.timeInForce === 'FOK' && isPositive(leaves)) {
    return { fills: [], meetings: [], ending: { status: 'EXPIRED', reason: 'UNFILLED_FOK_ORDER_EXPIRED' } };
  }
  const fills = fillAll(order, levels, { market, desk, fees, isMaker: false });
  const filled = fills.reduce<Decimal>((total, fill) => add(total, fill.quantity), zero);
  if (isEqual(filled, order.quantity)) return { fills, meetings, ending: null };
  const isPrevented = meetings.length > 0 && order.preventionMode !== 'EXPIRE_MAKER';
  return { fills, meetings, ending: isPrevented ? { status: 'EXPIRED_IN_MATCH', reason: 'NONE' } : endingOf(order) };
}

/**
 * The resting orders that one trade of the market fills, each at its own price: best price first, then the oldest, up
 * to the quantity that was traded.
 */
export function matchResting(
  orders: Iterable<PaperOrder>,
  trade: MarketTrade,
  market: Market,
  desk: FeeDesk,
  fees: FeeSchedule,
): readonly UnnumberedFill[] {
  const left: Record<Side, Decimal> = { BUY: trade.quantity, SELL: trade.quantity };
  return [...orders]
    .filter((order) => order.limitPrice !== null && isWithin(trade.price, order.side, order.limitPrice))
    .sort(byPriority)
    .flatMap((order) => {
      const quantity = smaller(leavesOf(order), left[order.side]);
      if (!isPositive(quantity)) return [];
      left[order.side] = subtract(left[order.side], quantity);
      const level = { price: order.limitPrice ?? trade.price, quantity };
      return fillAll(order, [level], { market, desk, fees, isMaker: true });
    });
}

function byPriority(a: PaperOrder, b: PaperOrder): number {
  const better = compare(a.limitPrice ?? zero, b.limitPrice ?? zero);
  return (a.side === 'BUY' ? -better : better) || a.orderId - b.orderId;
}

function endingOf(order: PaperOrder): Ending | null {
  if (order.limitPrice === null) return { status: 'EXPIRED', reason: 'INSUFFICIENT_LIQUIDITY' };
  return order.timeInForce === 'IOC' ? { status: 'EXPIRED', reason: 'UNFILLED_IOC_QUANTITY_EXPIRED' } : null;
}

type Terms = {
  readonly market: Market;
  readonly desk: FeeDesk;
  readonly fees: FeeSchedule;
  readonly isMaker: boolean;
};

// A market order locked what the book asked when it was accepted. If the book has moved since, it buys what that pays.
function fillAll(order: PaperOrder, levels: readonly Level[], terms: Terms): readonly UnnumberedFill[] {
  const fills: UnnumberedFill[] = [];
  let { locked } = order;
  let leaves = leavesOf(order);
  for (const level of levels) {
    const fill = priceFill(order, level, terms);
    const spent = spentBy(fill, order);
    if (isMore(spent, locked)) break;
    leaves = subtract(leaves, level.quantity);
    locked = stillLocked(order, leaves, subtract(locked, spent), terms);
    fills.push({ ...fill, lockedAfter: locked });
  }
  return fills;
}

function stillLocked(order: PaperOrder, leaves: Decimal, locked: Decimal, { market, fees }: Terms): Decimal {
  if (!isPositive(leaves)) return zero;
  if (order.limitPrice === null) return locked;
  // Never more than there is: the rates may have risen since the lock was made.
  return smaller(locked, lockOf({ ...order, quantity: leaves }, market, null, fees));
}

function priceFill(order: PaperOrder, level: Level, { desk, isMaker }: Terms): UnnumberedFill {
  return {
    kind: 'fill',
    orderId: order.orderId,
    symbol: order.symbol,
    side: order.side,
    price: level.price,
    quantity: level.quantity,
    quoteQuantity: quoteOf(level),
    ...desk.charge(order, level, isMaker),
    isMaker,
    lockedAfter: zero,
  };
}
