import { sql } from 'kysely';
import type { Actor } from '../../contracts/messages/events.ts';
import type { HoldLevel, HoldScope, HoldSource, WorkingOrder } from '../../contracts/messages/messages.ts';
import { accountScope, breakerId } from '../../contracts/messages/names.ts';
import type { HoldView } from '../../contracts/messages/views.ts';
import { runOnce } from '../commands.ts';
import { type Db, inTransaction, type Tx } from '../database.ts';
import { workingOrderOf } from '../orders/book-order.ts';
import { enqueuePoke } from '../outbox.ts';
import { record } from '../record.ts';
import type { HoldRow } from '../tables.ts';
import { openSweeps } from './cancel-sweeps.ts';
import { entriesInScope } from './hold-scope.ts';

export type NewHold = {
  readonly scope: HoldScope;
  /** Each source sets and lifts its own: a breaker that closes can't end an operator's halt. */
  readonly source: HoldSource;
  readonly level: HoldLevel;
  readonly actor: string;
  readonly reason: string;
  readonly expiresAtMs?: number;
  readonly commandId?: string;
  readonly nowMs: number;
};

export type HoldSet = {
  readonly hold: HoldView;
  /** Entries in the scope that can still fill: the hold blocks new ones and does not touch these. */
  readonly workingEntries: readonly WorkingOrder[];
};

export type HoldLifted =
  | { readonly outcome: 'lifted'; readonly hold: HoldView }
  /** It is not the one that was seen: somebody has set it again since. */
  | { readonly outcome: 'changed'; readonly hold: HoldView }
  | { readonly outcome: 'none' };

/** What people lift. The others lift their own, and only those. */
export type PeoplesSource = 'operator' | 'throttle';

export type Lift<Source extends HoldSource = HoldSource> = {
  readonly scope: HoldScope;
  readonly source: Source;
  /** Of the hold as it was seen. */
  readonly version?: string;
  readonly actor: string;
  readonly reason: string;
};

/**
 * Blocks entries in a scope, for a part of the system; people ask by `applyHalt`. Once this is committed, no intent of an
 * entry in the scope is: intents that were under way are waited for, later ones are refused. A second hold of the same
 * source on the same scope joins the first: the strictest level, the latest reason, one hold to lift. Works with nothing
 * but the database.
 */
export function setHold(db: Db, wanted: NewHold): Promise<HoldSet> {
  const { commandId, nowMs, ...body } = wanted;
  return runOnce(db, { commandId, kind: 'halt', body, nowMs }, (tx) => setIn(tx, wanted));
}

/** The same in a transaction, for whoever has made sure that it means something. */
export async function setIn(tx: Tx, wanted: NewHold): Promise<HoldSet> {
  const { nowMs } = wanted;
  await waitForIntents(tx);
  const known = await findHold(tx, wanted.scope, wanted.source);
  const joins = known !== undefined && isInForce(known, nowMs);
  if (known !== undefined && !joins)
    await endHold(tx, known, { by: 'expiry', reason: 'its time was over', approvals: [] }, nowMs);
  const row = joins ? await joinHold(tx, known, wanted) : await insertHold(tx, wanted);
  await recordHold(tx, row, nowMs);
  await openSweeps(tx, row, nowMs);
  await announce(tx, wanted.scope, nowMs);
  return { hold: viewOf(row), workingEntries: await workingEntriesIn(tx, wanted.scope) };
}

/**
 * Lifts the hold that a part of the system has on a scope, by compare-and-set on its version where that is given.
 * Expired holds are lifted too; other sources' holds on the same scope stay. People lift theirs by `resume`.
 */
export const liftHold = (
  db: Db,
  lift: Lift<Exclude<HoldSource, PeoplesSource>> & { readonly nowMs: number },
): Promise<HoldLifted> => inTransaction(db, (tx) => liftIn(tx, lift, lift.nowMs));

/** The same in a transaction, for whoever has made sure that it may be lifted. */
export async function liftIn(tx: Tx, lift: Lift, nowMs: number, approvals: ResumeApprovals = []): Promise<HoldLifted> {
  const known = await findHold(tx, lift.scope, lift.source);
  if (known === undefined) return { outcome: 'none' };
  if (lift.version !== undefined && lift.version !== String(known.version)) {
    return { outcome: 'changed', hold: viewOf(known) };
  }
  await endHold(tx, known, { by: lift.actor, reason: lift.reason, approvals }, nowMs);
  await announce(tx, lift.scope, nowMs);
  return { outcome: 'lifted', hold: viewOf(known) };
}

/** The hold that a source has on a scope, expired or not, locked until the transaction ends. */
export async function lockHold(tx: Tx, scope: HoldScope, source: HoldSource): Promise<HoldView | undefined> {
  const row = await findHold(tx, scope, source);
  return row && viewOf(row);
}

/** Who stands behind a resume, where more than one had to. */
type ResumeApprovals = readonly { readonly keyId: string; readonly person: string }[];

/** Every hold in force, oldest first. An expired one counts no longer, whether anybody has lifted it or not. */
export async function holdsInForce(db: Db, nowMs: number): Promise<readonly HoldView[]> {
  const rows = await inForce(db, nowMs).orderBy('set_at_ms').orderBy('version').execute();
  return rows.map(viewOf);
}

/** The holds in force that an entry of this account and strategy, in any of these symbols, meets. */
export async function holdsApplyingTo(
  db: Db,
  to: { readonly account: string; readonly strategy: string; readonly symbols: readonly string[] },
  nowMs: number,
): Promise<readonly HoldView[]> {
  const rows = await inForce(db, nowMs)
    .where((eb) =>
      eb.or([
        eb('scope_kind', '=', 'all'),
        eb.and([eb('scope_kind', '=', 'account'), eb('scope_id', '=', to.account)]),
        eb.and([eb('scope_kind', '=', 'strategy'), eb('scope_id', '=', to.strategy)]),
        eb.and([eb('scope_kind', '=', 'symbol'), eb('scope_id', 'in', to.symbols)]),
      ]),
    )
    .orderBy('version')
    .execute();
  return rows.map(viewOf);
}

/** Entries that can still fill, or may, in a scope. */
async function workingEntriesIn(db: Db, scope: HoldScope): Promise<readonly WorkingOrder[]> {
  const rows = await entriesInScope(db, scope)
    .where((eb) =>
      eb.or([eb('status', 'in', ['pendingNew', 'new', 'partiallyFilled', 'parked']), eb('in_doubt', '=', true)]),
    )
    .execute();
  return rows.map(workingOrderOf);
}

/** A halt has to get through: it waits longer for the lock than anything that holds it may take. */
async function waitForIntents(tx: Tx): Promise<void> {
  await sql`set local lock_timeout = 5000`.execute(tx);
  await sql`set local statement_timeout = 6000`.execute(tx);
  await sql`select pg_advisory_xact_lock(hold_lock_key())`.execute(tx);
}

const inForce = (db: Db, nowMs: number) =>
  db
    .selectFrom('hold')
    .selectAll()
    .where('lifted_at_ms', 'is', null)
    .where((eb) => eb.or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', nowMs)]));

const isInForce = (hold: HoldRow, nowMs: number): boolean => hold.expires_at_ms === null || hold.expires_at_ms > nowMs;

const findHold = (tx: Tx, scope: HoldScope, source: HoldSource): Promise<HoldRow | undefined> =>
  tx
    .selectFrom('hold')
    .selectAll()
    .where('scope_kind', '=', scope.kind)
    .where('scope_id', '=', scope.id)
    .where('source', '=', source)
    .where('lifted_at_ms', 'is', null)
    .forUpdate()
    .executeTakeFirst();

async function insertHold(
  tx: Tx,
  { scope, source, level, actor, reason, expiresAtMs, nowMs }: NewHold,
): Promise<HoldRow> {
  const version = await nextVersion(tx);
  return tx
    .insertInto('hold')
    .values({
      hold_id: `hold-${version}`,
      scope_kind: scope.kind,
      scope_id: scope.id,
      source,
      level,
      version,
      actor,
      reason,
      set_at_ms: nowMs,
      expires_at_ms: expiresAtMs ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function joinHold(tx: Tx, known: HoldRow, wanted: NewHold): Promise<HoldRow> {
  return tx
    .updateTable('hold')
    .set({
      version: await nextVersion(tx),
      level: strictness[wanted.level] > strictness[known.level] ? wanted.level : known.level,
      actor: wanted.actor,
      reason: wanted.reason,
      expires_at_ms: later(known.expires_at_ms, wanted.expiresAtMs ?? null),
    })
    .where('hold_id', '=', known.hold_id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

const strictness: Record<HoldLevel, number> = { 'entries-blocked': 0, frozen: 1, flatten: 2 };

/** Null never expires. */
const later = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : Math.max(a, b));

async function nextVersion(tx: Tx): Promise<number> {
  const { rows } = await sql<{ version: number }>`select nextval('hold_version') as version`.execute(tx);
  return rows[0]?.version ?? 0;
}

async function endHold(
  tx: Tx,
  hold: HoldRow,
  { by, reason, approvals }: { readonly by: string; readonly reason: string; readonly approvals: ResumeApprovals },
  nowMs: number,
): Promise<void> {
  await tx
    .updateTable('hold')
    .set({ lifted_at_ms: nowMs, lifted_by: by, lift_reason: reason })
    .where('hold_id', '=', hold.hold_id)
    .execute();
  await record(tx, {
    type: 'ResumeApplied',
    key: [hold.hold_id, hold.version],
    atMs: nowMs,
    actor: actorOf(hold.source, by),
    data: {
      holdId: hold.hold_id,
      scope: scopeOf(hold),
      source: hold.source,
      level: hold.level,
      reason,
      ...(approvals.length > 0 && { approvals }),
    },
  });
}

const recordHold = (tx: Tx, hold: HoldRow, nowMs: number): Promise<void> =>
  record(tx, {
    type: 'HaltApplied',
    key: [hold.hold_id, hold.version],
    atMs: nowMs,
    actor: actorOf(hold.source, hold.actor),
    data: {
      holdId: hold.hold_id,
      scope: scopeOf(hold),
      source: hold.source,
      level: hold.level,
      reason: hold.reason,
      expiresAtMs: hold.expires_at_ms,
    },
  });

const actorOf = (source: HoldSource, id: string): Actor => ({ type: source === 'operator' ? 'user' : 'system', id });

/** Tells every process at once, and the breaker's lifecycle of each account that may be in the scope. */
async function announce(tx: Tx, scope: HoldScope, nowMs: number): Promise<void> {
  await sql`select pg_notify('ratchet_holds', '')`.execute(tx);
  let accounts = tx.selectFrom('account').select('account_id');
  if (scope.kind === 'account') accounts = accounts.where('account_id', '=', scope.id);
  for (const { account_id } of await accounts.execute()) {
    await enqueuePoke(tx, breakerId(accountScope(account_id)), nowMs);
  }
}

const scopeOf = (row: HoldRow): HoldScope => ({ kind: row.scope_kind, id: row.scope_id });

const viewOf = (row: HoldRow): HoldView => ({
  holdId: row.hold_id,
  scope: scopeOf(row),
  source: row.source,
  level: row.level,
  version: String(row.version),
  actor: row.actor,
  reason: row.reason,
  setAtMs: row.set_at_ms,
  expiresAtMs: row.expires_at_ms,
});
