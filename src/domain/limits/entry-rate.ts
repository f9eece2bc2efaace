import { decimal } from '../decimal.ts';
import { bound, type Control, deny, type Subject } from './limit.ts';
import { entryRateOf } from './limits.ts';

const subject: Subject = { control: 'entry_rate', code: 'ENTRY_RATE_EXCEEDED', scope: 'account' };

/** How many entries of the account were approved in the time; exits are never counted and never held back. */
export const entryRate: Control = {
  name: 'entry_rate',
  onEntry: ({ recent }, _, limits) => {
    if (recent === null) return [deny(subject, 'what the account has sent could not be read')];
    const { entriesMax } = entryRateOf(limits);
    const current = decimal(String(recent.entries));
    return [
      bound(subject, { current, wouldBe: decimal(String(recent.entries + 1)), limit: decimal(String(entriesMax)) }),
    ];
  },
};
