import type { Actor } from '../../contracts/messages/events.ts';
import type { ExitInput, ExitReason } from '../../contracts/messages/messages.ts';
import { exitId, taskQueues, workflowTypes } from '../../contracts/messages/names.ts';
import { runOnce } from '../commands.ts';
import type { Db, Tx } from '../database.ts';
import { lockTrade } from '../orders/book-order.ts';
import { enqueue } from '../outbox.ts';
import { record } from '../record.ts';
import type { TradeRow } from '../tables.ts';

type ExitRequest = {
  readonly tradeId: string;
  readonly reason: ExitReason;
  /** Which part of the system asks, such as `positionMonitoring` or `api`. */
  readonly source: string;
  /** The person, where one asks. */
  readonly actor?: string;
  /** What a person gives as the reason. */
  readonly note?: string;
  readonly commandId?: string;
  readonly nowMs: number;
};

/** `already`: somebody asked before, and theirs is the exit's reason. `not-open`: there is nothing to leave. */
export type ExitRequested = 'requested' | 'already' | 'not-open' | 'unknown-trade';

/**
 * Asks for the exit of a trade, filled or not: from now on no entry order of it is sent, and its exit is started. One a
 * trade: whoever asks second finds the first.
 */
export function requestExit(db: Db, request: ExitRequest): Promise<ExitRequested> {
  const { commandId, nowMs, ...body } = request;
  return runOnce(db, { commandId, kind: 'close', body, nowMs }, async (tx) => {
    const trade = await lockTrade(tx, request.tradeId);
    if (trade === undefined) return 'unknown-trade';
    const opened = await openExit(tx, trade, request);
    if (opened !== 'requested') return opened;
    await record(tx, {
      type: 'ExitRequested',
      key: [request.tradeId],
      tradeId: request.tradeId,
      atMs: nowMs,
      actor: actorOf(request),
      data: { reason: request.reason, source: request.source, note: request.note },
    });
    return 'requested';
  });
}

/** The part of it that a trigger shares: the request, the phase, and the message that starts the exit. */
export async function openExit(
  tx: Tx,
  trade: TradeRow,
  request: Omit<ExitRequest, 'tradeId'> & { readonly trigger?: unknown },
): Promise<Exclude<ExitRequested, 'unknown-trade'>> {
  if (trade.phase === 'closing') return 'already';
  if (trade.phase !== 'placing' && trade.phase !== 'working' && trade.phase !== 'open') return 'not-open';
  const { reason, nowMs } = request;
  const inserted = await tx
    .insertInto('exit_request')
    .values({
      trade_id: trade.trade_id,
      reason,
      source: request.source,
      actor: request.actor ?? null,
      trigger: request.trigger === undefined ? null : JSON.stringify(request.trigger),
      requested_at_ms: nowMs,
    })
    .onConflict((conflict) => conflict.column('trade_id').doNothing())
    .returning('trade_id')
    .executeTakeFirst();
  // Its exit has run and ended, and filled after all: a person has been told, and the exit can't run again.
  if (inserted === undefined) return 'already';
  await tx
    .updateTable('trade')
    .set({ phase: 'closing', exit_reason: reason })
    .where('trade_id', '=', trade.trade_id)
    .execute();
  await enqueue(tx, [startOfExit(trade, reason)], nowMs);
  return 'requested';
}

const actorOf = ({ actor, source }: ExitRequest): Actor =>
  actor === undefined ? { type: 'system', id: source } : { type: 'user', id: actor };

function startOfExit(trade: TradeRow, reason: ExitReason) {
  const symbols = trade.request.legs.map((leg) => leg.symbol);
  const input: ExitInput = {
    tradeId: trade.trade_id,
    venue: trade.venue,
    account: trade.account_id,
    symbol: symbols[0] ?? '',
    reason,
  };
  return {
    action: 'start',
    tradeId: trade.trade_id,
    workflowId: exitId(trade.trade_id),
    workflowType: workflowTypes.exit,
    taskQueue: taskQueues.guards,
    startArgs: [input],
    summary: `close ${symbols.join(', ')} of trade ${trade.trade_id}: ${reason}`,
  } as const;
}
