import { add, type Decimal } from '../decimal.ts';
import { bookKnown, exposureCap, type Known, known, together } from './known.ts';
import { allow, bound, type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, noTotals, totalsOf } from './proposal.ts';
import type { Standing } from './snapshot.ts';

const subject: Subject = { control: 'total_exposure_cap', code: 'TOTAL_EXPOSURE_EXCEEDED', scope: 'account' };

/** Denies when what all positions cost with the entry > totalExposureCap. A cap of null is an explicit none. */
export const totalExposure: Control = {
  name: 'total_exposure_cap',
  onEntry: (snapshot, entry, limits) => [judge(snapshot, totalsOf(entry), limits)],
  onBook: (standing, limits) => [judge(standing, known(noTotals), limits)],
};

function judge(standing: Standing, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const facts = together({ cap: exposureCap(limits), book: bookKnown(standing), totals });
  return measure(subject, facts, ({ cap, book: { exposureTotal: current }, totals: { notional } }) =>
    boundCap(current, add(current, notional), cap),
  );
}

function boundCap(current: Decimal, wouldBe: Decimal, cap: Decimal | null): LimitEvaluation {
  if (cap === null) return allow(subject, 'no cap is set', { current, wouldBe, limit: null });
  return bound(subject, { current, wouldBe, limit: cap });
}
