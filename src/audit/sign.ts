import { RatchetError } from '../domain/errors.ts';
import type { Db, Tx } from '../store/database.ts';
import { emptyTree, grow, leafOf, linkOf, origin, rootOf, type Tree } from './chain.ts';
import { readCheckpoint, type SigningKey, signCheckpoint } from './checkpoint.ts';
import { appendNote } from './checkpoint-files.ts';
import { publicKeyOf } from './keys.ts';
import { claimSigning, readNewestCheckpoint, readSealed, type SealedRecord, storeCheckpoint } from './log.ts';

type Signing = {
  readonly db: Db;
  readonly key: SigningKey;
  readonly checkpointDir: string;
  /** The largest checkpoint this process has seen: the database may not fall behind it. */
  readonly seenSize: number;
  readonly crashPoint?: (name: 'afterCheckpointFile') => void;
};

/** `more` = the checkpoint does not reach the end of the chain yet. `busy` = another process is signing. */
type Signed =
  | { readonly outcome: 'signed'; readonly size: number; readonly note: string; readonly more: boolean }
  | { readonly outcome: 'nothing-new'; readonly size: number; readonly note: string | undefined }
  | { readonly outcome: 'busy' };

/** So many records are read and checked before one checkpoint, which is well within a statement's 2 seconds. */
const recordsMax = 5_000;

/**
 * Signs a checkpoint over the records since the last one, and keeps it outside the database before the database has
 * it. Every record is checked on the way: a chain that does not hold is never signed.
 *
 * @throws RatchetError AUDIT_CHAIN_BROKEN, AUDIT_TAIL_LOST, AUDIT_CHECKPOINT_UNTRUSTED, AUDIT_CHECKPOINT_NOT_WRITTEN,
 * AUDIT_CHECKPOINT_NO_SPACE
 */
export async function signNext(signing: Signing): Promise<Signed> {
  return await signing.db.transaction().execute(async (tx) => {
    if (!(await claimSigning(tx))) return { outcome: 'busy' };
    const { tree, chain, note: lastNote } = await trustedStart(tx, signing);
    const records = await readSealed(tx, tree.size, tree.size + recordsMax);
    const last = checked(records, tree.size, chain);
    if (last === undefined) return { outcome: 'nothing-new', size: tree.size, note: lastNote };

    const grown = grow(
      tree,
      records.map(({ leaf }) => leaf),
    );
    const root = rootOf(grown);
    const note = signCheckpoint({ origin: signing.key.name, size: grown.size, root, chain: last.hash }, signing.key);
    const folderId = await appendNote(signing.checkpointDir, note, Date.now());
    signing.crashPoint?.('afterCheckpointFile');
    await storeCheckpoint(tx, { tree: grown, root, chain: last.hash, note }, folderId);
    return { outcome: 'signed', size: grown.size, note, more: records.length === recordsMax };
  });
}

// The stored peaks are only believed where they make the root that our own key signed.
async function trustedStart(
  tx: Tx,
  { key, seenSize }: Signing,
): Promise<{ readonly tree: Tree; readonly chain: string; readonly note?: string }> {
  const newest = await readNewestCheckpoint(tx);
  const size = newest?.tree.size ?? 0;
  if (size < seenSize)
    throw new RatchetError('AUDIT_TAIL_LOST', { firstMissingSeq: size + 1, lastMissingSeq: seenSize });
  if (newest === undefined) return { tree: emptyTree, chain: origin };

  const read = readCheckpoint(newest.note, publicKeyOf(key));
  if (read.outcome !== 'trusted') throw new RatchetError('AUDIT_CHECKPOINT_UNTRUSTED', { size, problem: read.problem });
  const { checkpoint } = read;
  if (checkpoint.size !== size || checkpoint.root !== rootOf(newest.tree) || checkpoint.origin !== key.name) {
    throw new RatchetError('AUDIT_CHECKPOINT_UNTRUSTED', {
      size,
      problem: 'its row says something else than its note',
    });
  }
  return { tree: newest.tree, chain: checkpoint.chain, note: newest.note };
}

function checked(records: readonly SealedRecord[], afterSeq: number, afterHash: string): SealedRecord | undefined {
  let seq = afterSeq;
  let hash = afterHash;
  for (const record of records) {
    seq += 1;
    const holds =
      record.seq === seq &&
      record.prev === hash &&
      record.leaf === leafOf(record.body) &&
      record.hash === linkOf(seq, hash, record.leaf);
    if (!holds) throw new RatchetError('AUDIT_CHAIN_BROKEN', { firstBadSeq: seq });
    hash = record.hash;
  }
  return records.at(-1);
}
