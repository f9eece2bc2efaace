import { type Decimal, isLess, isMore, isPositive, multiply, roundToStep } from '../../domain/decimal.ts';
import type { Market, Quotes } from './market.ts';

type FilterName =
  | 'PRICE_FILTER'
  | 'LOT_SIZE'
  | 'MARKET_LOT_SIZE'
  | 'NOTIONAL'
  | 'MAX_NUM_ORDERS'
  | 'MAX_NUM_ALGO_ORDERS';

type FilteredOrder = {
  readonly quantity: Decimal;
  /** null = a market order. */
  readonly limitPrice: Decimal | null;
  /** null = no stop order. */
  readonly stopPrice: Decimal | null;
};

type Context = { readonly quotes: Quotes | null; readonly openOrders: number; readonly waitingStops: number };

/** The first filter that an order breaks, in the order in which the exchange's page lists them; null = none. */
export function brokenFilter(market: Market, order: FilteredOrder, context: Context): FilterName | null {
  const { quantity, limitPrice, stopPrice } = order;
  for (const price of [limitPrice, stopPrice]) {
    if (price !== null && !isWithin(price, market.priceMin, market.priceMax, market.tickSize)) return 'PRICE_FILTER';
  }
  if (!isWithin(quantity, market.quantityMin, market.quantityMax, market.stepSize)) return 'LOT_SIZE';
  if (limitPrice === null && isMore(quantity, market.marketQuantityMax)) return 'MARKET_LOT_SIZE';
  // A market order has no price of its own: the last price stands for it (avgPriceMins is 0).
  const price = limitPrice ?? context.quotes?.last ?? null;
  if (price !== null && isLess(multiply(quantity, price), market.notionalMin)) return 'NOTIONAL';
  if (context.openOrders >= market.ordersMax) return 'MAX_NUM_ORDERS';
  if (stopPrice !== null && context.waitingStops >= market.stopOrdersMax) return 'MAX_NUM_ALGO_ORDERS';
  return null;
}

// Binance's rule: a bound or a step of zero is switched off.
function isWithin(value: Decimal, min: Decimal, max: Decimal, step: Decimal): boolean {
  if (isLess(value, min)) return false;
  if (isPositive(max) && isMore(value, max)) return false;
  return !isPositive(step) || roundToStep(value, step, 'truncate') === value;
}
