import { allow, type Control, deny, type LimitEvaluation } from './limit.ts';
import type { EntryLeg } from './proposal.ts';

/** A spot venue sells only what the account holds, so an entry there buys. */
export const shortEntry: Control = {
  name: 'short_entry',
  onEntry: (_snapshot, { legs }, { options }) => legs.map((leg) => judge(leg, options?.shortEntriesAllowed === true)),
};

function judge({ symbol, side }: EntryLeg, isShortAllowed: boolean): LimitEvaluation {
  const subject = { control: 'short_entry', code: 'SHORT_ENTRY_REFUSED', scope: symbol } as const;
  return side === 'BUY' || isShortAllowed ? allow(subject, `opens with ${side}`) : deny(subject, `opens with ${side}`);
}
