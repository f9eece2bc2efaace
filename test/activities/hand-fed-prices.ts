import type { MarketTrade } from '../../src/venue/venue.ts';

/** Prices for one who watches, which come when the test says so. */
export function handFedPrices() {
  let listener: (trade: MarketTrade) => void = () => undefined;
  return {
    prices: {
      watch(_symbol: string, watching: (trade: MarketTrade) => void) {
        listener = watching;
        return () => undefined;
      },
    },
    hear: (trade: MarketTrade): void => listener(trade),
  };
}
