import { sql } from 'kysely';
import type { Decimal } from '../../domain/decimal.ts';
import type { Guard } from '../../domain/guard.ts';
import type { Db, Tx } from '../database.ts';
import { openExit } from '../exits/exit-requests.ts';
import { lockTrade } from '../orders/book-order.ts';
import { enqueue } from '../outbox.ts';
import { type AuditRecord, record, recordAll } from '../record.ts';
import type { GuardRow } from '../tables.ts';
import { type ArmedGuard, findGuard, guardChangedMessages, guardIdOf, guardOf } from './armed-guards.ts';
import { holdLease, type ShardLease } from './watch-lease.ts';

/** A guard's state after the trades it has seen since the last checkpoint. */
export type GuardCheckpoint = {
  readonly row: ArmedGuard;
  readonly guard: Guard;
  readonly seenVenueTradeId: number;
  readonly activated: boolean;
  /** Whether its lifecycle is told: an activation always, moves from time to time. */
  readonly tell: boolean;
};

/** Everything that is armed in the shard, as far as the book has it. */
export async function loadShard(db: Db, { shard }: { readonly shard: string }): Promise<readonly ArmedGuard[]> {
  const rows = await db
    .selectFrom('guard')
    .leftJoin('watch_cursor', (join) =>
      join.onRef('watch_cursor.shard', '=', 'guard.shard').onRef('watch_cursor.symbol', '=', 'guard.symbol'),
    )
    .selectAll('guard')
    .select('watch_cursor.venue_trade_id as cursor')
    .where('guard.shard', '=', shard)
    .where('disarmed_at_ms', 'is', null)
    .where('triggered_at_ms', 'is', null)
    .orderBy('armed_at_ms')
    .execute();
  return rows.map((row) => {
    const key = { tradeId: row.trade_id, leg: row.leg, kind: row.kind };
    return {
      id: guardIdOf(key),
      ...key,
      symbol: row.symbol,
      guard: guardOf(row),
      version: row.version,
      acknowledgedVersion: row.acknowledged_version,
      sinceVenueTradeId: seenUpTo(row, row.cursor),
    };
  });
}

/** Says that the watch has taken up these versions: only now are they armed. */
export async function acknowledgeGuards(
  db: Db,
  acknowledged: ShardLease & { readonly rows: readonly ArmedGuard[] },
): Promise<void> {
  const { shard, rows } = acknowledged;
  if (rows.length === 0) return;
  await db.transaction().execute(async (tx) => {
    await holdLease(tx, acknowledged);
    await sql`
      update guard set acknowledged_version = greatest(acknowledged_version, taken.version),
        covered_from = coalesce(covered_from, coalesce((select venue_trade_id from watch_cursor c
          where c.shard = guard.shard and c.symbol = guard.symbol), -1))
      from ${recordset(rows.map(({ tradeId, leg, kind, version }) => ({ tradeId, leg, kind, version })))}
        as taken ("tradeId" text, leg smallint, kind text, version integer)
      where guard.shard = ${shard} and guard.trade_id = taken."tradeId" and guard.leg = taken.leg
        and guard.kind = taken.kind
    `.execute(tx);
  });
}

/**
 * Writes what has changed since the last time and how far each symbol was seen, with a record for each stop that moved,
 * under the lease: throws `WATCH_LEASE_LOST` when another watch has the shard. A guard that was amended, triggered or
 * disarmed meanwhile is left as it is, and so is the cursor of its symbol. Returns the ids of the guards it has written.
 */
export async function checkpointGuards(
  db: Db,
  checkpoint: ShardLease & {
    readonly cursors: readonly { readonly symbol: string; readonly venueTradeId: number }[];
    readonly changes: readonly GuardCheckpoint[];
    readonly nowMs: number;
  },
): Promise<ReadonlySet<string>> {
  const { cursors, changes, nowMs } = checkpoint;
  if (cursors.length === 0 && changes.length === 0) return new Set();
  return db.transaction().execute(async (tx) => {
    await holdLease(tx, checkpoint);
    const written = await writeStates(tx, checkpoint);
    await moveCursors(tx, checkpoint, written);
    const applied = changes.flatMap((change) => {
      const before = written.get(change.row.id);
      return before === undefined ? [] : [{ ...change, before }];
    });
    await recordAll(
      tx,
      applied.filter(isWorthRecording).map((change) => moveRecord(change, nowMs)),
    );
    const told = applied.filter(({ tell }) => tell);
    const heldAtVenue = await heldAtVenueOf(tx, told);
    await enqueue(
      tx,
      told.flatMap(({ row, guard }) =>
        guardChangedMessages(row.tradeId, guard, row.version, heldAtVenue.has(row.tradeId)),
      ),
      nowMs,
    );
    return new Set(written.keys());
  });
}

/** The exit goes first: what the lifecycles do when they are told would stand in its way to the venue. */
const tellAfterMs = 100;

type TriggerOutcome = {
  /** `already`: the trade is on its way out, or this guard has triggered before. `over`: there is nothing to leave. */
  readonly outcome: 'triggered' | 'already' | 'over';
};

/**
 * Commits a trigger with the exit it asks for, its record, and the messages that start the exit and tell the
 * lifecycles: all or nothing. A trigger of an older version counts: the price was there.
 */
export function commitTrigger(
  db: Db,
  trigger: ShardLease & {
    readonly row: ArmedGuard;
    readonly guard: Guard;
    readonly trade: { readonly venueTradeId: number; readonly price: Decimal; readonly tradedAtMs: number };
    readonly nowMs: number;
  },
): Promise<TriggerOutcome> {
  const { row, guard, trade: seen, nowMs } = trigger;
  return db.transaction().execute(async (tx) => {
    const trade = await lockTrade(tx, row.tradeId);
    await holdLease(tx, trigger);
    const armed = await findGuard(tx, row);
    if (trade === undefined || armed === undefined) return { outcome: 'over' };
    if (armed.triggered_at_ms !== null) return { outcome: 'already' };
    const cause = { kind: row.kind, version: row.version, price: seen.price, venueTradeId: String(seen.venueTradeId) };
    const opened = await openExit(tx, trade, {
      reason: row.kind,
      source: 'marketWatch',
      trigger: { ...cause, tradedAtMs: seen.tradedAtMs },
      nowMs,
    });
    if (opened !== 'requested') return { outcome: opened === 'already' ? 'already' : 'over' };
    await latch(tx, armed, trigger);
    await record(tx, {
      type: 'StopTriggered',
      key: [row.id],
      tradeId: row.tradeId,
      atMs: nowMs,
      actor: { type: 'system', id: 'marketWatch' },
      data: { ...cause, leg: row.leg, symbol: row.symbol, tradedAtMs: seen.tradedAtMs, state: guard.state },
    });
    const told = { price: seen.price, venueTradeId: cause.venueTradeId, atMs: seen.tradedAtMs };
    const isHeldAtVenue = trade.request.exit.protectiveStop !== undefined;
    const messages = guardChangedMessages(row.tradeId, guard, armed.version, isHeldAtVenue, told);
    await enqueue(tx, messages, nowMs, nowMs + tellAfterMs);
    return { outcome: 'triggered' };
  });
}

// The cursor speaks for a guard only if it was written after the watch had taken that guard up: see covered_from.
function seenUpTo(row: GuardRow, cursor: number | null): number {
  const isCovered = cursor !== null && row.covered_from !== null && cursor > row.covered_from;
  return isCovered ? Math.max(row.since_venue_trade_id, cursor) : row.since_venue_trade_id;
}

/** Of the trades of these guards, those whose stop is held at the venue as well. */
async function heldAtVenueOf(tx: Tx, changes: readonly GuardCheckpoint[]): Promise<ReadonlySet<string>> {
  if (changes.length === 0) return new Set();
  const ids = changes.map(({ row }) => row.tradeId);
  const rows = await tx
    .selectFrom('trade')
    .select('trade_id')
    .where('trade_id', 'in', ids)
    .where(sql<boolean>`request -> 'exit' ? 'protectiveStop'`)
    .execute();
  return new Set(rows.map(({ trade_id }) => trade_id));
}

const recordset = (rows: readonly object[]) => sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)`;

type Checkpoint = Parameters<typeof checkpointGuards>[1];

async function moveCursors(
  tx: Tx,
  { shard, cursors, changes, nowMs }: Checkpoint,
  written: ReadonlyMap<string, Guard>,
): Promise<void> {
  // The book does not have what an amended guard went through: whoever takes over must see those trades again.
  const leftBehind = new Set(changes.filter(({ row }) => !written.has(row.id)).map(({ row }) => row.symbol));
  const moved = cursors.filter(({ symbol }) => !leftBehind.has(symbol));
  if (moved.length === 0) return;
  await tx
    .insertInto('watch_cursor')
    .values(
      moved.map(({ symbol, venueTradeId }) => ({
        shard,
        symbol,
        venue_trade_id: venueTradeId,
        observed_at_ms: nowMs,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['shard', 'symbol']).doUpdateSet((eb) => ({
        venue_trade_id: eb.ref('excluded.venue_trade_id'),
        observed_at_ms: eb.ref('excluded.observed_at_ms'),
      })),
    )
    .execute();
}

/** The states before, by guard, of those that were written. */
async function writeStates(tx: Tx, { shard, changes }: Checkpoint): Promise<ReadonlyMap<string, Guard>> {
  if (changes.length === 0) return new Map();
  const wanted = changes.map(({ row: { tradeId, leg, kind, version }, guard, seenVenueTradeId }) => ({
    tradeId,
    leg,
    kind,
    version,
    state: guard.state,
    seen: seenVenueTradeId,
  }));
  const { rows } = await sql<Pick<GuardRow, 'trade_id' | 'leg' | 'kind' | 'terms' | 'state'>>`
    with wanted as (
      select * from ${recordset(wanted)}
        as w ("tradeId" text, leg smallint, kind text, version integer, state jsonb, seen bigint)
    ), before as (
      select g.trade_id, g.leg, g.kind, g.terms, g.state, w.state as state_after, w.seen
      from guard g join wanted w on g.trade_id = w."tradeId" and g.leg = w.leg and g.kind = w.kind
      where g.shard = ${shard} and g.version = w.version and g.disarmed_at_ms is null and g.triggered_at_ms is null
      order by g.trade_id, g.leg, g.kind for no key update of g
    )
    update guard set state = before.state_after,
      since_venue_trade_id = greatest(guard.since_venue_trade_id, before.seen)
    from before
    where guard.trade_id = before.trade_id and guard.leg = before.leg and guard.kind = before.kind
    returning before.trade_id, before.leg, before.kind, before.terms, before.state
  `.execute(tx);
  return new Map(rows.map((row) => [guardIdOf({ tradeId: row.trade_id, leg: row.leg, kind: row.kind }), guardOf(row)]));
}

type AppliedChange = GuardCheckpoint & { readonly before: Guard };

const stopPriceOf = (guard: Guard): Decimal | null =>
  guard.kind === 'trailingStop' ? guard.state.stopPrice : guard.terms.price;

// A better price that moves no stop is kept in the row and is no event.
const isWorthRecording = ({ activated, before, guard }: AppliedChange): boolean =>
  activated || stopPriceOf(before) !== stopPriceOf(guard);

const moveRecord = (
  { row, guard, before, activated, seenVenueTradeId }: AppliedChange,
  nowMs: number,
): AuditRecord => ({
  type: activated ? 'StopActivated' : 'StopMoved',
  key: [row.id, row.version, seenVenueTradeId],
  tradeId: row.tradeId,
  atMs: nowMs,
  actor: { type: 'system', id: 'marketWatch' },
  data: {
    leg: row.leg,
    kind: row.kind,
    symbol: row.symbol,
    version: row.version,
    from: stopPriceOf(before),
    stopPrice: stopPriceOf(guard),
    venueTradeId: String(seenVenueTradeId),
    state: guard.state,
  },
});

const latch = (tx: Tx, armed: GuardRow, { guard, trade, nowMs }: Parameters<typeof commitTrigger>[1]) =>
  tx
    .updateTable('guard')
    .set({
      state: JSON.stringify(guard.state),
      since_venue_trade_id: Math.max(armed.since_venue_trade_id, trade.venueTradeId),
      triggered_at_ms: nowMs,
      triggered_price: trade.price,
    })
    .where('trade_id', '=', armed.trade_id)
    .where('leg', '=', armed.leg)
    .where('kind', '=', armed.kind)
    .execute();
