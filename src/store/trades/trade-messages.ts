import type { EntryProgressed, OrderReported, PositionInput } from '../../contracts/messages/messages.ts';
import { signals } from '../../contracts/messages/messages.ts';
import { entryId, exitId, positionId, protectId, taskQueues, workflowTypes } from '../../contracts/messages/names.ts';
import type { NewMessage } from '../outbox.ts';
import type { PositionRow, TradePhase, TradeRow } from '../tables.ts';

/** To whoever waits for the order: the entry, the exit, or until there is one the keeper of the stop at the venue. */
export const orderReportedMessage = (
  { tradeId, phase }: { readonly tradeId: string; readonly phase: TradePhase },
  reported: OrderReported,
): NewMessage => ({
  action: 'signal',
  tradeId,
  workflowId: listenerOf(tradeId, phase, reported),
  signalName: signals.orderReported,
  signalArgs: [reported],
});

function listenerOf(tradeId: string, phase: TradePhase, { purpose }: OrderReported): string {
  if (purpose === 'entry') return entryId(tradeId);
  return purpose === 'stop' && phase !== 'closing' ? protectId(tradeId) : exitId(tradeId);
}

/** To the monitor of the position, which the first one starts, and then also to the keeper of its stop at the venue. */
export function entryProgressedMessages(
  trade: TradeRow,
  position: PositionRow,
  progress: EntryProgressed,
): readonly NewMessage[] {
  const monitor = messageToMonitor(trade, position, progress);
  if (trade.request.exit.protectiveStop === undefined || trade.phase !== 'open') return [monitor];
  const { tradeId, signalName, signalArgs } = monitor;
  return [monitor, { action: 'signal', tradeId, workflowId: protectId(tradeId), signalName, signalArgs }];
}

function messageToMonitor(trade: TradeRow, position: PositionRow, progress: EntryProgressed) {
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
  } as const satisfies NewMessage;
}
