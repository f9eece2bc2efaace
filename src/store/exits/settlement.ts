import type { ExitReason, PositionClosed } from '../../contracts/messages/messages.ts';
import { signals } from '../../contracts/messages/messages.ts';
import { entryId, exitId, positionId, protectId, stopId } from '../../contracts/messages/names.ts';
import { isPositive, isZero } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import { fillsComplete, isClosed } from '../../domain/order.ts';
import { openPosition, type Position, realizedPnl, sellableQuantity } from '../../domain/position.ts';
import { resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { disarmAll } from '../guards/arming.ts';
import { resolveMonitorGone } from '../guards/monitor-alerts.ts';
import { resolveProtection } from '../guards/protection-alerts.ts';
import { lockTrade, maySayMore, stateOf } from '../orders/book-order.ts';
import { exitRefusedCondition } from '../orders/order-changes.ts';
import { enqueue, type NewMessage } from '../outbox.ts';
import { record } from '../record.ts';
import type { PositionRow, TradeRow } from '../tables.ts';
import { positionOf } from '../trades/positions.ts';
import { voidWhatCannotFill } from '../trades/trade-progress.ts';
import { releaseProbe } from '../trading-state/breaker.ts';
import { type ExitBook, exitBookOf } from './exit-book.ts';

type Settlement = {
  readonly tradeId: string;
  /** Whether what is left of every leg is too small to sell. Asked under the trade's lock; pure. */
  readonly isSettled: (book: ExitBook) => boolean;
  readonly nowMs: number;
};

/**
 * Counts the money of a trade that is flat and closes it, once: asked again, it answers with the first result. Null
 * when it is not flat: an order may still fill, its fills are not all here, or `isSettled` says no. One answer a leg.
 */
export function settleTrade(db: Db, settlement: Settlement): Promise<readonly PositionClosed[] | null> {
  const { tradeId, isSettled, nowMs } = settlement;
  return db.transaction().execute(async (tx) => {
    const trade = await lockTrade(tx, tradeId);
    if (trade === undefined) return null;
    if (trade.phase === 'closed' || trade.phase === 'unfilled') return trade.result;
    const reason = trade.exit_reason;
    if (trade.phase !== 'closing' || reason === null) return null;
    if (await mayStillFill(tx, tradeId)) return null;
    if (!isSettled(await exitBookOf(tx, trade, reason))) return null;
    return close(tx, trade, reason, nowMs);
  });
}

// A parked exit is presumed dead; a parked entry may yet become a position.
async function mayStillFill(tx: Tx, tradeId: string): Promise<boolean> {
  const orders = await tx.selectFrom('orders').selectAll().where('trade_id', '=', tradeId).where(maySayMore).execute();
  return orders.some((order) => {
    const isParkedExit = order.status === 'parked' && order.purpose !== 'entry';
    return !fillsComplete(stateOf(order)) || !(isParkedExit || (isClosed(order.status) && !order.in_doubt));
  });
}

async function close(tx: Tx, trade: TradeRow, reason: ExitReason, nowMs: number): Promise<readonly PositionClosed[]> {
  const tradeId = trade.trade_id;
  const positions = await tx
    .updateTable('position')
    .set({ is_open: false })
    .where('trade_id', '=', tradeId)
    .returningAll()
    .execute();
  const legs = trade.request.legs.map((_, leg) =>
    closedLeg(
      trade,
      leg,
      positions.find((position) => position.leg === leg),
      reason,
      nowMs,
    ),
  );
  const isFilled = legs.some((leg) => isPositive(leg.entryQuantity));
  await tx
    .updateTable('trade')
    .set({
      phase: isFilled ? 'closed' : 'unfilled',
      closed_at_ms: nowMs,
      entry_ended_at_ms: trade.entry_ended_at_ms ?? nowMs,
      result: JSON.stringify(legs),
    })
    .where('trade_id', '=', tradeId)
    .execute();
  // The exit request keeps any intent of an entry from coming after this.
  for (const leg of legs.keys()) await voidWhatCannotFill(tx, trade, { leg, reason: 'the trade has ended' }, nowMs);
  await releaseProbe(tx, trade.account_id, tradeId);
  await disarmAll(tx, tradeId, nowMs);
  await resolveProtection(tx, tradeId, nowMs);
  await resolveMonitorGone(tx, tradeId, nowMs);
  // Its position may have been sold without the exit, such as by its stop at the venue.
  await resolveAlert(tx, { condition: exitRefusedCondition(tradeId), nowMs });
  await record(tx, {
    type: 'PositionClosed',
    key: [tradeId],
    tradeId,
    atMs: nowMs,
    actor: { type: 'workflow', id: exitId(tradeId) },
    data: { account: trade.account_id, strategy: trade.strategy, reason, legs },
  });
  await enqueue(tx, closingMessages(trade, tradeClosed(legs), isFilled), nowMs);
  return legs;
}

function closedLeg(
  trade: TradeRow,
  leg: number,
  row: PositionRow | undefined,
  exitReason: ExitReason,
  nowMs: number,
): PositionClosed {
  const symbol = trade.request.legs[leg]?.symbol ?? '';
  const position = row === undefined ? emptyPosition(trade, leg) : positionOf(row);
  return {
    tradeId: trade.trade_id,
    symbol,
    side: position.side,
    exitReason,
    entryQuantity: position.entryQuantity,
    entryQuote: position.entryQuote,
    exitQuantity: position.exitQuantity,
    exitQuote: position.exitQuote,
    fees: position.quoteFee,
    pnl: realizedPnl(position),
    pnlAsset: position.quoteAsset,
    dust: sellableQuantity(position),
    ...writtenOffOf(position),
    closedAtMs: nowMs,
  };
}

// Of a trade that had nothing to write off there is nothing to say.
const writtenOffOf = ({ writtenOff }: Position): Pick<PositionClosed, 'writtenOff'> =>
  writtenOff === undefined || isZero(writtenOff) ? {} : { writtenOff };

function emptyPosition({ request }: TradeRow, leg: number): Position {
  const { symbol = '', side } = request.legs[leg] ?? {};
  const [baseAsset = '', quoteAsset = ''] = symbol.split('/');
  return openPosition({ side: side === 'SELL' ? 'short' : 'long', baseAsset, quoteAsset });
}

/** What the first leg made, with the others beside it. */
export function tradeClosed(legs: readonly PositionClosed[]): PositionClosed {
  const [first, ...otherLegs] = legs;
  invariant(first !== undefined, 'a trade that is closed has a leg');
  return otherLegs.length === 0 ? first : { ...first, otherLegs };
}

/** An entry of one leg is not told: its own order's end has ended it. One of several may wait until all are sold. */
function closingMessages(trade: TradeRow, closed: PositionClosed, isFilled: boolean): readonly NewMessage[] {
  const tradeId = trade.trade_id;
  const { legs, exit } = trade.request;
  const told = [
    ...(legs.length > 1 ? [entryId(tradeId)] : []),
    ...(isFilled ? [positionId(tradeId)] : []),
    ...(isFilled && exit.trailingStop ? [stopId(tradeId)] : []),
    ...(isFilled && exit.protectiveStop ? [protectId(tradeId)] : []),
  ];
  return told.map((workflowId) => ({
    action: 'signal',
    tradeId,
    workflowId,
    signalName: signals.positionClosed,
    signalArgs: [closed],
  }));
}
