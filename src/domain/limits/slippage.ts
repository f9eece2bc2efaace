import { isLess, isMore } from '../decimal.ts';
import { referencePriceOf } from './known.ts';
import { allow, type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { EntryLeg } from './proposal.ts';
import type { Snapshot } from './snapshot.ts';
import { worstPrice } from './worst-price.ts';

/** A limit price may be worse than the last price only by what the request itself allows. */
export const slippage: Control = {
  name: 'slippage',
  onEntry: (snapshot, { legs }) => legs.map((leg) => judge(snapshot, leg)),
};

function judge(snapshot: Snapshot, { symbol, side, limitPrice, maxSlippageBps }: EntryLeg): LimitEvaluation {
  const subject: Subject = { control: 'slippage', code: 'SLIPPAGE_EXCEEDED', scope: symbol };
  if (limitPrice === null || maxSlippageBps === null) return allow(subject, 'the request bounds no slippage');
  return measure(subject, referencePriceOf(snapshot, symbol), (last) => {
    const limit = worstPrice(last, side, maxSlippageBps);
    const isWorse = side === 'BUY' ? isMore(limitPrice, limit) : isLess(limitPrice, limit);
    return { ...subject, current: last, wouldBe: limitPrice, limit, allowed: !isWorse };
  });
}
