import { RatchetError } from '../domain/errors.ts';
import type { Db } from '../store/database.ts';
import { type Checkpoint, type PublicKey, readCheckpoint } from './checkpoint.ts';
import { readNewestNotes } from './checkpoint-files.ts';
import { readHead, readSealed } from './log.ts';

/**
 * The check before anything starts: the database must have every record that a checkpoint outside of it covers, and
 * the same one at its end. A restored backup, a fail-over that lost its newest commits, and a cut table all fail here.
 *
 * @throws RatchetError AUDIT_TAIL_LOST with the missing range, AUDIT_CHAIN_BROKEN, AUDIT_CHECKPOINT_UNTRUSTED,
 * AUDIT_CHECKPOINT_UNREADABLE
 */
export async function checkTail(options: {
  readonly db: Db;
  readonly checkpointDir: string;
  readonly publicKey: PublicKey;
}): Promise<void> {
  const newest = newestOf(await readNewestNotes(options.checkpointDir), options.publicKey);
  if (newest === undefined) return;

  const { lastSeq } = await readHead(options.db);
  if (lastSeq < newest.size) {
    throw new RatchetError('AUDIT_TAIL_LOST', { firstMissingSeq: lastSeq + 1, lastMissingSeq: newest.size });
  }
  const [record] = await readSealed(options.db, newest.size - 1, newest.size);
  if (record?.hash !== newest.chain) throw new RatchetError('AUDIT_CHAIN_BROKEN', { lastSeqOfCheckpoint: newest.size });
}

// Only the one that counts is checked here: a day has tens of thousands of them, and `audit verify` reads them all.
function newestOf(notes: readonly string[], publicKey: PublicKey): Checkpoint | undefined {
  const newest = notes.reduce<string | undefined>(
    (best, note) => (best === undefined || claimedSize(note) > claimedSize(best) ? note : best),
    undefined,
  );
  if (newest === undefined) return undefined;
  const read = readCheckpoint(newest, publicKey);
  if (read.outcome === 'trusted') return read.checkpoint;
  const code = read.outcome === 'untrusted' ? 'AUDIT_CHECKPOINT_UNTRUSTED' : 'AUDIT_CHECKPOINT_UNREADABLE';
  throw new RatchetError(code, { problem: read.problem });
}

const claimedSize = (note: string): number => Number(note.split('\n')[1]);
