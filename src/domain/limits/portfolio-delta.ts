import { multiply } from '../decimal.ts';
import { bookKnown, decimalLimit, equityOf, type Known, known, together } from './known.ts';
import { type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, noTotals, totalsOf } from './proposal.ts';
import { boundChange } from './reducing.ts';
import type { Standing } from './snapshot.ts';

const subject: Subject = { control: 'portfolio_delta', code: 'PORTFOLIO_DELTA_EXCEEDED', scope: 'account' };

/** Denies when |delta of all positions + delta of the entry| > portfolioDeltaMax x equity. */
export const portfolioDelta: Control = {
  name: 'portfolio_delta',
  onEntry: (snapshot, entry, limits) => [judge(snapshot, totalsOf(entry), limits)],
  onBook: (standing, limits) => [judge(standing, known(noTotals), limits)],
};

function judge(standing: Standing, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const facts = together({
    max: decimalLimit(limits, 'portfolioDeltaMax'),
    equity: equityOf(standing),
    book: bookKnown(standing),
    totals,
  });
  return measure(subject, facts, ({ max, equity, book, totals: { delta } }) =>
    boundChange(subject, { current: book.portfolioDelta, added: delta, limit: multiply(max, equity) }, limits),
  );
}
