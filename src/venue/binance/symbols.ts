import type { z } from 'zod';
import {
  type exchangeInfoSchema,
  lotSizeSchema,
  minNotionalSchema,
  priceFilterSchema,
} from '../../contracts/schemas/binance.ts';
import { type Decimal, isZero, larger, powerOfTen, smaller, zero } from '../../domain/decimal.ts';
import { RatchetError } from '../../domain/errors.ts';
import type { SymbolFilters } from '../../domain/filters.ts';

export type ExchangeInfo = z.output<typeof exchangeInfoSchema>;
type SymbolInfo = ExchangeInfo['symbols'][number];

/** `BTC/USDT` as the venue spells it, `BTCUSDT`. Throws `SYMBOL_UNKNOWN` for anything but `BASE/QUOTE`. */
export function venueSymbolOf(symbol: string): string {
  const [base, quote, ...rest] = symbol.split('/');
  if (!base || !quote || rest.length > 0) throw new RatchetError('SYMBOL_UNKNOWN', { symbol });
  return base + quote;
}

export type SymbolNames = {
  /** Asks the venue for all its symbols, unless that was done. */
  load(): Promise<void>;
  /** `BTCUSDT` as everybody else spells it, `BTC/USDT`: where the base ends only the venue knows. */
  nameOf(venueSymbol: string): string | undefined;
  /** The next `load` asks anew: a symbol turned up that is not in the list. */
  expire(): void;
};

export type SymbolName = Pick<SymbolInfo, 'symbol' | 'baseAsset' | 'quoteAsset'>;

export function createSymbolNames(fetchAll: () => Promise<readonly SymbolName[]>): SymbolNames {
  let names = new Map<string, string>();
  let isLoaded = false;
  return {
    async load() {
      if (isLoaded) return;
      const symbols = await fetchAll();
      names = new Map(symbols.map((info) => [info.symbol, `${info.baseAsset}/${info.quoteAsset}`]));
      isLoaded = true;
    },
    nameOf: (venueSymbol) => names.get(venueSymbol),
    expire() {
      isLoaded = false;
    },
  };
}

// What the venue writes prices and quantities with where no filter is stricter.
const finest = powerOfTen(-8);

/**
 * The trading rules of one symbol. A bound of 0 is "not set" in this dialect. Where LOT_SIZE and MARKET_LOT_SIZE
 * differ, the stricter counts: the venue does not say that one replaces the other.
 */
export function filtersOf(info: SymbolInfo): SymbolFilters {
  const price = priceFilterSchema.safeParse(filterOf(info, 'PRICE_FILTER')).data;
  const lot = lotSizeSchema.safeParse(filterOf(info, 'LOT_SIZE')).data;
  const marketLot = lotSizeSchema.safeParse(filterOf(info, 'MARKET_LOT_SIZE')).data;
  const notional = minNotionalSchema.safeParse(filterOf(info, 'NOTIONAL') ?? filterOf(info, 'MIN_NOTIONAL')).data;
  const quantityMax = orNull(lot?.maxQty);
  const marketMax = orNull(marketLot?.maxQty);
  return {
    symbol: `${info.baseAsset}/${info.quoteAsset}`,
    baseAsset: info.baseAsset,
    quoteAsset: info.quoteAsset,
    isTrading: info.status === 'TRADING',
    tickSize: orNull(price?.tickSize) ?? finest,
    stepSize: orNull(larger(lot?.stepSize ?? zero, marketLot?.stepSize ?? zero)) ?? finest,
    priceMin: orNull(price?.minPrice),
    priceMax: orNull(price?.maxPrice),
    quantityMin: orNull(larger(lot?.minQty ?? zero, marketLot?.minQty ?? zero)),
    quantityMax,
    marketQuantityMax:
      quantityMax === null || marketMax === null ? (marketMax ?? quantityMax) : smaller(quantityMax, marketMax),
    notionalMin: orNull(notional?.minNotional),
    notionalMinAppliesToMarket: notional?.applyMinToMarket ?? notional?.applyToMarket ?? false,
    ...(info.orderTypes && { takesStops: info.orderTypes.includes('STOP_LOSS_LIMIT') }),
  };
}

const filterOf = (info: SymbolInfo, type: string) => info.filters.find(({ filterType }) => filterType === type);

const orNull = (bound: Decimal | undefined): Decimal | null => (bound === undefined || isZero(bound) ? null : bound);
