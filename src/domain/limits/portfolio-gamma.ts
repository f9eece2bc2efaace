import { bookKnown, decimalLimit, type Known, known, together } from './known.ts';
import { bound, type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, noTotals, totalsOf } from './proposal.ts';
import { boundChange, orReducing } from './reducing.ts';
import type { Standing } from './snapshot.ts';

const subject: Subject = { control: 'portfolio_gamma', code: 'PORTFOLIO_GAMMA_EXCEEDED', scope: 'account' };

/** Denies when |gamma of all positions + gamma of the entry| > portfolioGammaMax; an option leaves the entry's out. */
export const portfolioGamma: Control = {
  name: 'portfolio_gamma',
  onEntry: (snapshot, entry, limits) => [judge(snapshot, totalsOf(entry), limits)],
  onBook: (standing, limits) => [judge(standing, known(noTotals), limits)],
};

function judge(standing: Standing, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const facts = together({ limit: decimalLimit(limits, 'portfolioGammaMax'), book: bookKnown(standing), totals });
  return measure(subject, facts, ({ limit, book: { portfolioGamma: current }, totals: { gamma: added } }) => {
    const change = { current, added, limit };
    if (limits.options?.gammaIncludesEntry !== false) return boundChange(subject, change, limits);
    return orReducing(bound(subject, { current, wouldBe: current, limit }), change, limits);
  });
}
