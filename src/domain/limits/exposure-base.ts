import { add, type Decimal, isPositive, multiply } from '../decimal.ts';
import { bookKnown, equityOf, type Known, known, together } from './known.ts';
import { allow, bound, type LimitEvaluation, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import type { Standing } from './snapshot.ts';

/** What concentration is a share of, once `added` is in the book: see `LimitOptions.exposureBase`. */
export function exposureBaseOf(standing: Standing, added: Decimal, limits: LimitsRead): Known<Decimal> {
  if (limits.options?.exposureBase !== 'exposure') return equityOf(standing);
  const facts = together({ book: bookKnown(standing) });
  return facts.isKnown ? known(add(facts.value.book.exposureTotal, added)) : facts;
}

type Share = { readonly current: Decimal; readonly wouldBe: Decimal; readonly max: Decimal; readonly base: Decimal };

/** Denies when the amount is more than its share, multiplied out. Of nothing there are no shares: that passes. */
export function boundShare(subject: Subject, { current, wouldBe, max, base }: Share): LimitEvaluation {
  if (!isPositive(base)) return allow(subject, 'nothing is exposed');
  return bound(subject, { current, wouldBe, limit: multiply(max, base) });
}
