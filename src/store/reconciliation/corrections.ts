import { sql } from 'kysely';
import type { EventType } from '../../contracts/messages/events.ts';
import { correctionWorkflowId } from '../../contracts/messages/names.ts';
import type { CorrectionState, CorrectionView } from '../../contracts/messages/reconciliation.ts';
import { describeCorrection } from '../../domain/reconciliation/correction.ts';
import { describeDifference, keyOf } from '../../domain/reconciliation/difference.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import type { CorrectionRow } from '../tables.ts';
import { applyCorrection } from './correction-effects.ts';
import { resolveDifference } from './difference-alerts.ts';

export type Settlement = {
  readonly correctionId: string;
  readonly verdict: 'approved' | 'rejected' | 'expired';
  /** Who decided, and why. Nobody does where the time is over. */
  readonly actor: string | null;
  readonly reason: string | null;
  readonly nowMs: number;
};

/**
 * Settles a correction, once: approved, it is applied with its records in one transaction; rejected or left until its
 * time was over, the book stays as it is and the difference goes on. Asked again, it answers how it was settled.
 * What can't be applied any more, because the book has changed since, is superseded.
 */
export function settleCorrection(db: Db, settlement: Settlement): Promise<CorrectionView | undefined> {
  const { correctionId, verdict } = settlement;
  return db.transaction().execute(async (tx) => {
    const known = await findCorrection(tx, correctionId);
    if (known === undefined) return undefined;
    // The runs take this row first, too.
    await tx
      .selectFrom('reconciliation')
      .select('account_id')
      .where('account_id', '=', known.account_id)
      .forUpdate()
      .execute();
    const row = await lockCorrection(tx, correctionId);
    if (row.state !== 'proposed') return viewOf(row);
    return viewOf(
      verdict === 'approved' ? await approve(tx, row, settlement) : await end(tx, row, verdict, settlement),
    );
  });
}

/** The corrections of an account: those that wait for a decision first, then the latest. */
export async function readCorrections(
  db: Db,
  { account, limit }: { readonly account: string; readonly limit: number },
): Promise<readonly CorrectionView[]> {
  const rows = await db
    .selectFrom('correction')
    .selectAll()
    .where('account_id', '=', account)
    .orderBy(sql`state <> 'proposed'`)
    .orderBy('proposed_at_ms', 'desc')
    .limit(limit)
    .execute();
  return rows.map(viewOf);
}

export async function readCorrection(db: Db, correctionId: string): Promise<CorrectionView | undefined> {
  const row = await findCorrection(db, correctionId);
  return row && viewOf(row);
}

const findCorrection = (db: Db, correctionId: string): Promise<CorrectionRow | undefined> =>
  db.selectFrom('correction').selectAll().where('correction_id', '=', correctionId).executeTakeFirst();

const lockCorrection = (tx: Tx, correctionId: string): Promise<CorrectionRow> =>
  tx
    .selectFrom('correction')
    .selectAll()
    .where('correction_id', '=', correctionId)
    .forUpdate()
    .executeTakeFirstOrThrow();

async function approve(tx: Tx, row: CorrectionRow, settlement: Settlement): Promise<CorrectionRow> {
  await recordStep(tx, row, 'CorrectionApproved', settlement);
  const { actor, reason, nowMs } = settlement;
  const applied = await applyCorrection(tx, row, { actor: actor ?? '', reason: reason ?? '', nowMs });
  if (applied === null) return end(tx, row, 'superseded', settlement);
  const ended = await tx
    .updateTable('difference')
    .set({ ended_at_ms: nowMs, ending: 'corrected' })
    .where('difference_id', '=', row.difference_id)
    .where('ended_at_ms', 'is', null)
    .returning('difference_id')
    .executeTakeFirstOrThrow();
  // A look that was taken before this says nothing any more.
  const { venue } = await tx
    .updateTable('reconciliation')
    .from('account')
    .set({ version: sql`reconciliation.version + 1` })
    .whereRef('account.account_id', '=', 'reconciliation.account_id')
    .where('reconciliation.account_id', '=', row.account_id)
    .returning('account.venue')
    .executeTakeFirstOrThrow();
  await resolveDifference(tx, { account: row.account_id, venue }, row.content, nowMs);
  const after = await setState(tx, row, 'applied', settlement);
  await recordStep(tx, row, 'CorrectionApplied', settlement, { ...applied, differenceId: ended.difference_id });
  return after;
}

const endings = {
  rejected: 'CorrectionRejected',
  expired: 'CorrectionExpired',
  superseded: 'CorrectionSuperseded',
} as const;

async function end(
  tx: Tx,
  row: CorrectionRow,
  state: keyof typeof endings,
  settlement: Settlement,
): Promise<CorrectionRow> {
  await recordStep(tx, row, endings[state], settlement);
  return setState(tx, row, state, settlement);
}

const setState = (tx: Tx, row: CorrectionRow, state: CorrectionState, settlement: Settlement): Promise<CorrectionRow> =>
  tx
    .updateTable('correction')
    .set({ state, settled_at_ms: settlement.nowMs, actor: settlement.actor, reason: settlement.reason })
    .where('correction_id', '=', row.correction_id)
    .returningAll()
    .executeTakeFirstOrThrow();

const recordStep = (
  tx: Tx,
  row: CorrectionRow,
  type: EventType,
  { actor, reason, nowMs }: Settlement,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> =>
  record(tx, {
    type,
    key: [row.correction_id],
    atMs: nowMs,
    actor:
      actor === null ? { type: 'workflow', id: correctionWorkflowId(row.correction_id) } : { type: 'user', id: actor },
    data: {
      account: row.account_id,
      correctionId: row.correction_id,
      differenceId: row.difference_id,
      kind: row.kind,
      key: keyOf(row.content),
      difference: row.content,
      reason: reason ?? undefined,
      ...more,
    },
  });

const viewOf = (row: CorrectionRow): CorrectionView => ({
  correctionId: row.correction_id,
  account: row.account_id,
  kind: row.kind,
  state: row.state,
  description: describeDifference(row.content),
  effect: describeCorrection(row.content),
  proposedAtMs: row.proposed_at_ms,
  expiresAtMs: row.expires_at_ms,
  settledAtMs: row.settled_at_ms,
  actor: row.actor,
  reason: row.reason,
});
