import { type Decimal, decimal, multiply } from '../../src/domain/decimal.ts';
import {
  stepTrailingStop,
  stopPriceAt,
  type TrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import { type Adapter, decimalOf, type Values } from './adapter.ts';

// The direction is that of the stop order, so SELL protects a long position. A percentage is given as a share of 1.
const rulesOf = (params: Values): TrailingStopRules => ({
  side: params['direction'] === 'SELL' ? 'long' : 'short',
  by: params['as_percentage'] === true ? 'percent' : 'absolute',
  distance:
    params['as_percentage'] === true
      ? multiply(decimalOf(params['trailing_amount']), decimal('100'))
      : decimalOf(params['trailing_amount']),
  activationPrice: null,
  tickSize: null,
  minimumMovePercent: null,
  extremeFrom: 'start',
});

// The tables know a running stop only by its price, so that is the best price it can be sure of.
const runningAt = (stopPrice: Decimal): TrailingStop => ({ status: 'trailing', extreme: stopPrice, stopPrice });

export const adapter: Adapter = {
  offered: {
    calculate_stop_price: ({ params }) => stopPriceAt(rulesOf(params), decimalOf(params['market_price'])),
    try_update_stop_price: ({ params }) => {
      const stop = runningAt(decimalOf(params['current_stop']));
      const step = stepTrailingStop(rulesOf(params), stop, decimalOf(params['market_price']));
      return step.action === 'moved' ? step.stop.stopPrice : null;
    },
    sequence: ({ params, steps }) => {
      const rules = rulesOf(params);
      let stop = runningAt(decimalOf(params['initial_stop']));
      return steps.map((step) => {
        const price = decimalOf(step['price']);
        const next = stepTrailingStop(rules, stop, price);
        stop = next.stop;
        const isFilled = next.action === 'triggered';
        // A stop that triggers is sold at the market, and the market is the price of the step.
        return { filled: isFilled, stop: stop.stopPrice, fill_price: isFilled ? price : null };
      });
    },
  },
};
