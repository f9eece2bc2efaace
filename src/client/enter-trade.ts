import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type Client,
  NamespaceNotFoundError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { EntryDecision } from '../contracts/messages/decision.ts';
import type { EntryRequest } from '../contracts/messages/entry-request.ts';
import { updates } from '../contracts/messages/messages.ts';
import { workflowTypes } from '../contracts/messages/names.ts';
import { parseEntryRequest } from '../contracts/schemas/entry-request.ts';
import {
  type ErrorBody,
  type ErrorContext,
  errorBody,
  isErrorCode,
  isRetryable,
  RatchetError,
} from '../contracts/schemas/error-body.ts';
import type { Fault } from '../contracts/schemas/faults.ts';
import type { StoredDecision } from '../contracts/schemas/trade-view.ts';
import { clientError, RatchetClientError } from './client-error.ts';
import { entryStart } from './entry-start.ts';

/** The decision on a trade id as the book has it, with the request that was decided; undefined when there is none. */
export type DecisionReader = (tradeId: string) => Promise<StoredDecision | undefined>;

/** How much longer than `validForMs` a caller waits: the decision of a request that came in time may be on its way. */
const patienceMs = 5_000;
const retryMs = 200;

/**
 * Opens a trade, or finds the decision on it: the same request gets the same decision for ever, and nothing is opened
 * twice. The decision comes from the workflow; the book is asked whether it is on this very content, because whoever
 * comes second with the same trade id is given the first one's decision.
 *
 * @throws RatchetClientError REQUEST_INVALID with every fault, before anything is sent; TRADE_ID_MISMATCH;
 * UNDECIDED when nothing was decided within `validForMs` and 5 s; or the code with which the entry was refused.
 */
export async function enterTrade(
  input: unknown,
  { temporal, readDecision }: { readonly temporal: Client; readonly readDecision: DecisionReader },
): Promise<EntryDecision> {
  const request = parsedRequest(input);
  const answer = await askUntil(temporal, request, Date.now() + request.validForMs + patienceMs);
  const stored = await readDecision(request.tradeId);
  if (stored) return decisionOn(stored, request);
  switch (answer.outcome) {
    case 'decided':
      return answer.decision;
    case 'ended':
      throw clientError('ENTRY_ENDED_UNDECIDED', { tradeId: request.tradeId, detail: answer.detail });
    case 'lost':
    case 'late':
      throw clientError('UNDECIDED', { tradeId: request.tradeId, detail: answer.detail });
    case 'refused':
      throw new RatchetClientError(answer.body);
  }
}

/** The request with its defaults, decimals in their one form. */
export function parsedRequest(input: unknown): EntryRequest {
  const parsed = parseEntryRequest(input);
  if (!parsed.ok) throw new RatchetClientError(errorBody('REQUEST_INVALID', {}, parsed.faults));
  // As it will be stored: a field that is there and undefined is one that is not there.
  return JSON.parse(JSON.stringify(parsed.request)) as EntryRequest;
}

/** The stored decision, if it was made on this content. */
export function decisionOn(stored: StoredDecision, request: EntryRequest): EntryDecision {
  if (isDeepStrictEqual(stored.request, request)) return stored.decision;
  throw clientError('TRADE_ID_MISMATCH', { tradeId: request.tradeId });
}

type Answer =
  | { readonly outcome: 'decided'; readonly decision: EntryDecision }
  | { readonly outcome: 'refused'; readonly body: ErrorBody }
  /** The workflow of this trade id is over. */
  | { readonly outcome: 'ended'; readonly detail: string }
  /** The server had the call and forgot it. */
  | { readonly outcome: 'lost'; readonly detail: string }
  | { readonly outcome: 'late'; readonly detail: string };

// A server that dies between the start and the update keeps the start and loses the update: asking again finds the
// running workflow, or the decision of one that is over.
async function askUntil(temporal: Client, request: EntryRequest, deadlineAtMs: number): Promise<Answer> {
  for (;;) {
    const answer = await ask(temporal, request, deadlineAtMs);
    if (answer.outcome !== 'lost' || Date.now() + retryMs >= deadlineAtMs) return answer;
    await delay(retryMs);
  }
}

async function ask(temporal: Client, request: EntryRequest, deadlineAtMs: number): Promise<Answer> {
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowTypes.entry, entryStart(request));
  try {
    const decision = await temporal.withDeadline(deadlineAtMs, () =>
      temporal.workflow.executeUpdateWithStart<EntryWorkflow, EntryDecision, []>(updates.decide, {
        startWorkflowOperation,
        updateId: request.tradeId,
      }),
    );
    return { outcome: 'decided', decision };
  } catch (error) {
    return answerOf(error);
  }
}

type EntryWorkflow = (request: EntryRequest) => Promise<unknown>;

function answerOf(error: unknown): Answer {
  if (error instanceof WorkflowUpdateFailedError) return refused(error.cause);
  if (error instanceof WorkflowExecutionAlreadyStartedError) return { outcome: 'ended', detail: error.message };
  if (error instanceof WorkflowNotFoundError) return { outcome: 'lost', detail: error.message };
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return { outcome: 'late', detail: error.message };
  if (error instanceof RatchetError) return { outcome: 'refused', body: errorBody(error.code, error.context) };
  const context = { detail: detailOf(error) };
  const isRefusal = error instanceof NamespaceNotFoundError || refusals.has(grpcCodeOf(error) ?? unavailable);
  return { outcome: 'refused', body: errorBody(isRefusal ? 'TEMPORAL_REFUSED' : 'TEMPORAL_UNAVAILABLE', context) };
}

/**
 * The entry's own refusal carries a code of the catalog, and its numbers or faults. It has ended with it, and so has one
 * that met what passes by itself, such as a database that is away: nothing starts again under the same id.
 */
function refused(cause: Error | undefined): Answer {
  const code = cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
  if (!isErrorCode(code) || isRetryable(code)) return { outcome: 'ended', detail: cause?.message ?? '' };
  const [details] = (cause as ApplicationFailure).details ?? [];
  const { faults, ...context } = (details ?? {}) as { faults?: readonly Fault[] } & ErrorContext;
  const body = errorBody(code, context, faults);
  return { outcome: 'refused', body: { ...body, remedy: `${body.remedy} This trade id is used up: take a new one.` } };
}

// gRPC status codes: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED; and UNAVAILABLE.
const refusals: ReadonlySet<number> = new Set([3, 7, 12, 16]);
const unavailable = 14;

const grpcCodeOf = (error: unknown): number | undefined => (error as { cause?: { code?: number } }).cause?.code;

function detailOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return cause?.message ?? message ?? String(error);
}
