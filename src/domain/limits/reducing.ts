import { absolute, add, type Decimal, isLess } from '../decimal.ts';
import { bound, type LimitEvaluation, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';

type Change = { readonly current: Decimal; readonly added: Decimal; readonly limit: Decimal };

/**
 * Bounds a quantity that has a sign. An entry that brings it nearer to zero passes even from above the limit: refusing
 * it would keep the account further out. `options.reducingExempt` switches that off.
 */
export function boundChange(subject: Subject, change: Change, limits: LimitsRead): LimitEvaluation {
  const { current, added, limit } = change;
  return orReducing(bound(subject, { current, wouldBe: add(current, added), limit }), change, limits);
}

/** The evaluation, or its pass because the change reduces what it measures. */
export function orReducing(evaluation: LimitEvaluation, change: Change, limits: LimitsRead): LimitEvaluation {
  if (evaluation.allowed || limits.options?.reducingExempt === false || !isReducing(change)) return evaluation;
  return { ...evaluation, allowed: true, note: 'above the limit, but the entry brings it nearer to zero' };
}

const isReducing = ({ current, added }: Change): boolean => isLess(absolute(add(current, added)), absolute(current));
