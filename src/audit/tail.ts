import { RatchetError } from '../domain/errors.ts';
import type { Db } from '../store/database.ts';
import { type Checkpoint, type PublicKey, readCheckpoint } from './checkpoint.ts';
import { hasNote, readNewestNotes } from './checkpoint-files.ts';
import { findFolderId } from './folder-id.ts';
import { readHead, readNewestKeptIn, readSealed } from './log.ts';

/**
 * The check before anything starts: the database must have every record that a checkpoint outside of it covers, and
 * the same one at its end. A restored backup, a fail-over that lost its newest commits, and a cut table all fail here.
 *
 * And the folder outside must still have what it has confirmed: a line that a crash cut off was never confirmed, and one
 * that was is the witness of a second place which nobody may take away.
 *
 * @throws RatchetError AUDIT_TAIL_LOST with the missing range, AUDIT_CHAIN_BROKEN, AUDIT_CHECKPOINT_UNTRUSTED,
 * AUDIT_CHECKPOINT_UNREADABLE, AUDIT_CHECKPOINT_LOST
 */
export async function checkTail(options: {
  readonly db: Db;
  readonly checkpointDir: string;
  readonly publicKey: PublicKey;
}): Promise<void> {
  await checkKept(options);
  const newest = newestOf(await readNewestNotes(options.checkpointDir), options.publicKey);
  if (newest === undefined) return;

  const { lastSeq } = await readHead(options.db);
  if (lastSeq < newest.size) {
    throw new RatchetError('AUDIT_TAIL_LOST', { firstMissingSeq: lastSeq + 1, lastMissingSeq: newest.size });
  }
  const [record] = await readSealed(options.db, newest.size - 1, newest.size);
  if (record?.hash !== newest.chain) throw new RatchetError('AUDIT_CHAIN_BROKEN', { lastSeqOfCheckpoint: newest.size });
}

async function checkKept({ db, checkpointDir }: { readonly db: Db; readonly checkpointDir: string }): Promise<void> {
  const folderId = findFolderId(checkpointDir);
  const kept = folderId === undefined ? undefined : await readNewestKeptIn(db, folderId);
  if (kept === undefined || (await hasNote(checkpointDir, kept.note))) return;
  throw new RatchetError('AUDIT_CHECKPOINT_LOST', { folder: checkpointDir, size: kept.size });
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
