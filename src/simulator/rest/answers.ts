import { type Decimal, decimal, multiply, toFixed, zero } from '../../domain/decimal.ts';
import type { FeeSchedule } from '../../domain/fees.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { Fill, PreventedMatch } from '../exchange/ledger.ts';
import type { Print } from '../exchange/tape.ts';

/** A number as the exchange prints it: eight decimals, always. */
export const eight = (value: Decimal | null): string => toFixed(value ?? zero, 8);

export type ResponseType = 'ACK' | 'RESULT' | 'FULL';

const oneBps = decimal('0.0001');

export const ratesOf = ({ makerBps, takerBps }: FeeSchedule) => ({
  maker: eight(multiply(makerBps, oneBps)),
  taker: eight(multiply(takerBps, oneBps)),
});

const ending = (order: PaperOrder) => ({
  ...(order.status === 'EXPIRED' ? { expiryReason: order.reason } : {}),
  ...(order.prevented
    ? { preventedMatchId: order.prevented.preventedMatchId, preventedQuantity: eight(preventedQuantity(order)) }
    : {}),
});

/** What a match with another order of the account took from this one. */
export function preventedQuantity({ orderId, prevented }: PaperOrder): Decimal {
  if (!prevented) return zero;
  return (prevented.takerOrderId === orderId ? prevented.takerQuantity : prevented.makerQuantity) ?? zero;
}

const common = (order: PaperOrder) => ({
  price: eight(order.limitPrice),
  origQty: eight(order.quantity),
  executedQty: eight(order.filledQuantity),
  origQuoteOrderQty: '0.00000000',
  cummulativeQuoteQty: eight(order.filledQuote),
  status: order.status,
  timeInForce: order.timeInForce,
  type: order.type,
  side: order.side,
});

// Of an order that has just been placed or canceled, a stop price is told only where there is one.
const stopPriceOf = ({ stopPrice }: PaperOrder) => (stopPrice === null ? {} : { stopPrice: eight(stopPrice) });

type Placed = {
  readonly order: PaperOrder;
  readonly fills: readonly Fill[];
  readonly prevented: readonly PreventedMatch[];
};

/** The answer to POST /order, as `newOrderRespType` asks for it. */
export function placedAnswer({ order, fills, prevented }: Placed, type: ResponseType): object {
  const ack = {
    symbol: order.symbol,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: order.clientOrderId,
    transactTime: order.updatedAtMs,
  };
  if (type === 'ACK') return ack;
  const result = {
    ...ack,
    ...common(order),
    ...stopPriceOf(order),
    workingTime: order.workingAtMs ?? -1,
    selfTradePreventionMode: order.preventionMode,
    ...ending(order),
  };
  if (type === 'RESULT') return result;
  const matches = prevented.length === 0 ? {} : { preventedMatches: prevented.map(preventedOfTaker) };
  return { ...result, fills: fills.map(fillAnswer), ...matches };
}

const quantitiesOf = ({ takerQuantity, makerQuantity }: PreventedMatch) => ({
  ...(takerQuantity === null ? {} : { takerPreventedQuantity: eight(takerQuantity) }),
  ...(makerQuantity === null ? {} : { makerPreventedQuantity: eight(makerQuantity) }),
});

const preventedOfTaker = (match: PreventedMatch): object => ({
  preventedMatchId: match.preventedMatchId,
  makerOrderId: match.makerOrderId,
  price: eight(match.price),
  ...quantitiesOf(match),
});

/** A row of myPreventedMatches. */
export const preventedAnswer = (match: PreventedMatch): object => ({
  symbol: match.symbol,
  preventedMatchId: match.preventedMatchId,
  takerOrderId: match.takerOrderId,
  makerSymbol: match.symbol,
  makerOrderId: match.makerOrderId,
  tradeGroupId: -1,
  selfTradePreventionMode: match.mode,
  price: eight(match.price),
  ...quantitiesOf(match),
  transactTime: match.preventedAtMs,
});

const fillAnswer = (fill: Fill): object => ({
  price: eight(fill.price),
  qty: eight(fill.quantity),
  commission: eight(fill.fee),
  commissionAsset: fill.feeAsset,
  tradeId: fill.tradeId,
});

/** An order as GET /order, openOrders and allOrders show it. */
export const orderAnswer = (order: PaperOrder): object => ({
  symbol: order.symbol,
  orderId: order.orderId,
  orderListId: -1,
  clientOrderId: order.clientOrderId,
  ...common(order),
  stopPrice: eight(order.stopPrice),
  icebergQty: '0.00000000',
  time: order.acceptedAtMs,
  updateTime: order.updatedAtMs,
  isWorking: order.workingAtMs !== null,
  workingTime: order.workingAtMs ?? -1,
  selfTradePreventionMode: order.preventionMode,
  ...ending(order),
});

export const canceledAnswer = (order: PaperOrder, cancelId: string): object => ({
  symbol: order.symbol,
  origClientOrderId: order.clientOrderId,
  orderId: order.orderId,
  orderListId: -1,
  clientOrderId: cancelId,
  transactTime: order.updatedAtMs,
  ...common(order),
  ...stopPriceOf(order),
  selfTradePreventionMode: order.preventionMode,
});

/** A row of myTrades. */
export const ownTradeAnswer = (fill: Fill): object => ({
  symbol: fill.symbol,
  id: fill.tradeId,
  orderId: fill.orderId,
  orderListId: -1,
  price: eight(fill.price),
  qty: eight(fill.quantity),
  quoteQty: eight(fill.quoteQuantity),
  commission: eight(fill.fee),
  commissionAsset: fill.feeAsset,
  time: fill.tradedAtMs,
  isBuyer: fill.side === 'BUY',
  isMaker: fill.isMaker,
  isBestMatch: true,
});

/** A row of trades and historicalTrades. */
export const printAnswer = (print: Print): object => ({
  id: print.tradeId,
  price: eight(print.price),
  qty: eight(print.quantity),
  quoteQty: eight(multiply(print.price, print.quantity)),
  time: print.tradedAtMs,
  isBuyerMaker: print.buyerIsMaker,
  isBestMatch: true,
});
