import { sql } from 'kysely';
import { signals } from '../contracts/messages/messages.ts';
import type { Db, Tx } from './database.ts';
import type { NewOutboxRow } from './tables.ts';

type Target = { readonly workflowId: string };
type Signal = { readonly signalName: string; readonly signalArgs: readonly unknown[] };
type Start = {
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly startArgs: readonly unknown[];
  /** What the Temporal UI shows of the workflow that is started. */
  readonly summary: string;
};

/** What is told to a workflow: a signal, a signal that starts it where it does not run, or a start. */
type Message =
  | (Target & Signal & { readonly action: 'signal' })
  | (Target & Signal & Start & { readonly action: 'signalWithStart' })
  | (Target & Start & { readonly action: 'start' });

export type NewMessage = Message & { readonly tradeId?: string };

/** A message that somebody has taken to deliver it. `attempts` counts this one. */
export type OutboxMessage = Message & {
  readonly messageId: number;
  /** Null for what belongs to no trade: watches and breakers. */
  readonly tradeId: string | null;
  readonly attempts: number;
  readonly createdAtMs: number;
};

/** How long a taker has, before another one may take the message. */
const takenForMs = 5_000;
const pokeEveryMs = 1_000;

/**
 * Writes messages to workflows in the transaction that makes them true. The commit wakes every process that listens to
 * `ratchet_outbox`. They are due at once, or from `dueAtMs` on: then within a sweep of the relay.
 */
export async function enqueue(
  tx: Tx,
  messages: readonly NewMessage[],
  nowMs: number,
  dueAtMs: number = nowMs,
): Promise<void> {
  if (messages.length === 0) return;
  await tx
    .insertInto('outbox')
    .values(messages.map((message) => rowOf(message, nowMs, dueAtMs)))
    .execute();
}

function rowOf(message: NewMessage, nowMs: number, dueAtMs: number): NewOutboxRow {
  const start = message.action === 'signal' ? undefined : message;
  const signal = message.action === 'start' ? undefined : message;
  return {
    trade_id: message.tradeId ?? null,
    workflow_id: message.workflowId,
    action: message.action,
    workflow_type: start?.workflowType ?? null,
    task_queue: start?.taskQueue ?? null,
    start_args: start ? JSON.stringify(start.startArgs) : null,
    summary: start?.summary ?? null,
    signal_name: signal?.signalName ?? null,
    signal_args: signal ? JSON.stringify(signal.signalArgs) : null,
    created_at_ms: nowMs,
    next_attempt_at_ms: dueAtMs,
  };
}

/**
 * Says to a breaker that there is something to fold: not again while one is waiting, and at most once a second. Two
 * transactions at the same moment may both say it, which costs a message and changes nothing.
 */
export async function enqueuePoke(tx: Tx, workflowId: string, nowMs: number): Promise<void> {
  await sql`
    insert into outbox (workflow_id, action, signal_name, signal_args, created_at_ms, next_attempt_at_ms)
    select ${workflowId}, 'signal', ${signals.poke}, '[]', ${nowMs},
      greatest(${nowMs}::bigint, coalesce(max(coalesce(settled_at_ms, ${nowMs}::bigint)), 0) + ${pokeEveryMs})
    from outbox
    where workflow_id = ${workflowId} and signal_name = 'poke' and created_at_ms > ${nowMs - 2 * pokeEveryMs}::bigint
    having not coalesce(bool_or(settled_at_ms is null and attempts = 0), false)
  `.execute(tx);
}

/**
 * Takes messages that are due, starts of workflows (exits) first: each by one taker only, until it is settled or
 * postponed. A taker that dies costs 5 seconds, not the message.
 */
export async function takeDue(
  db: Db,
  { limit, nowMs }: { readonly limit: number; readonly nowMs: number },
): Promise<readonly OutboxMessage[]> {
  const { rows } = await sql<OutboxMessage>`
    with due as (
      select message_id from outbox where settled_at_ms is null and next_attempt_at_ms <= ${nowMs}
      order by action <> 'start', message_id limit ${limit} for update skip locked)
    update outbox set attempts = attempts + 1, next_attempt_at_ms = ${nowMs + takenForMs}
    from due where outbox.message_id = due.message_id
    returning outbox.message_id as "messageId", trade_id as "tradeId", workflow_id as "workflowId", action,
      workflow_type as "workflowType", task_queue as "taskQueue", start_args as "startArgs", summary,
      signal_name as "signalName", signal_args as "signalArgs", created_at_ms as "createdAtMs", attempts
  `.execute(db);
  return rows.toSorted(
    (a, b) => Number(b.action === 'start') - Number(a.action === 'start') || a.messageId - b.messageId,
  );
}

/** Closes messages for good: the server has accepted them, or their workflow is gone. */
export async function settle(
  db: Db,
  settled: {
    readonly messageIds: readonly number[];
    readonly outcome: 'delivered' | 'target-gone';
    readonly nowMs: number;
  },
): Promise<void> {
  if (settled.messageIds.length === 0) return;
  await db
    .updateTable('outbox')
    .set({ settled_at_ms: settled.nowMs, outcome: settled.outcome })
    .where(sql<boolean>`message_id = any(${settled.messageIds}::bigint[])`)
    .where('settled_at_ms', 'is', null)
    .execute();
}

/** Forgets messages that were settled before `settledBeforeMs`. Returns how many. */
export async function forgetSettled(db: Db, settledBeforeMs: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('outbox')
    .where('settled_at_ms', '<', settledBeforeMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Whether an older message that is still to be delivered would start the workflow that this one is for. */
export async function hasStartAhead(db: Db, { workflowId, messageId }: OutboxMessage): Promise<boolean> {
  const start = await db
    .selectFrom('outbox')
    .select('message_id')
    .where('workflow_id', '=', workflowId)
    .where('action', '<>', 'signal')
    .where('message_id', '<', messageId)
    .where('settled_at_ms', 'is', null)
    .executeTakeFirst();
  return start !== undefined;
}

/** Gives a message back that could not be delivered: nobody takes it before `untilMs`. */
export async function postpone(
  db: Db,
  { messageId, untilMs }: { readonly messageId: number; readonly untilMs: number },
): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ next_attempt_at_ms: untilMs })
    .where('message_id', '=', messageId)
    .where('settled_at_ms', 'is', null)
    .execute();
}
