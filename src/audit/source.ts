import type { Db } from '../store/database.ts';
import { readNotes } from './checkpoint-files.ts';
import {
  countUnsealed,
  readCheckpoints,
  readHead,
  readNextSeq,
  readSealed,
  type SealedRecord,
  type StoredCheckpoint,
} from './log.ts';
import type { AuditSource } from './verify.ts';

const page = 5_000;

/**
 * The log of a database and its checkpoints outside, as they are now. Records that come later are left out.
 *
 * @throws RatchetError AUDIT_CHECKPOINT_UNREADABLE, and what the database refuses
 */
export async function auditSourceOf(options: {
  readonly db: Db;
  readonly checkpointDir: string;
}): Promise<AuditSource> {
  const { db, checkpointDir } = options;
  const externalNotes = await readNotes(checkpointDir);
  const storedCheckpoints = await allCheckpoints(db);
  const unsealed = await countUnsealed(db);
  const head = await readHead(db);
  return { externalNotes, storedCheckpoints, unsealed, head, records: recordsUpTo(db, head.seq) };
}

async function allCheckpoints(db: Db): Promise<readonly StoredCheckpoint[]> {
  const all: StoredCheckpoint[] = [];
  for (let more = true; more; ) {
    const some = await readCheckpoints(db, all.at(-1)?.tree.size ?? -1, page);
    all.push(...some);
    more = some.length === page;
  }
  return all;
}

// One page ahead, so that the database reads while this process hashes.
async function* recordsUpTo(db: Db, upToSeq: number): AsyncGenerator<readonly SealedRecord[]> {
  const read = (afterSeq: number) => {
    const records = readSealed(db, afterSeq, Math.min(afterSeq + page, upToSeq));
    // A failure is met where it is awaited; until then it must not count as unhandled.
    records.catch(() => undefined);
    return records;
  };
  let afterSeq = 0;
  let coming = read(afterSeq);
  while (afterSeq < upToSeq) {
    const records = await coming;
    afterSeq += page;
    // Records may be missing for longer than a page.
    if (records.length === 0) afterSeq = ((await readNextSeq(db, afterSeq)) ?? Number.POSITIVE_INFINITY) - 1;
    if (afterSeq < upToSeq) coming = read(afterSeq);
    yield records;
  }
}
