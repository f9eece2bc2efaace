import { ageKnown, milliseconds } from './age.ts';
import { ageLimit, equityOf, together } from './known.ts';
import { bound, type Control, measure, type Subject } from './limit.ts';

const subject: Subject = { control: 'equity', code: 'EQUITY_UNKNOWN', scope: 'account' };

/** Every share is one of the equity, so it has to be known and recent. */
export const equity: Control = {
  name: 'equity',
  onEntry: (snapshot, _entry, limits) => {
    const facts = together({
      amount: equityOf(snapshot),
      ageMs: ageKnown(snapshot.equity.ageMs, subject.code, 'the equity'),
      ageMsMax: ageLimit(limits, 'equityAgeMsMax'),
    });
    return [
      measure(subject, facts, ({ ageMs, ageMsMax }) =>
        bound(subject, { current: null, wouldBe: ageMs, limit: milliseconds(ageMsMax) }),
      ),
    ];
  },
};
