import { allow, type Control, deny, type Subject } from './limit.ts';
import type { HoldInForce } from './snapshot.ts';

const subject: Subject = { control: 'trading_state', code: 'TRADING_STATE_BLOCKED', scope: 'account' };

/** Any hold in force blocks an entry, whatever its level. All of them are named, the strictest first. */
export const tradingState: Control = {
  name: 'trading_state',
  onEntry: ({ holds }) => {
    if (holds.length === 0) return [allow(subject, 'no hold is in force')];
    return [deny(subject, holds.toSorted(byStrictness).map(inWords).join('; '))];
  },
};

const strictness: Record<HoldInForce['level'], number> = { flatten: 0, frozen: 1, 'entries-blocked': 2 };

const byStrictness = (a: HoldInForce, b: HoldInForce): number => strictness[a.level] - strictness[b.level];

function inWords({ scope, source, level, reason }: HoldInForce): string {
  const where = scope.kind === 'all' ? 'everything' : `${scope.kind} ${scope.id}`;
  return `${level} on ${where}, set by ${source}: ${reason}`;
}
