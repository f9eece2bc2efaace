import type { PaperBalance, PaperOrder } from '../exchange/books.ts';
import type { Execution } from '../exchange/journal.ts';
import type { BalanceChange } from '../exchange/ledger.ts';
import { eight, preventedQuantity } from '../rest/answers.ts';

/** An order's change as the user data stream tells it. */
export function executionReport(
  { execution, executionId, order, fill, cancelId, atMs }: Execution,
  nowMs: number,
): object {
  return {
    e: 'executionReport',
    E: nowMs,
    s: order.symbol,
    c: cancelId ?? order.clientOrderId,
    S: order.side,
    o: order.type,
    f: order.timeInForce,
    q: eight(order.quantity),
    p: eight(order.limitPrice),
    P: eight(order.stopPrice),
    F: '0.00000000',
    g: -1,
    C: cancelId === null ? '' : order.clientOrderId,
    x: execution,
    X: order.status,
    r: 'NONE',
    i: order.orderId,
    l: eight(fill?.quantity ?? null),
    z: eight(order.filledQuantity),
    L: eight(fill?.price ?? null),
    n: fill ? eight(fill.fee) : '0',
    N: fill?.feeAsset ?? null,
    T: atMs,
    t: fill?.tradeId ?? -1,
    I: executionId,
    w: order.workingAtMs !== null && (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED'),
    m: fill?.isMaker ?? false,
    M: fill !== null,
    O: order.acceptedAtMs,
    Z: eight(order.filledQuote),
    Y: eight(fill?.quoteQuantity ?? null),
    Q: '0.00000000',
    ...(order.workingAtMs === null ? {} : { W: order.workingAtMs }),
    V: order.preventionMode,
    ...(execution === 'EXPIRED' ? { eR: order.reason } : {}),
    ...(execution === 'TRADE_PREVENTION' ? prevention(order) : {}),
  };
}

/** The fields of an order that ended because it met another of the account. */
function prevention(order: PaperOrder): object {
  const { prevented, orderId } = order;
  if (!prevented) return {};
  const quantity = eight(preventedQuantity(order));
  return {
    v: prevented.preventedMatchId,
    A: quantity,
    B: quantity,
    u: -1,
    U: prevented.takerOrderId === orderId ? prevented.makerOrderId : prevented.takerOrderId,
    Cs: prevented.symbol,
  };
}

/** The balances that a change of an order or a transfer may have touched. */
export const accountPosition = (balances: readonly PaperBalance[], atMs: number, nowMs: number): object => ({
  e: 'outboundAccountPosition',
  E: nowMs,
  u: atMs,
  B: balances.map(({ asset, free, locked }) => ({ a: asset, f: eight(free), l: eight(locked) })),
});

export const balanceUpdate = ({ asset, change, changedAtMs }: BalanceChange, nowMs: number): object => ({
  e: 'balanceUpdate',
  E: nowMs,
  a: asset,
  d: eight(change),
  T: changedAtMs,
});
