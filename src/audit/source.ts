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

/** Small pages, several at a time: one large answer would fill the socket and stall the database. */
const page = 1_000;
const pagesAhead = 4;
const checkpointPage = 5_000;

/**
 * The log of a database and its checkpoints outside, as they are now. Records that come later are left out.
 *
 * @throws RatchetError AUDIT_CHECKPOINT_UNREADABLE, and what the database refuses
 */
export async function auditSourceOf(options: {
  readonly db: Db;
  readonly checkpointDir: string;
  /** Checkpoints that were kept somewhere else as well. */
  readonly otherNotes?: readonly string[];
}): Promise<AuditSource> {
  const { db, checkpointDir, otherNotes = [] } = options;
  const externalNotes = [...(await readNotes(checkpointDir)), ...otherNotes];
  const storedCheckpoints = await allCheckpoints(db);
  const unsealed = await countUnsealed(db);
  const head = await readHead(db);
  return { externalNotes, storedCheckpoints, unsealed, head, records: recordsBetween(db, 0, head.seq) };
}

async function allCheckpoints(db: Db): Promise<readonly StoredCheckpoint[]> {
  const all: StoredCheckpoint[] = [];
  for (let more = true; more; ) {
    const some = await readCheckpoints(db, all.at(-1)?.tree.size ?? -1, checkpointPage);
    all.push(...some);
    more = some.length === checkpointPage;
  }
  return all;
}

// Some pages ahead, so that the database reads while this process hashes.
async function* recordsBetween(db: Db, afterSeq: number, upToSeq: number): AsyncGenerator<readonly SealedRecord[]> {
  const coming: { readonly lastSeq: number; readonly records: Promise<readonly SealedRecord[]> }[] = [];
  let askedUpTo = afterSeq;
  const ask = (): void => {
    if (askedUpTo >= upToSeq) return;
    const lastSeq = Math.min(askedUpTo + page, upToSeq);
    const records = readSealed(db, askedUpTo, lastSeq);
    // A failure is met where it is awaited; until then it must not count as unhandled.
    records.catch(() => undefined);
    coming.push({ lastSeq, records });
    askedUpTo = lastSeq;
  };
  for (let i = 0; i < pagesAhead; i++) ask();
  for (let next = coming.shift(); next !== undefined; next = coming.shift()) {
    const records = await next.records;
    if (records.length === 0) {
      // Records are missing, perhaps for millions of numbers: go on where there are some again.
      const found = await readNextSeq(db, next.lastSeq);
      if (found !== undefined && found <= upToSeq) yield* recordsBetween(db, found - 1, upToSeq);
      return;
    }
    ask();
    yield records;
  }
}
