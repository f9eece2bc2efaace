import { add } from '../decimal.ts';
import { boundShare, exposureBaseOf } from './exposure-base.ts';
import { bookKnown, decimalLimit, type Known, known, together } from './known.ts';
import { type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, groupsOf, noTotals, totalsOf } from './proposal.ts';
import type { Standing } from './snapshot.ts';
import { amountIn } from './sums.ts';

/** Denies when a group's exposure with the entry > correlatedExposureMax x equity (or x total exposure with the entry). */
export const correlatedExposure: Control = {
  name: 'correlated_exposure',
  onEntry: (snapshot, entry, limits) => groupsOf(entry).map((group) => judge(group, snapshot, totalsOf(entry), limits)),
  onBook: (standing, limits) =>
    Object.keys(standing.book?.exposureByGroup ?? {}).map((group) => judge(group, standing, known(noTotals), limits)),
};

function judge(group: string, standing: Standing, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const subject: Subject = { control: 'correlated_exposure', code: 'CORRELATED_EXPOSURE_EXCEEDED', scope: group };
  const facts = together({
    max: decimalLimit(limits, 'correlatedExposureMax'),
    book: bookKnown(standing),
    totals,
    base: totals.isKnown ? exposureBaseOf(standing, totals.value.notional, limits) : totals,
  });
  return measure(subject, facts, ({ max, base, book, totals: { notionalByGroup } }) => {
    const current = amountIn(book.exposureByGroup, group);
    return boundShare(subject, { current, wouldBe: add(current, amountIn(notionalByGroup, group)), max, base });
  });
}
