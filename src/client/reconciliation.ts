import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { correctionWorkflowId, reconciliationId, taskQueues, workflowTypes } from '../contracts/messages/names.ts';
import {
  type CorrectionState,
  type CorrectionView,
  correctionUpdates,
  type ReconciliationInput,
  type ReconciliationReport,
} from '../contracts/messages/reconciliation.ts';
import { isErrorCode } from '../contracts/schemas/error-body.ts';
import { clientError } from './client-error.ts';

const callWithinMs = 5_000;
const answerWithinMs = 40_000;

/**
 * Compares the book with the venue now, and waits for the report. The same command id again waits for the same run.
 *
 * @throws RatchetClientError TEMPORAL_UNAVAILABLE; RECONCILIATION_UNANSWERED when no worker has done it in time; or the
 * code with which the run failed.
 */
export async function reconcileNow(
  temporal: Client,
  asked: Omit<ReconciliationInput, 'askedBy'> & { readonly askedBy: string; readonly commandId?: string },
): Promise<ReconciliationReport> {
  const { commandId = randomUUID(), ...input } = asked;
  const workflowId = reconciliationId(input.venue, input.account, `asked-${commandId}`);
  const start = () =>
    temporal.workflow.start(workflowTypes.reconciliation, {
      workflowId,
      taskQueue: taskQueues.watches,
      args: [input],
      workflowExecutionTimeout: '10 minutes',
      staticSummary: `book against venue, asked by ${input.askedBy}`,
    });
  try {
    await temporal.withDeadline(Date.now() + callWithinMs, start).catch(unlessStarted);
    const handle = temporal.workflow.getHandle(workflowId);
    const late = new AbortController();
    const report = await Promise.race([
      handle.result() as Promise<ReconciliationReport>,
      delay(answerWithinMs, undefined, { signal: late.signal }),
    ]).finally(() => late.abort());
    if (report !== undefined) return report;
  } catch (error) {
    throw reasonOf(error);
  }
  throw clientError('RECONCILIATION_UNANSWERED', { workflowId });
}

/**
 * Approves a correction or rejects it, and waits until that is carried out. The same decision again finds what became of
 * it.
 *
 * @throws RatchetClientError CORRECTION_UNKNOWN; CORRECTION_DECIDED when it does not wait for a decision any more, or
 * for the other one; CORRECTION_UNREASONED; TEMPORAL_UNAVAILABLE; RECONCILIATION_UNANSWERED when no worker has done it.
 */
export async function decideCorrection(
  decision: {
    readonly correctionId: string;
    readonly verdict: keyof typeof correctionUpdates;
    readonly actor: string;
    readonly reason: string;
  },
  {
    temporal,
    readCorrection,
  }: { readonly temporal: Client; readonly readCorrection: () => Promise<CorrectionView | undefined> },
): Promise<CorrectionView> {
  const { correctionId, verdict, actor, reason } = decision;
  const known = await readCorrection();
  if (known === undefined) throw clientError('CORRECTION_UNKNOWN', { correctionId });
  if (known.state !== 'proposed') return answerOf(known, verdict);
  const handle = temporal.workflow.getHandle(correctionWorkflowId(correctionId));
  try {
    // Whether anybody is there is known sooner than that nobody answers.
    await temporal.withDeadline(Date.now() + callWithinMs, () => handle.describe());
    await temporal.withDeadline(Date.now() + answerWithinMs, () =>
      handle.executeUpdate<CorrectionState, [{ actor: string; reason: string }]>(correctionUpdates[verdict], {
        args: [{ actor, reason }],
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw reasonOf(error);
  }
  return answerOf((await readCorrection()) ?? known, verdict);
}

const wanted = { approve: 'applied', reject: 'rejected' } as const;

function answerOf(view: CorrectionView, verdict: keyof typeof correctionUpdates): CorrectionView {
  if (view.state === wanted[verdict]) return view;
  throw clientError('CORRECTION_DECIDED', { correctionId: view.correctionId, state: view.state });
}

function unlessStarted(error: unknown): void {
  if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
}

/** What the activity or the workflow itself said, without the plumbing around it. */
function reasonOf(error: unknown): unknown {
  const inner =
    error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError ? error.cause : error;
  const cause = inner instanceof ActivityFailure ? inner.cause : inner;
  if (cause instanceof ApplicationFailure && cause.type && isErrorCode(cause.type)) {
    return clientError(cause.type, { detail: cause.message }, error);
  }
  if (error instanceof WorkflowFailedError) {
    return clientError(
      'RECONCILIATION_UNANSWERED',
      { detail: cause instanceof Error ? cause.message : error.message },
      error,
    );
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return clientError('RECONCILIATION_UNANSWERED', { detail: error.message }, error);
  }
  const service = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(service)) return clientError('TEMPORAL_UNAVAILABLE', { detail: service.details }, error);
  return error;
}
