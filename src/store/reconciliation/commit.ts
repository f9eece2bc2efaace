import { sql } from 'kysely';
import type { DifferenceView, ReconciliationReport } from '../../contracts/messages/reconciliation.ts';
import { type Assessment, assess, type Look, type OpenDifference } from '../../domain/reconciliation/assess.ts';
import { type Difference, describeDifference, keyOf } from '../../domain/reconciliation/difference.ts';
import type { Expectation, Holding } from '../../domain/reconciliation/holdings.ts';
import type { Tolerances } from '../../domain/reconciliation/tolerance.ts';
import { resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import { acceptedKeys, openDifferences } from './compared-book.ts';
import { propose, supersede } from './correction-proposals.ts';
import { raiseDifference, resolveDifference } from './difference-alerts.ts';
import { foldFills, takeBaseline } from './expected-balances.ts';

export type LookToCommit = {
  readonly account: string;
  readonly venue: string;
  /** Of the standing that it was compared with. */
  readonly version: number;
  readonly startedAtMs: number;
  readonly look: Look;
  /** Orders of others that have ended without a fill: no alert about them has to last. */
  readonly harmless: readonly Difference[];
  /** What the look before saw and nobody knew; null in the first look of a run. */
  readonly suspects: readonly Difference[] | null;
  /** The balances of the beginning, where there are none yet and these can be believed. */
  readonly baseline: { readonly balances: readonly Holding[]; readonly fromFills: Expectation['before'] } | null;
  readonly askedBy: string | null;
  readonly correctionTimeoutMs: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
};

export type LookCommitted =
  | { readonly outcome: 'committed'; readonly found: number; readonly changed: number; readonly gone: number }
  /** Something new was seen: nothing is committed before it was seen a second time. */
  | { readonly outcome: 'look-again'; readonly suspects: readonly Difference[] }
  /** Another run has looked later, or what is expected has changed since: this look says nothing any more. */
  | { readonly outcome: 'overtaken' };

/**
 * Commits what a look makes of what is known: differences, their corrections, alerts and records, in one transaction.
 * A look that sees what is known already writes nothing.
 */
export function commitLook(db: Db, run: LookToCommit): Promise<LookCommitted> {
  const { account, look, suspects, nowMs } = run;
  return db.transaction().execute(async (tx): Promise<LookCommitted> => {
    const standing = await tx
      .selectFrom('reconciliation')
      .selectAll()
      .where('account_id', '=', account)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (standing.version !== run.version || (standing.looked_at_ms ?? 0) > run.startedAtMs) {
      return { outcome: 'overtaken' };
    }
    const open = await openDifferences(tx, account);
    const accepted = await acceptedKeys(tx, account, look.differences.map(keyOf));
    const assessment = assess(look, open, suspects ?? [], accepted, run.tolerances);
    if (suspects === null && assessment.unconfirmed.length > 0) {
      return { outcome: 'look-again', suspects: assessment.unconfirmed };
    }
    const baseline = standing.has_baseline ? null : run.baseline;
    if (baseline !== null) await takeBaseline(tx, { account, ...baseline, nowMs });
    await foldFills(tx, account, standing.folded_until_ms, nowMs);
    await writeNews(tx, run, assessment);
    if (run.askedBy !== null) await proposeAgain(tx, run, run.askedBy);
    await resolveAccepted(tx, run, accepted);
    await tx
      .updateTable('reconciliation')
      .set({ looked_at_ms: run.startedAtMs })
      .where('account_id', '=', account)
      .execute();
    const { found, changed, gone } = assessment;
    return { outcome: 'committed', found: found.length, changed: changed.length, gone: gone.length };
  });
}

/** An order that people have taken note of may be heard of again, which raises it once more; one may end unfilled. */
async function resolveAccepted(tx: Tx, run: LookToCommit, accepted: ReadonlySet<string>): Promise<void> {
  const noted = run.look.differences.filter((difference) => accepted.has(keyOf(difference)));
  for (const difference of [...noted, ...run.harmless]) await resolveDifference(tx, run, difference, run.nowMs);
}

/** Says that a run has ended, and keeps what it came to. */
export function markRun(db: Db, report: ReconciliationReport): Promise<void> {
  const { account, outcome, parts, startedAtMs } = report;
  const isComplete = Object.values(parts).every((part) => part === 'read');
  return db.transaction().execute(async (tx) => {
    await tx
      .updateTable('reconciliation')
      .set({
        last_run: JSON.stringify(report),
        ...(isComplete && { completed_at_ms: sql<number>`greatest(coalesce(completed_at_ms, 0), ${startedAtMs})` }),
        ...(outcome === 'clean' && { clean_at_ms: sql<number>`greatest(coalesce(clean_at_ms, 0), ${startedAtMs})` }),
      })
      .where('account_id', '=', account)
      .execute();
    if (isComplete) await resolveAlert(tx, { condition: lateCondition(account), nowMs: report.finishedAtMs });
  });
}

export const lateCondition = (account: string): string => `reconciliation-late:${account}`;

/** What differs now, as people see it. */
export async function differencesOf(db: Db, account: string): Promise<readonly DifferenceView[]> {
  const open = await openDifferences(db, account);
  return open.map(({ differenceId, foundAtMs, difference, correctionId }) => ({
    differenceId,
    foundAtMs,
    description: describeDifference(difference),
    difference,
    correctionId,
  }));
}

async function writeNews(tx: Tx, run: LookToCommit, { found, changed, gone }: Assessment): Promise<void> {
  if (found.length + changed.length + gone.length === 0) return;
  const { account, venue, look, askedBy, nowMs } = run;
  const news: string[] = [];
  for (const difference of found) news.push(`found ${await writeFound(tx, run, difference)}`);
  for (const { before, now } of changed) news.push(`changed ${await writeChanged(tx, run, before, now)}`);
  for (const each of gone) {
    await writeGone(tx, run, each);
    news.push(`gone ${each.differenceId}`);
  }
  await record(tx, {
    type: 'ReconcileRun',
    // What it found makes it this run: another one can't find, change or end the same once more.
    key: [account, ...news],
    atMs: nowMs,
    actor,
    data: {
      account,
      venue,
      askedBy: askedBy ?? undefined,
      found: found.length,
      changed: changed.length,
      gone: gone.length,
      unavailable: look.unavailable,
    },
  });
}

const actor = { type: 'system', id: 'reconciliation' } as const;

async function writeFound(tx: Tx, run: LookToCommit, difference: Difference): Promise<number> {
  const { account, nowMs } = run;
  const { difference_id: differenceId } = await tx
    .insertInto('difference')
    .values({
      account_id: account,
      difference_key: keyOf(difference),
      content: JSON.stringify(difference),
      found_at_ms: nowMs,
      changed_at_ms: nowMs,
    })
    .returning('difference_id')
    .executeTakeFirstOrThrow();
  const correctionId = await propose(tx, run, { differenceId, revision: 1, difference });
  await raiseDifference(tx, run, difference, nowMs);
  await record(tx, {
    type: 'DifferenceFound',
    key: [differenceId],
    atMs: nowMs,
    actor,
    data: { account, differenceId, key: keyOf(difference), difference, correctionId },
  });
  return differenceId;
}

async function writeChanged(tx: Tx, run: LookToCommit, before: OpenDifference, now: Difference): Promise<string> {
  const { account, nowMs } = run;
  const { differenceId } = before;
  const revision = await nextRevision(tx, differenceId, { content: JSON.stringify(now), changed_at_ms: nowMs });
  await supersede(tx, differenceId, nowMs);
  const correctionId = await propose(tx, run, { differenceId, revision, difference: now });
  // The numbers of the old alert are not true any more.
  await resolveDifference(tx, run, before.difference, nowMs);
  await raiseDifference(tx, run, now, nowMs);
  await record(tx, {
    type: 'DifferenceChanged',
    key: [differenceId, revision],
    atMs: nowMs,
    actor,
    data: { account, differenceId, key: keyOf(now), before: before.difference, difference: now, correctionId },
  });
  return `${differenceId}.${revision}`;
}

async function writeGone(tx: Tx, run: LookToCommit, { differenceId, difference }: OpenDifference): Promise<void> {
  const { account, nowMs } = run;
  await tx
    .updateTable('difference')
    .set({ ended_at_ms: nowMs, ending: 'gone' })
    .where('difference_id', '=', differenceId)
    .execute();
  await supersede(tx, differenceId, nowMs);
  await resolveDifference(tx, run, difference, nowMs);
  await record(tx, {
    type: 'DifferenceGone',
    key: [differenceId],
    atMs: nowMs,
    actor,
    data: { account, differenceId, key: keyOf(difference), difference },
  });
}

/** Who asks for a run wants to decide: what was rejected, or left until its time was over, is put before them again. */
async function proposeAgain(tx: Tx, run: LookToCommit, askedBy: string): Promise<void> {
  const { account, nowMs } = run;
  for (const { differenceId, difference, correctionId: waiting } of await openDifferences(tx, account)) {
    if (waiting !== null) continue;
    const revision = await nextRevision(tx, differenceId, {});
    const correctionId = await propose(tx, run, { differenceId, revision, difference });
    await record(tx, {
      type: 'CorrectionProposed',
      key: [correctionId],
      atMs: nowMs,
      actor: { type: 'user', id: askedBy },
      data: { account, differenceId, correctionId, difference },
    });
  }
}

async function nextRevision(
  tx: Tx,
  differenceId: number,
  changed: { readonly content?: string; readonly changed_at_ms?: number },
): Promise<number> {
  const { revision } = await tx
    .updateTable('difference')
    .set({ ...changed, revision: sql`revision + 1` })
    .where('difference_id', '=', differenceId)
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}
