import type { Digest } from './chain.ts';
import { type Checkpoint, type PublicKey, readCheckpoint } from './checkpoint.ts';
import type { Finding } from './finding.ts';
import type { StoredCheckpoint } from './log.ts';

type Kept = { readonly storedCheckpoints: readonly StoredCheckpoint[]; readonly externalNotes: readonly string[] };

/** A checkpoint whose signature holds, with the peaks that the database keeps for it. */
export type Claim = { readonly checkpoint: Checkpoint; readonly peaks?: readonly Digest[] };

/** Every distinct trusted checkpoint, by size. Two of one size with different roots are two: a fork shows as one that fails. */
export function readClaims(kept: Kept, publicKey: PublicKey, findings: Finding[]): readonly Claim[] {
  const claims = new Map<string, Claim>();
  for (const stored of kept.storedCheckpoints) {
    const checkpoint = trusted(stored.note, publicKey, stored.tree.size, findings);
    if (checkpoint === undefined) continue;
    const { size, root, chain } = checkpoint;
    if (size !== stored.tree.size || root !== stored.root || chain !== stored.chain) {
      findings.push({
        kind: 'tampered',
        seq: size,
        problem: `the row of checkpoint ${size} says something else than its note`,
      });
    }
    claims.set(stored.note, { checkpoint, peaks: stored.tree.peaks });
  }
  for (const note of kept.externalNotes) {
    if (claims.has(note)) continue;
    const checkpoint = trusted(note, publicKey, 0, findings);
    if (checkpoint !== undefined) claims.set(note, { checkpoint });
  }
  return [...claims.values()].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
}

function trusted(note: string, publicKey: PublicKey, seq: number, findings: Finding[]): Checkpoint | undefined {
  const read = readCheckpoint(note, publicKey);
  if (read.outcome === 'unreadable') {
    findings.push({ kind: 'incomplete', seq, problem: `a checkpoint can't be read: ${read.problem}` });
    return undefined;
  }
  // The log's name is the key's, so that a checkpoint of another log can't stand in for one of this.
  const problem =
    read.outcome === 'untrusted'
      ? read.problem
      : read.checkpoint.origin === publicKey.name
        ? undefined
        : 'it is of another log';
  if (problem === undefined) return read.checkpoint;
  findings.push({
    kind: 'untrusted',
    seq: read.checkpoint.size,
    problem: `checkpoint ${read.checkpoint.size}: ${problem}`,
  });
  return undefined;
}
