import { type Decimal, isLess } from '../../domain/decimal.ts';
import type { FeeSchedule } from '../../domain/fees.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import { type Books, leavesOf, type PaperOrder } from './books.ts';
import { lockOf } from './engine.ts';
import type { FeeIn, OrderOrigin, PaperOrderType, PreventionMode } from './ledger.ts';
import type { Market, Quotes } from './market.ts';
import { isWithin, type OwnLevel } from './matching.ts';
import { brokenFilter } from './order-filters.ts';
import { type Refusal, refusals, texts } from './refusal.ts';
import { isTriggeredAt } from './stop-orders.ts';

/** An order as it comes in, its parameters already read. `limitPrice` null = an order at the market. */
export type OrderCommand = {
  /** null = the venue chooses one. */
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: Side;
  readonly type: PaperOrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  /** null = it works at once. */
  readonly stopPrice: Decimal | null;
  readonly preventionMode: PreventionMode;
  readonly origin: OrderOrigin;
  readonly requestId: number | null;
  readonly receivedAtMs: number;
};

type Scene = {
  readonly market: Market;
  readonly quotes: Quotes | null;
  readonly books: Books;
  readonly fees: FeeSchedule & { readonly paidIn: FeeIn };
};

/** Why the venue does not take this order, or null when it does. */
export function refusalOf(command: OrderCommand, scene: Scene): Refusal | null {
  const { market, quotes, books, fees } = scene;
  if (market.status !== 'TRADING') return refusals.newOrder(texts.marketClosed);
  const filter = filterRefusal(command, scene);
  if (filter) return filter;
  if (isOpen(books, command)) return refusals.newOrder(texts.duplicateOrder);
  if (command.type === 'LIMIT_MAKER' && wouldTake(command, scene)) return refusals.newOrder(texts.wouldTake);
  if (quotes && isTriggeredAt(quotes.last, command)) return refusals.newOrder(texts.wouldTrigger);
  const { free } = books.balance(lockAsset(command, market));
  const lock = lockOf({ ...command, feeIn: fees.paidIn }, market, quotes, fees);
  return isLess(free, lock) ? refusals.newOrder(texts.insufficientBalance) : null;
}

/** The filters alone, which are looked at before anything else of an order. */
export function filterRefusal(command: OrderCommand, { market, quotes, books }: Scene): Refusal | null {
  const open = openOrdersOf(books, market.symbol);
  const waitingStops = open.filter(({ workingAtMs }) => workingAtMs === null).length;
  const filter = brokenFilter(market, command, { quotes, openOrders: open.length, waitingStops });
  return filter === null ? null : refusals.filter(filter);
}

export const lockAsset = (order: { readonly side: Side }, market: Market): string =>
  order.side === 'BUY' ? market.quoteAsset : market.baseAsset;

export const openOrdersOf = (books: Books, symbol: string): readonly PaperOrder[] =>
  [...books.openOrders.values()].filter((order) => order.symbol === symbol);

/** The account's resting orders that a taker of that side would meet. */
export const ownLevels = (books: Books, symbol: string, taker: Side): readonly OwnLevel[] =>
  openOrdersOf(books, symbol).flatMap((order) =>
    order.side === taker || order.workingAtMs === null || order.limitPrice === null
      ? []
      : [{ orderId: order.orderId, price: order.limitPrice, quantity: leavesOf(order) }],
  );

// The documented weakness: an id is taken only while its order is open.
function isOpen(books: Books, { symbol, clientOrderId }: OrderCommand): boolean {
  if (clientOrderId === null) return false;
  const order = books.findByClientId(symbol, clientOrderId);
  return order !== undefined && books.openOrders.has(order.orderId);
}

function wouldTake({ side, symbol, limitPrice }: OrderCommand, { quotes, books }: Scene): boolean {
  const best = quotes ? [side === 'BUY' ? quotes.ask : quotes.bid] : [];
  const own = ownLevels(books, symbol, side).map(({ price }) => price);
  return [...best, ...own].some((price) => isWithin(price, side, limitPrice));
}
