import { multiply } from '../decimal.ts';
import { bookKnown, decimalLimit, equityOf, type Known, known, together } from './known.ts';
import { type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import { type EntryTotals, noTotals, symbolsOf, totalsOf } from './proposal.ts';
import { boundChange } from './reducing.ts';
import type { Standing } from './snapshot.ts';
import { amountIn } from './sums.ts';

/** Denies when |delta in the symbol + delta of the entry in it| > symbolDeltaMax x equity. */
export const symbolDelta: Control = {
  name: 'symbol_delta',
  onEntry: (snapshot, entry, limits) =>
    symbolsOf(entry).map((symbol) => judge(symbol, snapshot, totalsOf(entry), limits)),
  onBook: (standing, limits) =>
    Object.keys(standing.book?.deltaBySymbol ?? {}).map((symbol) => judge(symbol, standing, known(noTotals), limits)),
};

function judge(symbol: string, standing: Standing, totals: Known<EntryTotals>, limits: LimitsRead): LimitEvaluation {
  const subject: Subject = { control: 'symbol_delta', code: 'SYMBOL_DELTA_EXCEEDED', scope: symbol };
  const facts = together({
    max: decimalLimit(limits, 'symbolDeltaMax'),
    equity: equityOf(standing),
    book: bookKnown(standing),
    totals,
  });
  return measure(subject, facts, ({ max, equity, book, totals: { deltaBySymbol } }) => {
    const current = amountIn(book.deltaBySymbol, symbol);
    return boundChange(
      subject,
      { current, added: amountIn(deltaBySymbol, symbol), limit: multiply(max, equity) },
      limits,
    );
  });
}
