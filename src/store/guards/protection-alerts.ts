import { saysWouldTrigger } from '../../domain/outcome.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import type { OrderRow } from '../tables.ts';

const refusedCondition = (tradeId: string): string => `protective-stop-refused:${tradeId}`;
const goneCondition = (tradeId: string): string => `protective-stop-gone:${tradeId}`;

/** The venue holds no stop for the position. A price that was traded already is no such case: then comes the exit. */
export async function alertUnprotected(tx: Tx, order: OrderRow, detail: string, nowMs: number): Promise<void> {
  if (saysWouldTrigger(detail)) return;
  const { client_order_id: clientOrderId, trade_id: tradeId, symbol, quantity } = order;
  await raiseAlert(tx, {
    condition: refusedCondition(tradeId),
    code: 'PROTECTIVE_STOP_UNAVAILABLE',
    severity: 'WARNING',
    context: { clientOrderId, tradeId, symbol, quantity, detail },
    tradeId,
    nowMs,
  });
}

/** The venue held one, and somebody else took it away. */
export const alertProtectionGone = (
  db: Db,
  gone: {
    readonly tradeId: string;
    readonly symbol: string;
    readonly clientOrderId: string;
    readonly status: string;
    readonly nowMs: number;
  },
): Promise<boolean> => {
  const { nowMs, ...context } = gone;
  return raiseAlert(db, {
    condition: goneCondition(gone.tradeId),
    code: 'PROTECTIVE_STOP_GONE',
    severity: 'WARNING',
    context,
    tradeId: gone.tradeId,
    nowMs,
  });
};

/** The venue has taken a stop, or there is nothing to protect any more. */
export async function resolveProtection(tx: Tx, tradeId: string, nowMs: number): Promise<void> {
  await resolveAlert(tx, { condition: refusedCondition(tradeId), nowMs });
  await resolveAlert(tx, { condition: goneCondition(tradeId), nowMs });
}
