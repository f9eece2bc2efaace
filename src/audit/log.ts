import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db, Tx } from '../store/database.ts';
import type { Digest, Tree } from './chain.ts';

/** A record with its place in the chain, as it is stored. */
export type SealedRecord = {
  readonly seq: number;
  readonly eventType: string;
  readonly tradeId: string | null;
  readonly eventId: string;
  /** Its place in the order of insertion: it rises whatever any clock does. */
  readonly insertNo: number;
  /** When the database took it, by its own clock: RFC 3339 in UTC, with microseconds. */
  readonly recordedAt: string;
  /** The text that is hashed. */
  readonly body: string;
  readonly prev: Digest;
  readonly leaf: Digest;
  readonly hash: Digest;
};

/** A checkpoint in the database: what it claims, and what is needed to go on from it. */
export type StoredCheckpoint = {
  readonly tree: Tree;
  readonly root: Digest;
  readonly chain: Digest;
  readonly note: string;
};

/** The end of the chain. `lastSeq` is what the table has, `seq` what the head row says; they never differ by themselves. */
export type Head = { readonly seq: number; readonly hash: Digest; readonly lastSeq: number };

/** How long the oldest has been waiting: for its place in the chain, and in it for a checkpoint. Null = none waits. */
export type Waiting = { readonly unsealedMs: number | null; readonly uncoveredMs: number | null };

/**
 * Gives up to `limit` committed records their place. Returns how many; 0 also when another process is at it. `onSent` is
 * called when the statement is on its way and its answer is not here.
 */
export async function sealRecords(db: Db, limit: number, onSent: () => void = () => undefined): Promise<number> {
  const statement = sql<{ sealed: number }>`select seal_events(${limit}) as sealed`;
  return await db.connection().execute(async (connection) => {
    // With a connection at hand the bytes leave within this turn of the event loop, and answers are read in another.
    const [{ rows }] = await Promise.all([statement.execute(connection), setImmediate().then(onSent)]);
    return rows[0]?.sealed ?? 0;
  });
}

/** What there is to do. Read by the database's own clock, the one that stamped the records. */
export async function readWaiting(db: Db): Promise<Waiting> {
  const { rows } = await sql<Waiting>`
    select ${ageMs(sql`select recorded_at from audit_event where seq is null order by insert_no limit 1`)} as "unsealedMs",
           ${ageMs(sql`select recorded_at from audit_event
                       where seq = coalesce((select max(size) from audit_checkpoint), 0) + 1`)} as "uncoveredMs"`.execute(
    db,
  );
  return rows[0] ?? { unsealedMs: null, uncoveredMs: null };
}

const ageMs = (moment: ReturnType<typeof sql>) =>
  sql`(extract(epoch from clock_timestamp() - (${moment})) * 1000)::double precision`;

/** The newest record of all, sealed or not; 0 when there is none. */
export async function readNewestInsertNo(db: Db): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`select max(insert_no) as newest from audit_event`.execute(db);
  return rows[0]?.newest ?? 0;
}

/** Records up to this one that have no place in the chain yet. */
export async function countUnsealed(db: Db, upToInsertNo?: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from audit_event
    where seq is null and (${upToInsertNo ?? null}::bigint is null or insert_no <= ${upToInsertNo ?? null})`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/**
 * The sealed records with numbers above `afterSeq` up to `upToSeq`, in their order. The range is what bounds it: with
 * a `limit` over an open range the planner may sort the whole rest of the log for each page.
 */
export async function readSealed(db: Db | Tx, afterSeq: number, upToSeq: number): Promise<readonly SealedRecord[]> {
  // The three digests come as one column of bytes: writing them as text in the database costs more than all the rest.
  const { rows } = await sql<Omit<SealedRecord, 'prev' | 'leaf' | 'hash'> & { digests: Buffer }>`
    select seq, event_type as "eventType", trade_id as "tradeId", event_id as "eventId", insert_no as "insertNo",
           to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "recordedAt", body,
           coalesce(prev, '') || coalesce(leaf, '') || coalesce(hash, '') as digests
    from audit_event where seq > ${afterSeq} and seq <= ${upToSeq} order by seq`.execute(db);
  // Property by property: spread into one, they would be objects that are slow to read.
  return rows.map(({ seq, eventType, tradeId, eventId, insertNo, recordedAt, body, digests }) => {
    const hex = digests.toString('hex');
    const [prev, leaf, hash] = [hex.slice(0, 64), hex.slice(64, 128), hex.slice(128)];
    return { seq, eventType, tradeId, eventId, insertNo, recordedAt, body, prev, leaf, hash };
  });
}

/** The first number above `seq` that a record has. */
export async function readNextSeq(db: Db, seq: number): Promise<number | undefined> {
  const { rows } = await sql<{ next: number | null }>`
    select min(seq) as next from audit_event where seq > ${seq}`.execute(db);
  return rows[0]?.next ?? undefined;
}

export async function readHead(db: Db | Tx): Promise<Head> {
  const { rows } = await sql<Head>`
    select seq, encode(hash, 'hex') as hash, coalesce((select max(seq) from audit_event), 0) as "lastSeq"
    from audit_head where log_id = 'ratchet'`.execute(db);
  return rows[0] ?? { seq: 0, hash: '', lastSeq: 0 };
}

const checkpointColumns = sql`size, encode(root, 'hex') as root, encode(head_hash, 'hex') as chain, note,
  array(select encode(peak, 'hex') from unnest(peaks) with ordinality as u(peak, place) order by place) as peaks`;

type CheckpointRow = { size: number; root: Digest; chain: Digest; note: string; peaks: Digest[] };

export async function readNewestCheckpoint(db: Db | Tx): Promise<StoredCheckpoint | undefined> {
  const { rows } = await sql<CheckpointRow>`
    select ${checkpointColumns} from audit_checkpoint order by size desc limit 1`.execute(db);
  return rows.map(storedCheckpoint)[0];
}

/** Checkpoints of more than `afterSize` records, smallest first. */
export async function readCheckpoints(db: Db, afterSize: number, limit: number): Promise<readonly StoredCheckpoint[]> {
  const { rows } = await sql<CheckpointRow>`
    select ${checkpointColumns} from audit_checkpoint where size > ${afterSize} order by size limit ${limit}`.execute(
    db,
  );
  return rows.map(storedCheckpoint);
}

const storedCheckpoint = ({ size, peaks, ...rest }: CheckpointRow): StoredCheckpoint => ({
  tree: { size, peaks },
  ...rest,
});

/** `keptIn` is the id of the folder that has the note already. */
export async function storeCheckpoint(
  tx: Tx,
  { tree, root, chain, note }: StoredCheckpoint,
  keptIn: string,
): Promise<void> {
  await sql`
    insert into audit_checkpoint (size, root, head_hash, peaks, note, kept_in)
    values (${tree.size}, ${bytes(root)}, ${bytes(chain)}, ${tree.peaks.map(bytes)}, ${note}, ${keptIn})`.execute(tx);
}

/** The newest checkpoint that the folder of this id has confirmed. */
export async function readNewestKeptIn(
  db: Db,
  folderId: string,
): Promise<{ readonly size: number; readonly note: string } | undefined> {
  const { rows } = await sql<{ size: number; note: string }>`
    select size, note from audit_checkpoint where kept_in = ${folderId} order by size desc limit 1`.execute(db);
  return rows[0];
}

const bytes = (digest: Digest): Buffer => Buffer.from(digest, 'hex');

/**
 * Whether this transaction is the only one of all processes that signs; asked, never waited for. It may idle longer
 * than others, because it waits for a disk and holds nothing that anybody else waits for.
 */
export async function claimSigning(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ claimed: boolean }>`
    select pg_try_advisory_xact_lock(${signingLockKey}::bigint) as claimed,
           set_config('idle_in_transaction_session_timeout', '10s', true)`.execute(tx);
  return rows[0]?.claimed ?? false;
}

/** Beside the holds' 7233001. */
const signingLockKey = 7_233_002;
