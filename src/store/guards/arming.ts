import { sql } from 'kysely';
import { type StopAmendment, signals } from '../../contracts/messages/messages.ts';
import { marketWatchId, taskQueues, workflowTypes } from '../../contracts/messages/names.ts';
import type { StopView } from '../../contracts/messages/views.ts';
import type { Guard } from '../../domain/guard.ts';
import { amendDistance, amendmentFaults } from '../../domain/trailing-stop.ts';
import { type Db, inTransaction, type Tx } from '../database.ts';
import { lockTrade } from '../orders/book-order.ts';
import { enqueue } from '../outbox.ts';
import { record, recordAll } from '../record.ts';
import type { GuardRow } from '../tables.ts';
import { guardIdOf, guardOf } from './armed-guards.ts';

type Arming = {
  readonly tradeId: string;
  readonly leg: number;
  readonly venue: string;
  readonly shard: string;
  readonly symbol: string;
  /** Only trades after this one count. */
  readonly sinceVenueTradeId: number;
  readonly guards: readonly Guard[];
  readonly nowMs: number;
};

/**
 * Arms guards of a position that is open, each once: armed again, they stay as they are. Whoever watches is told by
 * notification; where nobody does, a message starts the watch. `not-open`: the trade is on its way out or over.
 */
export function armGuards(db: Db, arming: Arming): Promise<{ readonly outcome: 'armed' | 'not-open' }> {
  const { tradeId, shard, nowMs } = arming;
  return db.transaction().execute(async (tx) => {
    const trade = await lockTrade(tx, tradeId);
    if (trade?.phase !== 'open') return { outcome: 'not-open' };
    const hasWatch = await joinShard(tx, shard, nowMs);
    const armed = await insertGuards(tx, arming);
    if (armed.length === 0) return { outcome: 'armed' };
    await recordAll(
      tx,
      armed.map((guard) => ({
        type: 'StopArmed',
        key: [guardIdOf({ ...arming, kind: guard.kind })],
        tradeId,
        atMs: nowMs,
        actor: { type: 'system', id: 'guards' },
        data: { ...guard, leg: arming.leg, symbol: arming.symbol, sinceVenueTradeId: String(arming.sinceVenueTradeId) },
      })),
    );
    await announceGuards(tx, shard);
    if (!hasWatch) await enqueue(tx, [startOfWatch(arming)], nowMs);
    return { outcome: 'armed' };
  });
}

type Amended =
  | { readonly outcome: 'amended'; readonly view: StopView }
  /** Sentences for people. */
  | { readonly outcome: 'refused'; readonly faults: readonly string[] };

/** Gives a running trailing stop a smaller distance: it never loosens. The watch takes the new version up. */
export function amendTrailingStop(
  db: Db,
  asked: { readonly tradeId: string; readonly amendment: StopAmendment; readonly nowMs: number },
): Promise<Amended> {
  const { tradeId, amendment, nowMs } = asked;
  return db.transaction().execute(async (tx): Promise<Amended> => {
    const trade = await lockTrade(tx, tradeId);
    const row = await findTrailingStop(tx, tradeId);
    const guard = row && guardOf(row);
    if (guard?.kind !== 'trailingStop' || row === undefined || row.disarmed_at_ms !== null || trade?.phase !== 'open') {
      return { outcome: 'refused', faults: ['The trade has no trailing stop that runs.'] };
    }
    const faults = amendmentFaults(guard.terms, guard.state, amendment);
    if (faults.length > 0) return { outcome: 'refused', faults };
    if (amendment.distance === guard.terms.distance) return { outcome: 'amended', view: stopViewOf(row) };
    const { rules, stop } = amendDistance(guard.terms, guard.state, amendment.distance);
    const amended = await tx
      .updateTable('guard')
      .set({ terms: JSON.stringify(rules), state: JSON.stringify(stop), version: row.version + 1 })
      .where('trade_id', '=', tradeId)
      .where('leg', '=', row.leg)
      .where('kind', '=', 'trailingStop')
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAmendment(tx, guard, amended, amendment, nowMs);
    await announceGuards(tx, row.shard);
    return { outcome: 'amended', view: stopViewOf(amended) };
  });
}

/** The trailing stop of a trade as the book has it, triggered or not; undefined when it never had one. */
export async function readStop(db: Db, tradeId: string): Promise<StopView | undefined> {
  const row = await db
    .selectFrom('guard')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .where('kind', '=', 'trailingStop')
    .orderBy('leg')
    .executeTakeFirst();
  return row && stopViewOf(row);
}

/** Takes all guards of a trade off the watch. Disarmed again, it changes nothing. */
export function disarmGuards(
  db: Db,
  { tradeId, nowMs }: { readonly tradeId: string; readonly nowMs: number },
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await lockTrade(tx, tradeId);
    await disarmAll(tx, tradeId, nowMs);
  });
}

/** The part of it that the end of a trade shares. The caller holds the trade's row. */
export async function disarmAll(tx: Tx, tradeId: string, nowMs: number): Promise<void> {
  const disarmed = await tx
    .updateTable('guard')
    .set({ disarmed_at_ms: nowMs })
    .where('trade_id', '=', tradeId)
    .where('disarmed_at_ms', 'is', null)
    .returning(['leg', 'kind', 'shard', 'version'])
    .execute();
  await recordAll(
    tx,
    disarmed.map(({ leg, kind, version }) => ({
      type: 'StopDisarmed',
      key: [guardIdOf({ tradeId, leg, kind })],
      tradeId,
      atMs: nowMs,
      actor: { type: 'system', id: 'guards' },
      data: { leg, kind, version },
    })),
  );
  for (const shard of new Set(disarmed.map((row) => row.shard))) await announceGuards(tx, shard);
}

/** Keeps the watch from leaving until the arming is committed. Returns whether somebody watches. */
async function joinShard(tx: Tx, shard: string, nowMs: number): Promise<boolean> {
  await tx
    .insertInto('watch_shard')
    .values({ shard })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { rows } = await sql<{ lease_until_ms: number }>`
    select lease_until_ms from watch_shard where shard = ${shard} for share
  `.execute(tx);
  return (rows[0]?.lease_until_ms ?? 0) > nowMs;
}

async function insertGuards(tx: Tx, arming: Arming): Promise<readonly Guard[]> {
  if (arming.guards.length === 0) return [];
  const inserted = await tx
    .insertInto('guard')
    .values(
      arming.guards.map(({ kind, terms, state }) => ({
        trade_id: arming.tradeId,
        leg: arming.leg,
        kind,
        shard: arming.shard,
        symbol: arming.symbol,
        version: 1,
        terms: JSON.stringify(terms),
        state: JSON.stringify(state),
        since_venue_trade_id: arming.sinceVenueTradeId,
        armed_at_ms: arming.nowMs,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('kind')
    .execute();
  return arming.guards.filter((guard) => inserted.some((row) => row.kind === guard.kind));
}

const findTrailingStop = (tx: Tx, tradeId: string): Promise<GuardRow | undefined> =>
  tx
    .selectFrom('guard')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .where('kind', '=', 'trailingStop')
    .orderBy('leg')
    .forNoKeyUpdate()
    .executeTakeFirst();

const recordAmendment = (
  tx: Tx,
  before: Guard,
  after: GuardRow,
  { actor, reason }: StopAmendment,
  nowMs: number,
): Promise<void> =>
  record(tx, {
    type: 'StopAmended',
    key: [guardIdOf({ tradeId: after.trade_id, leg: after.leg, kind: after.kind }), after.version],
    tradeId: after.trade_id,
    atMs: nowMs,
    actor: { type: 'user', id: actor },
    data: { leg: after.leg, version: after.version, reason, before, after: guardOf(after) },
  });

async function announceGuards(tx: Tx, shard: string): Promise<void> {
  await sql`select pg_notify('ratchet_guards', ${shard})`.execute(tx);
}

/** Sees to it that the shard's watch runs: a watch that somebody ended comes back with the next message. */
export const wakeWatch = (db: Db, watch: { readonly venue: string; readonly shard: string; readonly nowMs: number }) =>
  inTransaction(db, (tx) => enqueue(tx, [startOfWatch(watch)], watch.nowMs));

const startOfWatch = ({ shard, venue }: { readonly shard: string; readonly venue: string }) =>
  ({
    action: 'signalWithStart',
    workflowId: marketWatchId(shard),
    workflowType: workflowTypes.marketWatch,
    taskQueue: taskQueues.watches,
    startArgs: [{ venue, shard }],
    summary: `the eyes of every position in ${shard}`,
    signalName: signals.wake,
    signalArgs: [],
  }) as const;

function stopViewOf(row: GuardRow): StopView {
  const guard = guardOf(row);
  if (guard.kind !== 'trailingStop') throw new Error('Invariant: a trailing stop is read as one');
  return {
    tradeId: row.trade_id,
    version: row.version,
    rules: guard.terms,
    stop: guard.state,
    triggeredAtPrice: row.triggered_price,
  };
}
