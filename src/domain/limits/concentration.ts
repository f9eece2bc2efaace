import { zero } from '../decimal.ts';
import { boundShare, exposureBaseOf } from './exposure-base.ts';
import { bookKnown, decimalLimit, together } from './known.ts';
import { type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryProposal, symbolsOf, totalsOf } from './proposal.ts';
import type { Snapshot, Standing } from './snapshot.ts';
import { amountIn } from './sums.ts';

const subjectOf = (scope: string): Subject => ({ control: 'concentration', code: 'CONCENTRATION_EXCEEDED', scope });

/** Denies when what the entry costs in one symbol > concentrationMax x equity (or x total exposure with the entry). */
export const concentration: Control = {
  name: 'concentration',
  onEntry: (snapshot, entry, limits) => symbolsOf(entry).map((symbol) => judge(symbol, snapshot, entry, limits)),
  onBook: (standing, limits) => [judgeLargest(standing, limits)],
};

function judge(symbol: string, snapshot: Snapshot, entry: EntryProposal, limits: LimitsRead): LimitEvaluation {
  const subject = subjectOf(symbol);
  const totals = totalsOf(entry);
  const facts = together({
    max: decimalLimit(limits, 'concentrationMax'),
    totals,
    base: totals.isKnown ? exposureBaseOf(snapshot, totals.value.notional, limits) : totals,
  });
  return measure(subject, facts, ({ max, base, totals: { notionalBySymbol } }) =>
    boundShare(subject, { current: zero, wouldBe: amountIn(notionalBySymbol, symbol), max, base }),
  );
}

function judgeLargest(standing: Standing, limits: LimitsRead): LimitEvaluation {
  const subject = subjectOf('account');
  const facts = together({
    max: decimalLimit(limits, 'concentrationMax'),
    book: bookKnown(standing),
    base: exposureBaseOf(standing, zero, limits),
  });
  return measure(subject, facts, ({ max, base, book: { exposureLargest } }) =>
    boundShare(subject, { current: exposureLargest, wouldBe: exposureLargest, max, base }),
  );
}
