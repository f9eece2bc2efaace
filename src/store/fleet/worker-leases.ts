import { sql } from 'kysely';
import type { Db } from '../database.ts';

/** A worker as the others see it. Payload keys are known by their fingerprints. */
export type WorkerSelf = {
  readonly worker: string;
  readonly build: string;
  /** The key that its payloads are encrypted with; null where they are plain. */
  readonly writesKey: string | null;
  readonly readsKeys: readonly string[];
};

export type LeaseOutcome =
  | { readonly outcome: 'held'; readonly otherBuilds: readonly WorkerSelf[] }
  /** Another build is at work, and only one may be. */
  | { readonly outcome: 'other-build'; readonly other: WorkerSelf }
  /** One of the two could not read what the other one writes. */
  | { readonly outcome: 'key-missing'; readonly other: WorkerSelf; readonly key: string };

/**
 * Says for `leaseMs` that this worker lives, unless it may not work beside those that do: then nothing is said. One at a
 * time, so that of two builds that start at the same moment one sees the other.
 */
export function holdWorkerLease(
  db: Db,
  self: WorkerSelf,
  { leaseMs, singleBuild }: { readonly leaseMs: number; readonly singleBuild: boolean },
): Promise<LeaseOutcome> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext('worker_lease'))`.execute(tx);
    await tx.deleteFrom('worker_lease').where('leased_until', '<=', sql<Date>`clock_timestamp()`).execute();
    const rows = await tx
      .selectFrom('worker_lease')
      .selectAll()
      .where('worker', '<>', self.worker)
      .orderBy('worker')
      .execute();
    const others = rows.map(({ worker, build, writes_key, reads_keys }) => ({
      worker,
      build,
      writesKey: writes_key,
      readsKeys: reads_keys,
    }));
    const otherBuilds = others.filter(({ build }) => build !== self.build);
    const [other] = otherBuilds;
    if (singleBuild && other !== undefined) return { outcome: 'other-build', other };
    const unread = others.flatMap((each) => unreadBetween(self, each));
    if (unread[0] !== undefined) return unread[0];
    await upsert(self, leaseMs).execute(tx);
    return { outcome: 'held', otherBuilds };
  });
}

/** Gives the lease back: the next build need not wait for its end. */
export async function leaveWorkerLease(db: Db, worker: string): Promise<void> {
  await db.deleteFrom('worker_lease').where('worker', '=', worker).execute();
}

function unreadBetween(
  self: WorkerSelf,
  other: WorkerSelf,
): readonly Extract<LeaseOutcome, { outcome: 'key-missing' }>[] {
  const unread = [
    ...(other.writesKey === null || self.readsKeys.includes(other.writesKey) ? [] : [other.writesKey]),
    ...(self.writesKey === null || other.readsKeys.includes(self.writesKey) ? [] : [self.writesKey]),
  ];
  return unread.map((key) => ({ outcome: 'key-missing', other, key }));
}

const upsert = ({ worker, build, writesKey, readsKeys }: WorkerSelf, leaseMs: number) => sql`
  insert into worker_lease (worker, build, writes_key, reads_keys, leased_until)
  values (${worker}, ${build}, ${writesKey}, ${[...readsKeys]}, clock_timestamp() + ${leaseMs} * interval '1 ms')
  on conflict (worker) do update
    set build = excluded.build, writes_key = excluded.writes_key, reads_keys = excluded.reads_keys,
        leased_until = excluded.leased_until
`;
