import type { HoldScope } from '../../contracts/messages/messages.ts';
import { RatchetError } from '../../domain/errors.ts';
import { runOnce } from '../commands.ts';
import type { Db, Tx } from '../database.ts';
import { type HoldSet, type NewHold, setIn } from './holds.ts';

/**
 * A halt as a person asks for it: `setHold`, unless it would hold nothing. The scope has the form of `haltScope`.
 * `haltedAtMs` is when it was asked for, where that was before the database could take it: a time that has ended since
 * is no mistake.
 *
 * @throws RatchetError REQUEST_INVALID for an end that is not in the future, ACCOUNT_UNKNOWN
 */
export function applyHalt(
  db: Db,
  { haltedAtMs, ...asked }: Omit<NewHold, 'source'> & { readonly haltedAtMs?: number },
): Promise<HoldSet> {
  const wanted: NewHold = { ...asked, source: 'operator' };
  const { commandId, nowMs, ...body } = wanted;
  // In the transaction of the command: asked for once more, it gets its first answer, however late.
  return runOnce(db, { commandId, kind: 'halt', body, nowMs }, async (tx) => {
    refusePast(wanted.expiresAtMs, haltedAtMs ?? nowMs);
    await refuseUnknownAccount(tx, wanted.scope);
    return setIn(tx, wanted);
  });
}

/**
 * Whether no trade of the strategy, no order in the symbol has ever been in the scope of a halt: a slip, or the start of
 * something new. False also where that can't be told: the halt is in force, and nothing may make it look otherwise.
 */
export async function isScopeUnused(db: Db, { kind, id }: HoldScope): Promise<boolean> {
  const trades = db.selectFrom('trade').select('trade_id').limit(1);
  const orders = db.selectFrom('orders').select('trade_id').limit(1);
  try {
    if (kind === 'strategy') return (await trades.where('strategy', '=', id).executeTakeFirst()) === undefined;
    if (kind === 'symbol') return (await orders.where('symbol', '=', id).executeTakeFirst()) === undefined;
  } catch {
    // What is said about a halt in force is no reason to say that it failed.
  }
  return false;
}

function refusePast(expiresAtMs: number | undefined, askedAtMs: number): void {
  if (expiresAtMs === undefined || expiresAtMs > askedAtMs) return;
  throw new RatchetError('REQUEST_INVALID', { expiresAtMs: `${expiresAtMs}, allowed: later than now, ${askedAtMs}` });
}

async function refuseUnknownAccount(tx: Tx, { kind, id }: HoldScope): Promise<void> {
  if (kind !== 'account') return;
  const known = await tx.selectFrom('account').select('account_id').where('account_id', '=', id).executeTakeFirst();
  if (known === undefined) throw new RatchetError('ACCOUNT_UNKNOWN', { account: id });
}
