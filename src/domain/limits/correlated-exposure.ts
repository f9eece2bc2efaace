import { add } from '../decimal.ts';
import { boundShare, exposureBaseOf } from './exposure-base.ts';
import { bookKnown, decimalLimit, type Known, known, together } from './known.ts';
import { type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, groupsOf, noTotals, totalsOf } from './proposal.ts';
import type { Snapshot } from './snapshot.ts';
import { amountIn } from './sums.ts';

/** Denies when a group's exposure with the entry > correlatedExposureMax x equity (or x total exposure with the entry). */
export const correlatedExposure: Control = {
  name: 'correlated_exposure',
  onEntry: (snapshot, entry, limits) => groupsOf(entry).map((group) => judge(group, snapshot, totalsOf(entry), limits)),
  onBook: (snapshot, limits) =>
    Object.keys(snapshot.book?.exposureByGroup ?? {}).map((group) => judge(group, snapshot, known(noTotals), limits)),
};

function judge(group: string, snapshot: Snapshot, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const subject: Subject = { control: 'correlated_exposure', code: 'CORRELATED_EXPOSURE_EXCEEDED', scope: group };
  const facts = together({
    max: decimalLimit(limits, 'correlatedExposureMax'),
    book: bookKnown(snapshot),
    totals,
    base: totals.isKnown ? exposureBaseOf(snapshot, totals.value.notional, limits) : totals,
  });
  return measure(subject, facts, ({ max, base, book, totals: { notionalByGroup } }) => {
    const current = amountIn(book.exposureByGroup, group);
    return boundShare(subject, { current, wouldBe: add(current, amountIn(notionalByGroup, group)), max, base });
  });
}
