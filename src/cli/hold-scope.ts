import type { HoldScope } from '../contracts/messages/messages.ts';

export type ScopeOptions = {
  readonly all?: true;
  readonly account?: string;
  readonly strategy?: string;
  readonly symbol?: string;
};

/** What `--account`, `--strategy` or `--symbol` name; everything when none of them is given. */
export function scopeOf({ account, strategy, symbol }: ScopeOptions): HoldScope {
  if (account !== undefined) return { kind: 'account', id: account };
  if (strategy !== undefined) return { kind: 'strategy', id: strategy };
  if (symbol !== undefined) return { kind: 'symbol', id: symbol };
  return { kind: 'all', id: '*' };
}

/** Such as `symbol BTC/USDT`, or `everything`. */
export const describeScope = ({ kind, id }: HoldScope): string => (kind === 'all' ? 'everything' : `${kind} ${id}`);
