import { type Decimal, isLess } from '../../domain/decimal.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import type { Books } from './books.ts';
import { type FeeRules, lockOf } from './engine.ts';
import type { OrderOrigin, PaperOrderType } from './ledger.ts';
import type { Market, Quotes } from './market.ts';
import { isWithin } from './matching.ts';
import { brokenFilter } from './order-filters.ts';
import { type Refusal, refusals, texts } from './refusal.ts';

/** An order as it comes in, its parameters already read. `limitPrice` null = a market order. */
export type OrderCommand = {
  /** null = the venue chooses one. */
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: Side;
  readonly type: PaperOrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  readonly origin: OrderOrigin;
  readonly requestId: number | null;
  readonly receivedAtMs: number;
};

type Scene = {
  readonly market: Market;
  readonly quotes: Quotes | null;
  readonly books: Books;
  readonly fees: FeeRules;
};

/** Why the venue does not take this order, or null when it does. */
export function refusalOf(command: OrderCommand, { market, quotes, books, fees }: Scene): Refusal | null {
  if (market.status !== 'TRADING') return refusals.newOrder(texts.marketClosed);
  const openOrders = [...books.openOrders.values()].filter(({ symbol }) => symbol === market.symbol).length;
  const filter = brokenFilter(market, command, { quotes, openOrders });
  if (filter) return refusals.filter(filter);
  if (isOpen(books, command)) return refusals.newOrder(texts.duplicateOrder);
  if (command.type === 'LIMIT_MAKER' && wouldTake(command, quotes)) return refusals.newOrder(texts.wouldTake);
  const { free } = books.balance(lockAsset(command, market));
  if (isLess(free, lockOf(command, market, quotes, fees))) return refusals.newOrder(texts.insufficientBalance);
  return null;
}

export const lockAsset = (order: { readonly side: Side }, market: Market): string =>
  order.side === 'BUY' ? market.quoteAsset : market.baseAsset;

// The documented weakness: an id is taken only while its order is open.
function isOpen(books: Books, { symbol, clientOrderId }: OrderCommand): boolean {
  if (clientOrderId === null) return false;
  const order = books.findByClientId(symbol, clientOrderId);
  return order !== undefined && books.openOrders.has(order.orderId);
}

function wouldTake({ side, limitPrice }: OrderCommand, quotes: Quotes | null): boolean {
  if (!quotes) return false;
  return isWithin(side === 'BUY' ? quotes.ask : quotes.bid, side, limitPrice);
}
