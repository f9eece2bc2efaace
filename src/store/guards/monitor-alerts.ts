import { positionId } from '../../contracts/messages/names.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { lockTrade } from '../orders/book-order.ts';

const goneCondition = (tradeId: string): string => `monitor-gone:${tradeId}`;

/**
 * The monitor of a trade could not be told: it was ended from outside, and one that has ended is never started again.
 * An alert if it still has a position to look after. Once an exit was asked for, that is the exit's.
 */
export function alertMonitorGone(
  db: Db,
  { tradeId, nowMs }: { readonly tradeId: string; readonly nowMs: number },
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    // The trade's end resolves the alert under the same lock, so that none is raised behind it.
    const trade = await lockTrade(tx, tradeId);
    if (trade?.phase !== 'open' || trade.exit_reason !== null) return;
    await raiseAlert(tx, {
      condition: goneCondition(tradeId),
      code: 'MONITOR_GONE',
      severity: 'CRITICAL',
      context: { tradeId, workflowId: positionId(tradeId) },
      tradeId,
      nowMs,
    });
  });
}

/** There is nothing to look after any more. */
export const resolveMonitorGone = (tx: Tx, tradeId: string, nowMs: number): Promise<boolean> =>
  resolveAlert(tx, { condition: goneCondition(tradeId), nowMs });
