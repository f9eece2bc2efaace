import { sql } from 'kysely';
import { RatchetError } from '../../domain/errors.ts';
import type { Db, Tx } from '../database.ts';

/** The right to write for a shard: that of the latest attempt of its watch, and no other. */
export type ShardLease = { readonly shard: string; readonly epoch: number };

/**
 * Takes the shard over: from now on nothing that an earlier attempt writes is accepted. Returns the new epoch, which
 * goes with every write.
 */
export async function takeShard(
  db: Db,
  take: { readonly shard: string; readonly holder: string; readonly leaseUntilMs: number },
): Promise<number> {
  const row = await db
    .insertInto('watch_shard')
    .values({ shard: take.shard, watch_epoch: 1, holder: take.holder, lease_until_ms: take.leaseUntilMs })
    .onConflict((conflict) =>
      conflict.column('shard').doUpdateSet((eb) => ({
        watch_epoch: eb(eb.ref('watch_shard.watch_epoch'), '+', 1),
        holder: eb.ref('excluded.holder'),
        lease_until_ms: eb.ref('excluded.lease_until_ms'),
      })),
    )
    .returning('watch_epoch')
    .executeTakeFirstOrThrow();
  return row.watch_epoch;
}

/** Says that somebody still watches. Throws `WATCH_LEASE_LOST` when it is somebody else. */
export async function renewLease(db: Db, lease: ShardLease & { readonly leaseUntilMs: number }): Promise<void> {
  const renewed = await db
    .updateTable('watch_shard')
    .set({ lease_until_ms: lease.leaseUntilMs })
    .where('shard', '=', lease.shard)
    .where('watch_epoch', '=', lease.epoch)
    .returning('shard')
    .executeTakeFirst();
  if (renewed === undefined) throw leaseLost(lease);
}

/**
 * Ends the watch when nothing is armed. Arming locks the same row, so that nothing is armed into a watch that is
 * leaving. Returns whether it may end.
 */
export function leaveShard(db: Db, lease: ShardLease): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('watch_shard')
      .select('watch_epoch')
      .where('shard', '=', lease.shard)
      .forUpdate()
      .executeTakeFirst();
    if (row?.watch_epoch !== lease.epoch) throw leaseLost(lease);
    if (await isAnythingArmed(tx, lease.shard)) return false;
    await tx
      .updateTable('watch_shard')
      .set({ lease_until_ms: 0, holder: null })
      .where('shard', '=', lease.shard)
      .execute();
    return true;
  });
}

/** Keeps the lease from being taken over until the transaction ends; throws `WATCH_LEASE_LOST` if it has been. */
export async function holdLease(tx: Tx, lease: ShardLease): Promise<void> {
  const { rows } = await sql`
    select 1 from watch_shard where shard = ${lease.shard} and watch_epoch = ${lease.epoch} for share
  `.execute(tx);
  if (rows.length === 0) throw leaseLost(lease);
}

/** A shard with armed guards that nobody has watched for a while: positions without eyes. */
type UnwatchedShard = { readonly shard: string; readonly armed: number; readonly sinceMs: number };

/** Shards whose lease ran out `graceMs` ago or more, counted from the arming where there never was one. */
export async function guardsWithoutLease(db: Db, nowMs: number, graceMs = 5_000): Promise<readonly UnwatchedShard[]> {
  const { rows } = await sql<UnwatchedShard>`
    select shard, count(*) as armed, greatest(lease_until_ms, min(armed_at_ms)) as "sinceMs"
    from guard join watch_shard using (shard)
    where disarmed_at_ms is null and triggered_at_ms is null
    group by shard, lease_until_ms
    having greatest(lease_until_ms, min(armed_at_ms)) + ${graceMs} <= ${nowMs}
    order by shard
  `.execute(db);
  return rows;
}

async function isAnythingArmed(tx: Tx, shard: string): Promise<boolean> {
  const armed = await tx
    .selectFrom('guard')
    .select('trade_id')
    .where('shard', '=', shard)
    .where('disarmed_at_ms', 'is', null)
    .where('triggered_at_ms', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return armed !== undefined;
}

const leaseLost = ({ shard, epoch }: ShardLease): RatchetError =>
  new RatchetError('WATCH_LEASE_LOST', { shard, epoch });
