import { setTimeout } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';
import type { Logger } from 'pino';
import type { ExitInput, ExitInstruction } from '../src/contracts/messages/messages.ts';
import { checkpointMemo, positionId, searchAttributes, workflowTypes } from '../src/contracts/messages/names.ts';
import { backoffMs } from '../src/domain/backoff.ts';
import { crashPoint } from '../src/observability/crash-point.ts';
import type { Db } from '../src/store/database.ts';
import { alertMonitorGone } from '../src/store/guards/monitor-alerts.ts';
import { hasStartAhead, type OutboxMessage, postpone, settle, takeDue } from '../src/store/outbox.ts';
import { startRelayLoop } from './relay-loop.ts';

const batchSize = 50;
const sweepMs = 500;
/** A position waits for its monitor and an exit for its start: nobody is told late that the server is back. */
const againAfter = { baseMs: 200, capMs: 3_000, factor: 2 } as const;
/** Planning reads the book, and filters that are known already: a few milliseconds. */
const planMs = 250;

export type OutboxRelay = { readonly stop: () => Promise<void> };

/**
 * Delivers the messages from the book to workflows until the server has accepted them: at once when a commit
 * announces one (`onAnnounced`), and by a sweep for what a process left behind when it died. Exits go first.
 * The client has to use the workers' own connection, by which starts are eager.
 */
export function startOutboxRelay({
  db,
  client,
  logger,
  now,
  onAnnounced,
  newestNote,
  planExit,
}: {
  readonly db: Db;
  readonly client: Client;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onAnnounced: (listener: () => void) => () => void;
  /** A recent checkpoint of the record. Kept with each start, it has a witness that the database can't reach. */
  readonly newestNote: () => string | undefined;
  /** What an exit that has asked for nothing yet does first. */
  readonly planExit: (tradeId: string) => Promise<ExitInstruction>;
}): OutboxRelay {
  return startRelayLoop({
    everyMs: sweepMs,
    onNews: onAnnounced,
    async round() {
      const messages = await takeDue(db, { limit: batchSize, nowMs: now() });
      await deliverAll({ db, client, logger, now, newestNote, planExit }, messages);
      return messages.length > 0;
    },
    onFault: (error) => logger.warn({ error }, 'outbox can not be read'),
  });
}

type Delivery = Omit<Parameters<typeof startOutboxRelay>[0], 'onAnnounced'>;

type Outcome = 'delivered' | 'target-gone';
type Delivered = { readonly message: OutboxMessage; readonly outcome: Outcome };

/** Exits leave alone: the server works on what it is told after them at the same time, and slower. */
async function deliverAll(delivery: Delivery, messages: readonly OutboxMessage[]): Promise<void> {
  const starts = messages.filter(({ action }) => action === 'start');
  const others = messages.filter(({ action }) => action !== 'start');
  const delivered: Delivered[] = [];
  for (const some of [starts, others]) {
    const sent = await Promise.all(some.map((message) => deliverOne(delivery, message)));
    delivered.push(...sent.flat());
  }
  for (const outcome of ['delivered', 'target-gone'] as const) {
    const messageIds = delivered.filter((each) => each.outcome === outcome).map(({ message }) => message.messageId);
    await settle(delivery.db, { messageIds, outcome, nowMs: delivery.now() });
  }
}

async function deliverOne(delivery: Delivery, message: OutboxMessage): Promise<Delivered[]> {
  const { db, logger, now } = delivery;
  const { messageId, workflowId, tradeId, attempts } = message;
  try {
    const planned = isExitStart(message) ? await withFirstStep(delivery, message) : message;
    const outcome = await sendInTurn(delivery, planned);
    const isMonitorGone = outcome === 'target-gone' && tradeId !== null && workflowId === positionId(tradeId);
    if (isMonitorGone) await alertMonitorGone(db, { tradeId, nowMs: now() });
    if (outcome !== 'too-early') return [{ message, outcome }];
  } catch (error) {
    logger.warn({ error, messageId, workflowId, attempts }, 'message not delivered');
  }
  const untilMs = now() + backoffMs({ ...againAfter, attempt: attempts - 1 });
  // A row that can't be given back is due again by itself.
  await postpone(db, { messageId, untilMs }).catch(() => undefined);
  return [];
}

type StartMessage = Exclude<OutboxMessage, { action: 'signal' }>;

const isExitStart = (message: OutboxMessage): message is StartMessage =>
  message.action === 'start' && message.workflowType === workflowTypes.exit;

/**
 * The start of an exit with its first step: the order leaves in the workflow's first task, which need not look at the
 * book. A plan that is not there in time, or not to be had, is left to the exit: nothing holds up its start.
 */
async function withFirstStep({ planExit, logger }: Delivery, message: StartMessage): Promise<StartMessage> {
  const input = message.startArgs[0] as ExitInput;
  try {
    const planning = planExit(input.tradeId);
    const first = await Promise.race([planning, setTimeout(planMs, undefined, { ref: false })]);
    return first === undefined ? message : { ...message, startArgs: [{ ...input, first }] };
  } catch (error) {
    logger.warn({ error, tradeId: input.tradeId }, 'exit starts without its first step');
    return message;
  }
}

/** A signal may overtake the message that starts its workflow: then it waits for that one, and its workflow is not gone. */
async function sendInTurn(
  { db, client, newestNote }: Delivery,
  message: OutboxMessage,
): Promise<Outcome | 'too-early'> {
  const outcome = await send(client, message, newestNote());
  if (outcome === 'delivered' || message.action !== 'signal') return outcome;
  if (await hasStartAhead(db, message)) return 'too-early';
  // The start may have been delivered between the two: only now is an answer the last word.
  return send(client, message, newestNote());
}

/** A workflow that is there already, or was, is success for a start; one that is gone can't be told any more. */
async function send(client: Client, message: OutboxMessage, note: string | undefined): Promise<Outcome> {
  const { workflowId } = message;
  try {
    switch (message.action) {
      case 'signal':
        await client.workflow.getHandle(workflowId).signal(message.signalName, ...message.signalArgs);
        break;
      case 'signalWithStart':
        if (message.workflowType === workflowTypes.positionMonitoring) crashPoint('betweenFillAndMonitor');
        await client.workflow.signalWithStart(message.workflowType, {
          ...startOptions(message, note),
          signal: message.signalName,
          signalArgs: [...message.signalArgs],
        });
        break;
      case 'start':
        await client.workflow.start(message.workflowType, {
          ...startOptions(message, note),
          // Its first task comes with the answer, where this process has a slot free for it.
          requestEagerStart: true,
        });
        break;
    }
    return 'delivered';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return message.action === 'start' ? 'delivered' : 'target-gone';
    }
    if (error instanceof WorkflowNotFoundError) return 'target-gone';
    throw error;
  }
}

function startOptions(message: StartMessage, note: string | undefined): WorkflowStartOptions & { args: unknown[] } {
  return {
    workflowId: message.workflowId,
    taskQueue: message.taskQueue,
    args: [...message.startArgs],
    // The watches come and go under one id; whatever belongs to a trade lives once.
    workflowIdReusePolicy: message.tradeId === null ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    workflowTaskTimeout: '3 seconds',
    typedSearchAttributes: attributesOf(message.startArgs[0]),
    staticSummary: message.summary,
    ...(note !== undefined && { memo: { [checkpointMemo]: note } }),
  };
}

// Set at the start they cost nothing; what the input does not name stays absent.
function attributesOf(input: unknown): SearchAttributePair[] {
  const fields = (input ?? {}) as Partial<Record<'symbol' | 'strategy' | 'account', string>>;
  return (['symbol', 'strategy', 'account'] as const).flatMap((field) => {
    const value = fields[field];
    const key = defineSearchAttributeKey(searchAttributes[field], SearchAttributeType.KEYWORD);
    return value === undefined ? [] : [{ key, value } as SearchAttributePair];
  });
}
