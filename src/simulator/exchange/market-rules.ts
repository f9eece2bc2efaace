import { type Decimal, decimal, isPositive, multiply } from '../../domain/decimal.ts';
import type { Market } from './market.ts';

/** What the prices say about a symbol; everything else of its rules follows. `symbol` is in the form `BASE/QUOTE`. */
export type MarketTraits = {
  readonly symbol: string;
  readonly tickSize: Decimal;
  readonly stepSize: Decimal;
  /** The usual size of one trade: the book shows many times that at each price. */
  readonly tradeQuantity: Decimal;
};

const levelTrades = decimal('50');
const levelsMax = 100;
const largest = decimal('9000000000');

// The smallest order in each quote asset, about what the exchange asks; other assets are taken for dollars.
const notionalMins: Readonly<Record<string, Decimal>> = {
  BTC: decimal('0.0001'),
  ETH: decimal('0.001'),
  BNB: decimal('0.01'),
};
const dollarNotionalMin = decimal('5');

export const notionalMinOf = (quoteAsset: string): Decimal => notionalMins[quoteAsset] ?? dollarNotionalMin;

/** `BTC/USDT` in its two assets; null when it is not of that form. */
export function assetsOf(symbol: string): readonly [string, string] | null {
  const match = /^([A-Z0-9]{1,20})\/([A-Z0-9]{1,20})$/.exec(symbol);
  return match?.[1] !== undefined && match[2] !== undefined ? [match[1], match[2]] : null;
}

/** A symbol with rules scaled to its prices. */
export function marketOf(
  { symbol, tickSize, stepSize, tradeQuantity }: MarketTraits,
  assets: readonly [string, string],
): Market {
  const [baseAsset, quoteAsset] = assets;
  const levelQuantity = multiply(isPositive(tradeQuantity) ? tradeQuantity : stepSize, levelTrades);
  return {
    symbol: symbol.replace('/', ''),
    baseAsset,
    quoteAsset,
    status: 'TRADING',
    tickSize,
    stepSize,
    priceMin: tickSize,
    priceMax: multiply(tickSize, largest),
    quantityMin: stepSize,
    quantityMax: multiply(stepSize, largest),
    marketQuantityMax: multiply(levelQuantity, decimal(String(levelsMax))),
    notionalMin: notionalMinOf(quoteAsset),
    ordersMax: 200,
    stopOrdersMax: 5,
    tradeQuantity,
    levelQuantity,
    levelsMax,
  };
}
