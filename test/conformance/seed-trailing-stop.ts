import { createArmedSet } from '../../src/domain/armed-set.ts';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import {
  activationPriceAt,
  checkTrailingStopRules,
  openTrailingStop,
  stepTrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import { type Adapter, decimalOf, refusalOf, type Values, valuesOf } from './adapter.ts';

const defaults: Values = { activation_pct: '2', trailing_pct: '1.5', min_move_pct: '0.5' };
const actions = { hold: 'HOLD', activated: 'ACTIVATE', moved: 'UPDATE', triggered: 'TRIGGER', latched: 'TRIGGERED' };
const refusals: Readonly<Record<string, string>> = { GUARD_ALREADY_ARMED: 'already exists' };

const rulesOf = (settings: Values, entry: Decimal): TrailingStopRules => ({
  side: 'long',
  by: 'percent',
  distance: decimalOf(settings['trailing_pct']),
  activationPrice: activationPriceAt('long', entry, decimalOf(settings['activation_pct'])),
  tickSize: null,
  minimumMovePercent: decimalOf(settings['min_move_pct']),
  extremeFrom: 'start',
});

const guardAt = (entry: Decimal) => {
  const terms = rulesOf(defaults, entry);
  return { kind: 'trailingStop', terms, state: openTrailingStop(terms, entry) } as const;
};

const errorOf = (act: () => unknown) => {
  const code = refusalOf(act);
  return { error: code === null ? false : (refusals[code] ?? code) };
};

// The manager's cases name no entry, and the settings are shares of it, so any entry will do.
const anEntry = decimal('100');

export const adapter: Adapter = {
  offered: {
    main: ({ params, steps }) => {
      const entry = decimalOf(params['entry']);
      const rules = rulesOf(params, entry);
      let stop = openTrailingStop(rules, entry);
      return steps.map((step) => {
        const next = stepTrailingStop(rules, stop, decimalOf(step['premium']));
        stop = next.stop;
        return {
          action: actions[next.action],
          stop: stop.stopPrice,
          highest: stop.extreme,
          active: stop.status !== 'waiting',
        };
      });
    },
    config: ({ params }) => {
      const faults = checkTrailingStopRules(rulesOf({ ...defaults, ...params }, anEntry), anEntry);
      return { error: faults[0]?.code ?? false };
    },
    create: ({ params }) => errorOf(() => guardAt(decimalOf(params['entry']))),
    update: ({ params }) => {
      const { terms, state } = guardAt(decimalOf(params['entry']));
      return errorOf(() => stepTrailingStop(terms, state, decimalOf(params['premium'])));
    },
    'manager.add': ({ params }) => {
      const set = createArmedSet();
      return errorOf(() => {
        for (const id of params['add'] as readonly string[]) set.arm(id, guardAt(anEntry));
      });
    },
    'manager.remove': ({ params }) => errorOf(() => createArmedSet().disarm(String(params['remove']))),
    'manager.update': ({ params }) => {
      const premiums = valuesOf(params['premiums']);
      const stops = params['stops'] as readonly string[];
      // The product watches a symbol with a set of its own, as the manager gives every stop a premium of its own.
      const sets = new Map(stops.map((id) => [id, createArmedSet()]));
      for (const [id, set] of sets) set.arm(id, guardAt(anEntry));
      const updated = stops.filter((id) => id in premiums);
      for (const id of updated) sets.get(id)?.onPrice(decimalOf(premiums[id]));
      return { updated };
    },
  },
};
