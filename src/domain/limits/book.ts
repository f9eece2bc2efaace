import { add, type Decimal, larger, multiply, negate, sum, zero } from '../decimal.ts';
import { groupOf, type LimitsRead } from './limits.ts';
import type { Book, Exposure } from './snapshot.ts';
import { addTo, type Sums } from './sums.ts';

/** Folds open positions and pending reservations into what the limits are measured against. */
export function bookOf(exposures: readonly Exposure[], limits: LimitsRead): Book {
  let deltaBySymbol: Sums = {};
  let exposureByGroup: Sums = {};
  let exposureByTrade: Sums = {};
  let portfolioGamma = zero;
  for (const exposure of exposures) {
    const { symbol, tradeId, notional, unitDelta, unitGamma } = exposure;
    deltaBySymbol = addTo(deltaBySymbol, symbol, multiply(unitDelta, signed(exposure, notional)));
    exposureByGroup = addTo(exposureByGroup, groupOf(limits, symbol), notional);
    exposureByTrade = addTo(exposureByTrade, tradeId, notional);
    portfolioGamma = add(portfolioGamma, multiply(unitGamma, signed(exposure, exposure.quantity)));
  }
  const trades = Object.values(exposureByTrade);
  return {
    portfolioDelta: sum(Object.values(deltaBySymbol)),
    portfolioGamma,
    deltaBySymbol,
    exposureTotal: sum(trades),
    exposureByGroup,
    exposureLargest: trades.reduce(larger, zero),
    openCount: trades.length,
  };
}

const signed = ({ side }: Exposure, amount: Decimal): Decimal => (side === 'long' ? amount : negate(amount));
