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
  one,
  roundToPlaces,
  smaller,
  subtract,
  zero,
} from '../../domain/decimal.ts';
import { type FeeSchedule, feeOf } from '../../domain/fees.ts';
import type { Side } from '../../domain/order.ts';
import { leavesOf, type PaperOrder, spentBy } from './books.ts';
import type { ExpiryReason, Fill } from './ledger.ts';
import type { Market, MarketTrade, Quotes } from './market.ts';
import { bookFor, isWithin, type Level, quoteOf, totalQuote, walk } from './matching.ts';

/** What fills cost, and what a buyer pays it in: the asset that it receives, as Binance has it, or the quote asset. */
export type FeeRules = FeeSchedule & { readonly paidIn: 'received' | 'quote' };

/** An execution before it has its place on the tape. */
export type UnnumberedFill = Omit<Fill, 'tradeId' | 'tradedAtMs'>;

/** What the engine decides for an order: executions without their ids, and whether the rest expires. */
type Match = {
  readonly fills: readonly UnnumberedFill[];
  readonly expires: ExpiryReason | null;
};

type Priced = { readonly side: Side; readonly quantity: Decimal; readonly limitPrice: Decimal | null };

const oneBps = decimal('0.0001');

/** What an order has to lock: a seller the base, a buyer what it may have to pay, fee included where it pays in quote. */
export function lockOf(order: Priced, market: Market, quotes: Quotes | null, fees: FeeRules): Decimal {
  if (order.side === 'SELL') return order.quantity;
  const cost =
    order.limitPrice === null
      ? totalQuote(quotes ? walk(bookFor(market, quotes, 'BUY'), order).fills : [])
      : roundToPlaces(multiply(order.limitPrice, order.quantity), 8, 'ceiling');
  if (fees.paidIn === 'received') return cost;
  const feeMax = multiply(multiply(cost, larger(fees.makerBps, fees.takerBps)), oneBps);
  return roundToPlaces(add(cost, feeMax), 8, 'ceiling');
}

/** Matches an order that has just arrived against the synthetic book. */
export function matchIncoming(order: PaperOrder, market: Market, quotes: Quotes | null, fees: FeeRules): Match {
  const taker = { side: order.side, quantity: order.quantity, limitPrice: order.limitPrice };
  const { fills: levels, leaves } = walk(quotes ? bookFor(market, quotes, order.side) : [], taker);
  if (order.timeInForce === 'FOK' && isPositive(leaves)) return { fills: [], expires: 'UNFILLED_FOK_ORDER_EXPIRED' };
  const fills = fillAll(order, levels, market, fees, false);
  const filled = fills.reduce<Decimal>((total, fill) => add(total, fill.quantity), zero);
  return { fills, expires: isEqual(filled, order.quantity) ? null : expiryOf(order) };
}

/**
 * The resting orders that one trade of the market fills, each at its own price: best price first, then the oldest, up
 * to the quantity that was traded.
 */
export function matchResting(
  orders: Iterable<PaperOrder>,
  trade: MarketTrade,
  market: Market,
  fees: FeeRules,
): readonly UnnumberedFill[] {
  const left: Record<Side, Decimal> = { BUY: trade.quantity, SELL: trade.quantity };
  return [...orders]
    .filter((order) => order.limitPrice !== null && isWithin(trade.price, order.side, order.limitPrice))
    .sort(byPriority)
    .flatMap((order) => {
      const quantity = smaller(leavesOf(order), left[order.side]);
      if (!isPositive(quantity)) return [];
      left[order.side] = subtract(left[order.side], quantity);
      return fillAll(order, [{ price: order.limitPrice ?? trade.price, quantity }], market, fees, true);
    });
}

function byPriority(a: PaperOrder, b: PaperOrder): number {
  const better = compare(a.limitPrice ?? zero, b.limitPrice ?? zero);
  return (a.side === 'BUY' ? -better : better) || a.orderId - b.orderId;
}

function expiryOf(order: PaperOrder): ExpiryReason | null {
  if (order.type === 'MARKET') return 'INSUFFICIENT_LIQUIDITY';
  return order.timeInForce === 'IOC' ? 'UNFILLED_IOC_QUANTITY_EXPIRED' : null;
}

// A market order locked what the book asked when it was accepted. If the book has moved since, it buys what that pays.
function fillAll(
  order: PaperOrder,
  levels: readonly Level[],
  market: Market,
  fees: FeeRules,
  isMaker: boolean,
): readonly UnnumberedFill[] {
  const fills: UnnumberedFill[] = [];
  let { locked } = order;
  let leaves = leavesOf(order);
  for (const level of levels) {
    const fill = priceFill(order, level, market, fees, isMaker);
    const spent = spentBy(fill, order);
    if (isMore(spent, locked)) break;
    leaves = subtract(leaves, level.quantity);
    locked = stillLocked(order, leaves, subtract(locked, spent), market, fees);
    fills.push({ ...fill, lockedAfter: locked });
  }
  return fills;
}

function stillLocked(order: PaperOrder, leaves: Decimal, locked: Decimal, market: Market, fees: FeeRules): Decimal {
  if (!isPositive(leaves)) return zero;
  if (order.limitPrice === null) return locked;
  return lockOf({ ...order, quantity: leaves }, market, null, fees);
}

function priceFill(order: PaperOrder, level: Level, market: Market, fees: FeeRules, isMaker: boolean): UnnumberedFill {
  const feeInBase = order.side === 'BUY' && fees.paidIn === 'received';
  // In the base asset a fee is a share of the quantity: of the value at a price of one.
  const { fee } = feeOf(fees, { quantity: level.quantity, price: feeInBase ? one : level.price, isMaker });
  return {
    kind: 'fill',
    orderId: order.orderId,
    symbol: order.symbol,
    side: order.side,
    price: level.price,
    quantity: level.quantity,
    quoteQuantity: quoteOf(level),
    fee: roundToPlaces(fee, 8, 'truncate'),
    feeAsset: feeInBase ? market.baseAsset : market.quoteAsset,
    isMaker,
    lockedAfter: zero,
  };
}
