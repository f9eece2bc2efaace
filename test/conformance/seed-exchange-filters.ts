import { decimal, multiply } from '../../src/domain/decimal.ts';
import {
  checkOrder,
  isDust,
  isNotionalEnough,
  roundPrice,
  roundQuantity,
  type SymbolFilters,
} from '../../src/domain/filters.ts';
import { type Adapter, decimalOf, decimalOrNull, type Values, valuesOf } from './adapter.ts';

// A filter that a case does not name is one that the venue does not set.
const filtersOf = (filters: Values): SymbolFilters => ({
  symbol: 'BASE/QUOTE',
  baseAsset: 'BASE',
  quoteAsset: 'QUOTE',
  isTrading: true,
  tickSize: decimalOrNull(filters['tick']) ?? decimal('0'),
  stepSize: decimalOrNull(filters['step']) ?? decimal('0'),
  priceMin: null,
  priceMax: null,
  quantityMin: decimalOrNull(filters['min_qty']),
  quantityMax: null,
  marketQuantityMax: null,
  notionalMin: decimalOrNull(filters['min_notional']),
  notionalMinAppliesToMarket: true,
});

function notionalOf(params: Values) {
  const [price, quantity] = [decimalOrNull(params['price']), decimalOrNull(params['quantity'])];
  return decimalOrNull(params['quote_qty']) ?? (price === null || quantity === null ? null : multiply(price, quantity));
}

export const adapter: Adapter = {
  offered: {
    round_price: ({ params }) => roundPrice(filtersOf(valuesOf(params['filters'])), decimalOf(params['value']), null),
    round_quantity: ({ params }) => roundQuantity(filtersOf(valuesOf(params['filters'])), decimalOf(params['value'])),
    validate_order: ({ params }) => ({
      valid: isNotionalEnough(filtersOf(valuesOf(params['filters'])), notionalOf(params)),
    }),
    market_sell: ({ params }) => {
      const filters = filtersOf(valuesOf(params['filters']));
      const [price, wanted] = [decimalOf(params['price']), decimalOf(params['quantity'])];
      const quantity = roundQuantity(filters, wanted);
      return { valid: !isDust(filters, wanted, price), quantity, notional: multiply(price, quantity) };
    },
    min_qty: ({ params }) => {
      const quantity = decimalOf(params['qty']);
      const order = { orderType: 'MARKET', quantity, price: null, referencePrice: null } as const;
      return { valid: checkOrder(filtersOf(params), order).length === 0 };
    },
  },
  notOffered: {
    cache: 'no filter cache yet',
    min_notional: 'the venue adapter reads its own exchange information',
  },
};
