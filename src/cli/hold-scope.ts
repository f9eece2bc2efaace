import type { HoldScope } from '../contracts/messages/messages.ts';
import { haltScope } from '../contracts/schemas/commands.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';

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

/**
 * The same, where something can be in it.
 *
 * @throws RatchetError REQUEST_INVALID with the option that no entry could ever fit
 */
export function haltScopeOf(options: ScopeOptions): HoldScope {
  const { success, data, error } = haltScope.safeParse(scopeOf(options));
  if (success) return data;
  const { kind, id } = scopeOf(options);
  const allowed = error.issues.map(({ message }) => message).join('; ');
  throw new RatchetError('REQUEST_INVALID', { [`--${kind}`]: `${JSON.stringify(id)}, allowed: ${allowed}` });
}

/** Such as `symbol BTC/USDT`, or `everything`. */
export const describeScope = ({ kind, id }: HoldScope): string => (kind === 'all' ? 'everything' : `${kind} ${id}`);
