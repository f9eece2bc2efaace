import {
  type Decimal,
  isEqual,
  isLess,
  isMore,
  isPositive,
  isZero,
  multiply,
  type Rounding,
  roundToStep,
  zero,
} from './decimal.ts';
import type { Fault } from './fault.ts';
import type { OrderType, Side } from './order.ts';

/** A symbol's trading rules. `null` = the venue sets none. Quantities are in the base asset, notional in the quote. */
export type SymbolFilters = {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly isTrading: boolean;
  /** Zero = the venue has none, and the same for `stepSize`. */
  readonly tickSize: Decimal;
  readonly stepSize: Decimal;
  readonly priceMin: Decimal | null;
  readonly priceMax: Decimal | null;
  readonly quantityMin: Decimal | null;
  readonly quantityMax: Decimal | null;
  /** The stricter of LOT_SIZE and MARKET_LOT_SIZE, for market orders. */
  readonly marketQuantityMax: Decimal | null;
  readonly notionalMin: Decimal | null;
  readonly notionalMinAppliesToMarket: boolean;
  /** Whether stop limit orders may be sent. Absent where the venue does not say. */
  readonly takesStops?: boolean;
};

export type CheckedOrder = {
  readonly orderType: OrderType;
  readonly quantity: Decimal;
  /** The limit; null for a market order. */
  readonly price: Decimal | null;
  /** What must be traded before a stop order goes to the book; of no other order. */
  readonly stopPrice?: Decimal | null;
  /** Stands for the price of a market order; null = unknown, which is not a yes. */
  readonly referencePrice: Decimal | null;
};

/** The price in whole ticks, never worse for us than asked: BUY down, SELL up. Without a side: down. */
export const roundPrice = (filters: SymbolFilters, price: Decimal, side: Side | null): Decimal =>
  inSteps(price, filters.tickSize, side === 'SELL' ? 'ceiling' : 'floor');

/** The quantity in whole steps, down: never more than asked. */
export const roundQuantity = (filters: SymbolFilters, quantity: Decimal): Decimal =>
  inSteps(quantity, filters.stepSize, 'floor');

/** Everything the venue would refuse about the order, with the venue's own names of its filters. Empty = it fits. */
export function checkOrder(filters: SymbolFilters, order: CheckedOrder): readonly Fault[] {
  const faults: Fault[] = [];
  if (!filters.isTrading) faults.push({ code: 'SYMBOL_NOT_TRADING', context: { symbol: filters.symbol } });
  if (order.orderType !== 'MARKET' && !isPriceAllowed(filters, order.price)) {
    faults.push({ code: 'PRICE_FILTER', context: numbersOf({ price: order.price, ...priceBounds(filters) }) });
  }
  const { stopPrice = null } = order;
  if (order.orderType === 'STOP_LIMIT' && !isPriceAllowed(filters, stopPrice)) {
    faults.push({ code: 'PRICE_FILTER', context: numbersOf({ stopPrice, ...priceBounds(filters) }) });
  }
  if (!isQuantityAllowed(filters, order.quantity)) {
    faults.push({ code: 'LOT_SIZE', context: numbersOf({ quantity: order.quantity, ...quantityBounds(filters) }) });
  }
  const { marketQuantityMax } = filters;
  if (order.orderType === 'MARKET' && marketQuantityMax !== null && isMore(order.quantity, marketQuantityMax)) {
    faults.push({ code: 'MARKET_LOT_SIZE', context: { quantity: order.quantity, max: marketQuantityMax } });
  }
  return [...faults, ...notionalFaults(filters, order)];
}

/** Whether an order of this value may be sent. Null = nobody knows its value, and zero is never enough. */
export const isNotionalEnough = ({ notionalMin }: SymbolFilters, notional: Decimal | null): boolean =>
  notional !== null && isPositive(notional) && !isLess(notional, notionalMin ?? zero);

/**
 * Whether so little is left that it can't be sold. An unknown price is not a yes: then only what is below the smallest
 * quantity is dust.
 */
export function isDust(
  filters: SymbolFilters,
  quantity: Decimal,
  price: Decimal | null,
  orderType: OrderType = 'MARKET',
): boolean {
  const sellable = roundQuantity(filters, quantity);
  if (!isPositive(sellable) || isLess(sellable, filters.quantityMin ?? zero)) return true;
  if (price === null || !isNotionalBound(filters, orderType)) return false;
  return !isNotionalEnough(filters, multiply(sellable, price));
}

const inSteps = (value: Decimal, step: Decimal, rounding: Rounding): Decimal =>
  isZero(step) ? value : roundToStep(value, step, rounding);

const isWhole = (value: Decimal, step: Decimal): boolean => isEqual(inSteps(value, step, 'floor'), value);

const isWithin = (value: Decimal, min: Decimal | null, max: Decimal | null): boolean =>
  !(min !== null && isLess(value, min)) && !(max !== null && isMore(value, max));

const isPriceAllowed = (filters: SymbolFilters, price: Decimal | null): boolean =>
  price !== null &&
  isPositive(price) &&
  isWithin(price, filters.priceMin, filters.priceMax) &&
  isWhole(price, filters.tickSize);

const isQuantityAllowed = (filters: SymbolFilters, quantity: Decimal): boolean =>
  isPositive(quantity) &&
  isWithin(quantity, filters.quantityMin, filters.quantityMax) &&
  isWhole(quantity, filters.stepSize);

const isNotionalBound = (filters: SymbolFilters, orderType: OrderType): boolean =>
  filters.notionalMin !== null && (orderType !== 'MARKET' || filters.notionalMinAppliesToMarket);

function notionalFaults(filters: SymbolFilters, order: CheckedOrder): readonly Fault[] {
  if (!isNotionalBound(filters, order.orderType)) return [];
  const price = order.orderType === 'MARKET' ? order.referencePrice : order.price;
  const context = numbersOf({ quantity: order.quantity, min: filters.notionalMin });
  if (price === null) return [{ code: 'NOTIONAL_UNKNOWN', context }];
  const notional = multiply(price, order.quantity);
  return isNotionalEnough(filters, notional) ? [] : [{ code: 'NOTIONAL', context: { ...context, price, notional } }];
}

const priceBounds = ({ priceMin, priceMax, tickSize }: SymbolFilters) => ({ min: priceMin, max: priceMax, tickSize });
const quantityBounds = ({ quantityMin, quantityMax, stepSize }: SymbolFilters) => ({
  min: quantityMin,
  max: quantityMax,
  stepSize,
});

/** The numbers that are known, for a person to read. */
function numbersOf(numbers: Readonly<Record<string, Decimal | null>>): Record<string, Decimal> {
  const known = Object.entries(numbers).filter((pair): pair is [string, Decimal] => pair[1] !== null);
  return Object.fromEntries(known);
}
