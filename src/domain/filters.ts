import type { Decimal } from './decimal.ts';

/** A symbol's trading rules. `null` = the venue sets none. Quantities are in the base asset, notional in the quote. */
export type SymbolFilters = {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly isTrading: boolean;
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
};
