import { add, type Decimal, decimal, isLess, isMore, multiply, one, subtract } from '../decimal.ts';
import { allow, type Control, type LimitEvaluation, measure, type Subject } from './limit.ts';
import type { EntryLeg } from './proposal.ts';
import { referencePriceOf } from './reference-price.ts';
import type { Snapshot } from './snapshot.ts';

/** A limit price may be worse than the last price only by what the request itself allows. */
export const slippage: Control = {
  name: 'slippage',
  onEntry: (snapshot, { legs }) => legs.map((leg) => judge(snapshot, leg)),
};

function judge(snapshot: Snapshot, { symbol, side, slippage: asked }: EntryLeg): LimitEvaluation {
  const subject: Subject = { control: 'slippage', code: 'SLIPPAGE_EXCEEDED', scope: symbol };
  if (asked === null) return allow(subject, 'the request bounds no limit price');
  return measure(subject, referencePriceOf(snapshot, symbol), ({ last }) => {
    const share = multiply(asked.maxBps, onePoint);
    const worst = multiply(last, side === 'BUY' ? add(one, share) : subtract(one, share));
    const isWorse = side === 'BUY' ? isMore(asked.limitPrice, worst) : isLess(asked.limitPrice, worst);
    return { ...subject, current: last, wouldBe: asked.limitPrice, limit: worst, allowed: !isWorse };
  });
}

/** A basis point. */
const onePoint: Decimal = decimal('0.0001');
