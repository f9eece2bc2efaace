import { decimal } from '../../src/domain/decimal.ts';
import type { SymbolFilters } from '../../src/domain/filters.ts';

/** A symbol with ticks of a hundredth and steps of a thousandth that limits nothing but what is said. */
export const aSymbol = (limits: Partial<SymbolFilters> = {}): SymbolFilters => ({
  symbol: 'BTC/USDT',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  isTrading: true,
  tickSize: decimal('0.01'),
  stepSize: decimal('0.001'),
  priceMin: null,
  priceMax: null,
  quantityMin: null,
  quantityMax: null,
  marketQuantityMax: null,
  notionalMin: null,
  notionalMinAppliesToMarket: false,
  ...limits,
});
