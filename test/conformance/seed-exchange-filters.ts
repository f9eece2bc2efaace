import { decimal, multiply } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import {
  checkOrder,
  isDust,
  isNotionalEnough,
  roundPrice,
  roundQuantity,
  type SymbolFilters,
} from '../../src/domain/filters.ts';
import { filtersOf as readFilters } from '../../src/venue/binance/symbols.ts';
import { createFilterCache } from '../../src/venue/filter-cache.ts';
import { type Adapter, decimalOf, decimalOrNull, type Inputs, type Values, valuesOf } from './adapter.ts';

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

const millisecondsOf = (seconds: unknown): number => Number(decimalOf(seconds)) * 1_000;

const symbolOf = ({ symbol }: Values): string | undefined => (typeof symbol === 'string' ? symbol : undefined);

async function replayCache({ params, steps }: Inputs): Promise<readonly Values[]> {
  // A step that names no symbol means the one that the case is about.
  const usual = symbolOf(steps.find((step) => step['symbol'] !== undefined) ?? {}) ?? 'BASE/QUOTE';
  const maxStale = params['max_stale_seconds'];
  const venue = { atMs: 0, fetches: 0, isFailing: false, warnings: 0 };
  const cache = createFilterCache({
    fetch: async () => {
      venue.fetches += 1;
      if (venue.isFailing) throw new RatchetError('VENUE_UNAVAILABLE');
      return filtersOf({});
    },
    now: () => venue.atMs,
    ttlMs: millisecondsOf(params['ttl_seconds']),
    ...(maxStale === undefined ? {} : { maxStaleMs: millisecondsOf(maxStale) }),
    onWarning: () => {
      venue.warnings += 1;
    },
  });

  const answers: Values[] = [];
  for (const step of steps) {
    if (step['t'] !== undefined) venue.atMs = millisecondsOf(step['t']);
    venue.isFailing = step['fetch_fails'] === true;
    venue.warnings = 0;
    const symbol = symbolOf(step) ?? usual;
    const error = step['op'] === 'clear' ? cache.clear(symbol) : await errorOf(cache.get(symbol));
    const { size, agesMs } = cache.stats();
    const warning = venue.warnings > 0;
    const age = (agesMs[symbol] ?? 0) / 1_000;
    answers.push({ fetches: venue.fetches, size, age, warning, served: warning ? 'stale' : 'fresh', error });
  }
  return answers;
}

const errorOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => null,
    (error: unknown) => (error instanceof RatchetError ? error.code : Promise.reject(error)),
  );

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
    min_notional: ({ params }) => {
      const filters = [{ filterType: String(params['filter_kind']), minNotional: decimalOf(params['value']) }];
      const names = { symbol: 'BASEQUOTE', baseAsset: 'BASE', quoteAsset: 'QUOTE', status: 'TRADING' };
      return readFilters({ ...names, filters }).notionalMin;
    },
    cache: replayCache,
  },
};
