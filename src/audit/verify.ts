import type { PublicKey } from './checkpoint.ts';
import { readClaims } from './claims.ts';
import type { Finding } from './finding.ts';
import type { Head, SealedRecord, StoredCheckpoint } from './log.ts';
import { createWalk } from './walk.ts';

/** All that says something about the log. What claims is read before what is claimed, so that a growing log fits. */
export type AuditSource = {
  readonly storedCheckpoints: readonly StoredCheckpoint[];
  /** The notes kept outside the database. Without them a cut tail can't be seen. */
  readonly externalNotes: readonly string[];
  readonly head: Head;
  readonly unsealed: number;
  /** The records in the order of their numbers, up to the head. */
  readonly records: AsyncIterable<readonly SealedRecord[]> | Iterable<readonly SealedRecord[]>;
};

type Counts = {
  readonly records: number;
  /** Distinct checkpoints whose signature holds. */
  readonly checkpoints: number;
  /** Sealed records after the newest of them: a careful edit there could not be seen. */
  readonly uncovered: number;
  /** Committed records that have no place in the chain yet. */
  readonly unsealed: number;
  /** How often the database's clock was set back by more than transactions side by side explain. */
  readonly clockSteps: number;
};

export type AuditVerdict = Counts & {
  readonly outcome: 'ok' | Finding['kind'];
  /** 0 ok, 1 tampered, 2 incomplete or unreadable, 3 signature or trust. */
  readonly exitCode: 0 | 1 | 2 | 3;
  /** The first record that may not be what was sealed. */
  readonly firstBadSeq?: number;
  /** The first of them by number, at most 100. */
  readonly findings: readonly Finding[];
};

/**
 * Reads the whole log and believes nothing: the numbers without a gap, every leaf and link computed anew from the
 * stored text, every column beside it, every signature, the Merkle root and the head at every checkpoint inside and outside of the database,
 * and the order of what is told of a trade. What it finds is in the verdict, never thrown.
 */
export async function verifyAudit(source: AuditSource, publicKey: PublicKey): Promise<AuditVerdict> {
  const findings: Finding[] = [];
  const claims = readClaims(source, publicKey, findings);
  const walk = createWalk(claims, findings);
  for await (const batch of source.records) for (const record of batch) walk.pass(record);
  const { seq, hash, count, soundUpTo, clockSteps } = walk.end();

  const { head, unsealed } = source;
  if (head.seq !== seq || head.lastSeq !== seq || head.hash !== hash) {
    const problem = `the chain ends at ${seq}, its head says ${head.seq}, the table ${head.lastSeq}`;
    findings.push({ kind: 'tampered', seq: Math.min(seq, head.seq) + 1, problem });
  }
  const covered = claims.at(-1)?.checkpoint.size ?? 0;
  if (covered > seq) {
    const problem = `the tail up to ${covered} is cut, and no checkpoint confirms what comes after ${soundUpTo}`;
    findings.push({ kind: 'tampered', seq: seq + 1, problem });
  }
  if (covered === 0 && seq > 0) {
    findings.push({ kind: 'incomplete', seq: 1, problem: 'no checkpoint covers any record' });
  }
  return verdictOf(findings, {
    records: count,
    checkpoints: claims.length,
    uncovered: Math.max(0, seq - covered),
    unsealed,
    clockSteps,
  });
}

// A proof of an edit says more than a doubt about a signature, and that more than something that is not there.
const verdicts = [
  ['tampered', 1],
  ['untrusted', 3],
  ['incomplete', 2],
] as const;
const findingsMax = 100;

function verdictOf(findings: readonly Finding[], counts: Counts): AuditVerdict {
  const [outcome, exitCode] = verdicts.find(([kind]) => findings.some((finding) => finding.kind === kind)) ?? ['ok', 0];
  const sorted = [...findings].sort((a, b) => a.seq - b.seq);
  const first = sorted.find(({ kind }) => kind === 'tampered');
  return {
    outcome,
    exitCode,
    ...(first !== undefined && { firstBadSeq: first.seq }),
    findings: sorted.slice(0, findingsMax),
    ...counts,
  };
}
