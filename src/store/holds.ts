import type { HoldView } from '../contracts/messages/views.ts';
import type { Db, Tx } from './database.ts';
import type { HoldRow } from './tables.ts';

/** Every hold in force, oldest first. An expired one counts no longer, whether anybody has lifted it or not. */
export async function holdsInForce(db: Db, nowMs: number): Promise<readonly HoldView[]> {
  const rows = await inForce(db, nowMs).orderBy('set_at_ms').orderBy('version').execute();
  return rows.map(viewOf);
}

/** The holds in force that an entry of this account and strategy, in any of these symbols, meets. */
export async function holdsApplyingTo(
  tx: Tx,
  to: { readonly account: string; readonly strategy: string; readonly symbols: readonly string[] },
  nowMs: number,
): Promise<readonly HoldView[]> {
  const rows = await inForce(tx, nowMs)
    .where(({ or, and, eb }) =>
      or([
        eb('scope_kind', '=', 'all'),
        and([eb('scope_kind', '=', 'account'), eb('scope_id', '=', to.account)]),
        and([eb('scope_kind', '=', 'strategy'), eb('scope_id', '=', to.strategy)]),
        and([eb('scope_kind', '=', 'symbol'), eb('scope_id', 'in', to.symbols)]),
      ]),
    )
    .orderBy('version')
    .execute();
  return rows.map(viewOf);
}

const inForce = (db: Db, nowMs: number) =>
  db
    .selectFrom('hold')
    .selectAll()
    .where('lifted_at_ms', 'is', null)
    .where(({ or, eb }) => or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', nowMs)]));

const viewOf = (row: HoldRow): HoldView => ({
  holdId: row.hold_id,
  scope: { kind: row.scope_kind, id: row.scope_id },
  source: row.source,
  level: row.level,
  version: String(row.version),
  actor: row.actor,
  reason: row.reason,
  setAtMs: row.set_at_ms,
  expiresAtMs: row.expires_at_ms,
});
