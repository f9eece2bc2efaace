import { correctionWorkflowId, taskQueues, workflowTypes } from '../../contracts/messages/names.ts';
import { type CorrectionInput, correctionWithdrawn } from '../../contracts/messages/reconciliation.ts';
import type { OpenDifference } from '../../domain/reconciliation/assess.ts';
import { correctionIdOf, correctionOf, describeCorrection } from '../../domain/reconciliation/correction.ts';
import type { Tx } from '../database.ts';
import { enqueue } from '../outbox.ts';
import { record } from '../record.ts';

/** Puts what would correct a difference before a person: starts the workflow that waits for the decision. */
export async function propose(
  tx: Tx,
  run: { readonly account: string; readonly correctionTimeoutMs: number; readonly nowMs: number },
  { differenceId, revision, difference }: OpenDifference,
): Promise<string> {
  const { account, nowMs } = run;
  const correctionId = correctionIdOf(difference, differenceId, revision);
  const expiresAtMs = nowMs + run.correctionTimeoutMs;
  await tx
    .insertInto('correction')
    .values({
      correction_id: correctionId,
      difference_id: differenceId,
      account_id: account,
      kind: correctionOf(difference),
      content: JSON.stringify(difference),
      state: 'proposed',
      proposed_at_ms: nowMs,
      expires_at_ms: expiresAtMs,
    })
    .execute();
  const what = describeCorrection(difference);
  const input: CorrectionInput = { correctionId, account, expiresAtMs, what };
  const start = {
    action: 'start',
    workflowId: correctionWorkflowId(correctionId),
    workflowType: workflowTypes.correction,
    taskQueue: taskQueues.watches,
    startArgs: [input],
    summary: `waits for a person: ${what}`,
  } as const;
  await enqueue(tx, [start], nowMs);
  return correctionId;
}

/** Takes back what waits for a decision on a difference that is gone or has changed. */
export async function supersede(tx: Tx, differenceId: number, nowMs: number): Promise<void> {
  const taken = await tx
    .updateTable('correction')
    .set({ state: 'superseded', settled_at_ms: nowMs })
    .where('difference_id', '=', differenceId)
    .where('state', '=', 'proposed')
    .returning(['correction_id', 'account_id'])
    .execute();
  for (const { correction_id: correctionId, account_id: account } of taken) {
    await record(tx, {
      type: 'CorrectionSuperseded',
      key: [correctionId],
      atMs: nowMs,
      actor: { type: 'system', id: 'reconciliation' },
      data: { account, differenceId, correctionId },
    });
    await withdraw(tx, correctionId, nowMs);
  }
}

const withdraw = (tx: Tx, correctionId: string, nowMs: number): Promise<void> =>
  enqueue(
    tx,
    [
      {
        action: 'signal',
        workflowId: correctionWorkflowId(correctionId),
        signalName: correctionWithdrawn,
        signalArgs: [],
      },
    ],
    nowMs,
  );
