import { type Decimal, multiply, toFixed, zero } from '../../domain/decimal.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { Fill } from '../exchange/ledger.ts';
import type { Market } from '../exchange/market.ts';
import type { Print } from '../exchange/tape.ts';

/** A number as the exchange prints it: eight decimals, always. */
export const eight = (value: Decimal | null): string => toFixed(value ?? zero, 8);

const expiry = (order: PaperOrder) => (order.status === 'EXPIRED' ? { expiryReason: order.reason } : {});

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

/** The answer to POST /order, as `newOrderRespType` asks for it. */
export function placedAnswer(order: PaperOrder, fills: readonly Fill[], type: 'ACK' | 'RESULT' | 'FULL'): object {
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
    workingTime: order.acceptedAtMs,
    selfTradePreventionMode: 'NONE',
    ...expiry(order),
  };
  return type === 'RESULT' ? result : { ...result, fills: fills.map(fillAnswer) };
}

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
  stopPrice: '0.00000000',
  icebergQty: '0.00000000',
  time: order.acceptedAtMs,
  updateTime: order.updatedAtMs,
  isWorking: true,
  workingTime: order.acceptedAtMs,
  selfTradePreventionMode: 'NONE',
  ...expiry(order),
});

export const canceledAnswer = (order: PaperOrder, cancelId: string): object => ({
  symbol: order.symbol,
  origClientOrderId: order.clientOrderId,
  orderId: order.orderId,
  orderListId: -1,
  clientOrderId: cancelId,
  transactTime: order.updatedAtMs,
  ...common(order),
  selfTradePreventionMode: 'NONE',
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

/** A symbol of exchangeInfo. */
export const symbolAnswer = (market: Market): object => ({
  symbol: market.symbol,
  status: market.status,
  baseAsset: market.baseAsset,
  baseAssetPrecision: 8,
  quoteAsset: market.quoteAsset,
  quotePrecision: 8,
  quoteAssetPrecision: 8,
  baseCommissionPrecision: 8,
  quoteCommissionPrecision: 8,
  orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET'],
  icebergAllowed: false,
  ocoAllowed: false,
  otoAllowed: false,
  opoAllowed: false,
  quoteOrderQtyMarketAllowed: false,
  allowTrailingStop: false,
  cancelReplaceAllowed: false,
  amendAllowed: false,
  pegInstructionsAllowed: false,
  isSpotTradingAllowed: true,
  isMarginTradingAllowed: false,
  filters: filtersOf(market),
  permissions: [],
  permissionSets: [['SPOT']],
  defaultSelfTradePreventionMode: 'NONE',
  allowedSelfTradePreventionModes: ['NONE'],
});

const filtersOf = (market: Market): readonly object[] => [
  {
    filterType: 'PRICE_FILTER',
    minPrice: eight(market.priceMin),
    maxPrice: eight(market.priceMax),
    tickSize: eight(market.tickSize),
  },
  {
    filterType: 'LOT_SIZE',
    minQty: eight(market.quantityMin),
    maxQty: eight(market.quantityMax),
    stepSize: eight(market.stepSize),
  },
  {
    filterType: 'MARKET_LOT_SIZE',
    minQty: '0.00000000',
    maxQty: eight(market.marketQuantityMax),
    stepSize: '0.00000000',
  },
  {
    filterType: 'NOTIONAL',
    minNotional: eight(market.notionalMin),
    applyMinToMarket: true,
    maxNotional: '0.00000000',
    applyMaxToMarket: false,
    avgPriceMins: 0,
  },
  { filterType: 'MAX_NUM_ORDERS', maxNumOrders: market.ordersMax },
];
