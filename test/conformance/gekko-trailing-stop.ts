import { openTrailingStop, stepTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import { type Adapter, decimalOf } from './adapter.ts';

export const adapter: Adapter = {
  offered: {
    main: ({ params, steps }) => {
      const rules: TrailingStopRules = {
        side: params['side'] === 'short' ? 'short' : 'long',
        by: 'absolute',
        distance: decimalOf(params['trail_absolute']),
        activationPrice: null,
        tickSize: null,
        minimumMovePercent: null,
        extremeFrom: 'start',
      };
      let stop = openTrailingStop(rules, decimalOf(params['initial_price']));
      return steps.map((step) => {
        const price = decimalOf(step['price']);
        const next = stepTrailingStop(rules, stop, price);
        stop = next.stop;
        const again = stepTrailingStop(rules, stop, price);
        return { triggered: next.action === 'triggered', triggered_again: again.action === 'triggered' };
      });
    },
  },
};
