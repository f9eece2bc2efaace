import type { EntryProgressed, OrderReported, PositionInput } from '../contracts/messages/messages.ts';
import { signals } from '../contracts/messages/messages.ts';
import { entryId, exitId, positionId, taskQueues, workflowTypes } from '../contracts/messages/names.ts';
import type { NewMessage } from './outbox.ts';
import type { PositionRow, TradeRow } from './tables.ts';

/** To whoever waits for the order: the entry, or the exit. */
export const orderReportedMessage = (tradeId: string, reported: OrderReported): NewMessage => ({
  action: 'signal',
  tradeId,
  workflowId: reported.purpose === 'entry' ? entryId(tradeId) : exitId(tradeId),
  signalName: signals.orderReported,
  signalArgs: [reported],
});

/** To the monitor of the position, which the first one starts. */
export function entryProgressedMessage(trade: TradeRow, position: PositionRow, progress: EntryProgressed): NewMessage {
  const input: PositionInput = {
    tradeId: trade.trade_id,
    account: trade.account_id,
    strategy: trade.strategy,
    venue: trade.venue,
    leg: position.leg,
    symbol: position.symbol,
    side: position.side,
    exit: trade.request.exit,
  };
  return {
    action: 'signalWithStart',
    tradeId: trade.trade_id,
    workflowId: positionId(trade.trade_id),
    workflowType: workflowTypes.positionMonitoring,
    taskQueue: taskQueues.guards,
    startArgs: [input],
    summary: `${position.side} ${position.symbol} of trade ${trade.trade_id}`,
    signalName: signals.entryProgressed,
    signalArgs: [progress],
  };
}
