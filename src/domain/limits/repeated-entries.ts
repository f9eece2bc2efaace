import { decimal } from '../decimal.ts';
import { bound, type Control, deny, type Subject } from './limit.ts';
import { throttleOf } from './limits.ts';

const subject: Subject = { control: 'repeated_entries', code: 'STRATEGY_THROTTLED', scope: 'strategy' };

/**
 * A strategy that sends the same entry over and over is out of order, whatever each single one looks like. Counts what
 * was approved of the same strategy, symbols, sides and quantities; beyond the limit it is switched off until a person
 * switches it on again.
 */
export const repeatedEntries: Control = {
  name: 'repeated_entries',
  onEntry: ({ recent }, _, limits) => {
    if (recent === null) return [deny(subject, 'what the strategy has sent could not be read')];
    const { identicalMax } = throttleOf(limits);
    const current = decimal(String(recent.identical));
    return [
      bound(subject, { current, wouldBe: decimal(String(recent.identical + 1)), limit: decimal(String(identicalMax)) }),
    ];
  },
};
