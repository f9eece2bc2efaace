import { type Decimal, larger, multiply, negate, sum, zero } from '../decimal.ts';
import { groupOf, type LimitsRead } from './limits.ts';
import type { Book, Exposure } from './snapshot.ts';
import { sumsBy } from './sums.ts';

/** Folds open positions and pending reservations into what the limits are measured against. */
export function bookOf(exposures: readonly Exposure[], limits: LimitsRead): Book {
  const deltaBySymbol = sumsBy(exposures, symbolOf, deltaOf);
  const trades = Object.values(sumsBy(exposures, tradeOf, notionalOf));
  return {
    portfolioDelta: sum(Object.values(deltaBySymbol)),
    portfolioGamma: sum(exposures.map(gammaOf)),
    deltaBySymbol,
    exposureTotal: sum(trades),
    exposureByGroup: sumsBy(exposures, ({ symbol }) => groupOf(limits, symbol), notionalOf),
    exposureLargest: trades.reduce(larger, zero),
    openCount: trades.length,
  };
}

const symbolOf = ({ symbol }: Exposure): string => symbol;
const tradeOf = ({ tradeId }: Exposure): string => tradeId;
const notionalOf = ({ notional }: Exposure): Decimal => notional;
const deltaOf = ({ side, notional, unitDelta }: Exposure): Decimal => multiply(unitDelta, signed(side, notional));
const gammaOf = ({ side, quantity, unitGamma }: Exposure): Decimal => multiply(unitGamma, signed(side, quantity));

const signed = (side: Exposure['side'], amount: Decimal): Decimal => (side === 'long' ? amount : negate(amount));
