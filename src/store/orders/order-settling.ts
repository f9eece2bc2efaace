import type { OrderRef, OrderReported } from '../../contracts/messages/messages.ts';
import { entryId } from '../../contracts/messages/names.ts';
import { isPositive, zero } from '../../domain/decimal.ts';
import { type ErrorCode, errorCatalog, RatchetError } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import { isClosed } from '../../domain/order.ts';
import { raiseAlert } from '../alerts.ts';
import { runOnce } from '../commands.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import type { OrderRow } from '../tables.ts';
import { followEntry } from '../trades/trade-progress.ts';
import { type BookOrder, lockOrder, lockTrade, reportedOf } from './book-order.ts';
import { changeOrder, isUnknown, parkedCondition, unresolvedCondition, unresolvedMaxMs } from './order-changes.ts';

export type Denial = {
  readonly order: OrderRef & { readonly clientOrderId: string };
  readonly code: ErrorCode;
  /** What the numbers are, such as which hold. */
  readonly note?: string;
  readonly nowMs: number;
};

/**
 * Refuses an order that no byte of can have left: there is no intent, or every send of it definitely did not reach the
 * matching engine. What was reserved for an entry is given back. An order that may be at the venue is not denied: it is
 * answered as it stands.
 */
export function denyOrder(db: Db, denial: Denial): Promise<OrderReported> {
  return db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, denial.order.clientOrderId);
    if (held === undefined) return denyUnintended(tx, denial);
    if (!(await isCertainlyNotPlaced(tx, held.order))) return reportedOf(held.order);
    const change = { status: 'denied', reason_code: denial.code, reason: reasonOf(denial) } as const;
    return changeOrder(
      tx,
      held,
      change,
      { happening: 'Closed', actor: { type: 'system', id: 'order-path' } },
      { nowMs: denial.nowMs },
    );
  });
}

/**
 * Gives up asking for an order that the venue does not know, after its fence: a person decides. An entry keeps its
 * reservation; an exit's next generation may go, within position and balance. An order that the venue has answered for
 * meanwhile stays as it is.
 */
export function parkOrder(
  db: Db,
  { clientOrderId, nowMs }: { readonly clientOrderId: string; readonly nowMs: number },
): Promise<OrderReported> {
  return db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, clientOrderId);
    invariant(held !== undefined, `an order that is parked has an intent, ${clientOrderId} has none`);
    const { order, trade } = held;
    if (order.status !== 'pendingNew') return reportedOf(order);
    await raiseAlert(tx, {
      condition: parkedCondition(clientOrderId),
      code: 'ORDER_PARKED',
      severity: 'CRITICAL',
      context: {
        clientOrderId,
        tradeId: trade.trade_id,
        symbol: order.symbol,
        side: order.side,
        quantity: order.quantity,
        signedAtMs: order.intent_at_ms,
      },
      tradeId: trade.trade_id,
      nowMs,
    });
    const change = { status: 'parked', in_doubt: true, reason_code: 'ORDER_PARKED', reason: null } as const;
    const note = { happening: 'Parked', actor: { type: 'system', id: 'order-path' } } as const;
    return changeOrder(tx, held, change, note, { nowMs });
  });
}

/** Says of an order that has stayed unknown for long that it is: whatever it is that can't be asked. */
export async function alertUnresolved(db: Db, order: BookOrder, nowMs: number): Promise<void> {
  if (nowMs < order.createdAtMs + unresolvedMaxMs) return;
  const { clientOrderId, tradeId, symbol, side, quantity } = order;
  await db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, clientOrderId);
    // The stream may have told of it meanwhile: nothing would end an alert that comes after that.
    if (held === undefined || !isUnknown(held.order)) return;
    await raiseAlert(tx, {
      condition: unresolvedCondition(clientOrderId),
      code: 'ORDER_UNRESOLVED',
      severity: 'CRITICAL',
      context: { clientOrderId, tradeId, symbol, side, quantity },
      tradeId,
      nowMs,
    });
  });
}

/**
 * Closes an order that the venue has archived: it does so only with orders that ended without a fill. One that the book
 * has fills of can't have been: that is an alert, and the order stays as it is.
 */
export function closeArchived(
  db: Db,
  { clientOrderId, nowMs }: { readonly clientOrderId: string; readonly nowMs: number },
): Promise<OrderReported> {
  return db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, clientOrderId);
    invariant(held !== undefined, `an archived order is one of ours, ${clientOrderId} is not`);
    const { order } = held;
    if (isClosed(order.status)) return reportedOf(order);
    if (isPositive(order.reported_quantity) || isPositive(order.filled_quantity)) {
      await raiseAlert(tx, {
        condition: `order-report:${clientOrderId}:archived`,
        code: 'ORDER_REPORT_ILLEGAL',
        severity: 'CRITICAL',
        context: { clientOrderId, reason: 'archived', status: order.status, filledQuantity: order.filled_quantity },
        tradeId: order.trade_id,
        nowMs,
      });
      return reportedOf(order);
    }
    const change = { status: 'expired', in_doubt: false, reason_code: 'ORDER_ARCHIVED', reason: null } as const;
    return changeOrder(
      tx,
      held,
      change,
      { happening: 'Resolved', actor: { type: 'venue', id: order.venue } },
      { nowMs },
    );
  });
}

type Resolution = {
  readonly clientOrderId: string;
  /** `dead`: a person has seen that the venue does not have it. `look-again`: ask the venue once more. */
  readonly verdict: 'dead' | 'look-again';
  readonly actor: string;
  readonly reason: string;
  readonly commandId?: string;
  readonly nowMs: number;
};

type ResolutionOutcome =
  | { readonly outcome: 'resolved'; readonly reported: OrderReported }
  /** The venue has answered for it, or is still being asked. */
  | { readonly outcome: 'not-parked'; readonly reported: OrderReported }
  | { readonly outcome: 'unknown-order' };

/**
 * A person says what became of a parked order. Dead: it ends with what it filled, the rest is given back. An exit or a
 * stop of a trade that is closed is not asked for again (ORDER_TRADE_CLOSED): nobody would take the answer.
 */
export function resolveOrder(db: Db, resolution: Resolution): Promise<ResolutionOutcome> {
  const { commandId, nowMs, ...body } = resolution;
  return runOnce(db, { commandId, kind: 'resolve', body, nowMs }, async (tx): Promise<ResolutionOutcome> => {
    const held = await lockOrder(tx, resolution.clientOrderId);
    if (held === undefined) return { outcome: 'unknown-order' };
    if (held.order.status !== 'parked') return { outcome: 'not-parked', reported: reportedOf(held.order) };
    const { verdict, actor, reason, clientOrderId } = resolution;
    if (verdict === 'look-again' && held.order.purpose !== 'entry' && held.trade.phase === 'closed') {
      throw new RatchetError('ORDER_TRADE_CLOSED', { clientOrderId, tradeId: held.trade.trade_id });
    }
    const change =
      verdict === 'dead'
        ? ({ status: 'canceled', in_doubt: false, reason_code: 'ORDER_DECLARED_DEAD', reason } as const)
        : ({ status: 'pendingNew', in_doubt: true, reason_code: null, reason: null } as const);
    const note = { happening: 'Resolved', actor: { type: 'user', id: actor }, data: { verdict, why: reason } } as const;
    const reported = await changeOrder(tx, held, change, note, { nowMs });
    return { outcome: 'resolved', reported };
  });
}

async function isCertainlyNotPlaced(tx: Tx, order: OrderRow): Promise<boolean> {
  if (order.status !== 'pendingNew' || order.in_doubt) return false;
  const doubtful = await tx
    .selectFrom('order_send')
    .select('send_epoch')
    .where('client_order_id', '=', order.client_order_id)
    .where((eb) => eb.or([eb('outcome', 'is', null), eb('outcome', 'not in', ['NOT_SENT', 'THROTTLED'])]))
    .executeTakeFirst();
  return doubtful === undefined;
}

/** An entry without an intent: its leg's reservation is given back, and no later attempt finds any to use. */
async function denyUnintended(tx: Tx, denial: Denial): Promise<OrderReported> {
  const { order, code, nowMs } = denial;
  const { clientOrderId, tradeId, leg } = order;
  const trade = await lockTrade(tx, tradeId);
  // An intent may have been committed before this had the lock; then nobody knows whether it was sent.
  const intended = await lockOrder(tx, clientOrderId);
  if (intended !== undefined) return reportedOf(intended.order);
  if (order.purpose === 'entry' && trade !== undefined && (await isReserved(tx, tradeId, leg))) {
    await followEntry(tx, trade, { clientOrderId, leg, reason: code, isAcked: false, hasNewFills: false }, nowMs);
    await record(tx, {
      type: 'EntryDenied',
      key: [clientOrderId],
      tradeId,
      atMs: nowMs,
      actor: { type: 'workflow', id: entryId(tradeId) },
      data: { clientOrderId, leg, code, reason: reasonOf(denial) },
    });
  }
  return deniedReport(denial);
}

async function isReserved(tx: Tx, tradeId: string, leg: number): Promise<boolean> {
  const pending = await tx
    .selectFrom('reservation')
    .select('leg')
    .where('trade_id', '=', tradeId)
    .where('leg', '=', leg)
    .where((eb) => eb(eb.ref('posted_quantity'), '<', eb(eb.ref('quantity'), '-', eb.ref('voided_quantity'))))
    .executeTakeFirst();
  return pending !== undefined;
}

const reasonOf = ({ code, note }: Denial): string => note ?? errorCatalog[code].summary;

const deniedReport = (denial: Denial): OrderReported => {
  const { clientOrderId, purpose, leg, generation } = denial.order;
  return {
    clientOrderId,
    purpose,
    leg,
    generation,
    status: 'denied',
    inDoubt: false,
    filledQuantity: zero,
    filledQuote: zero,
    fillsComplete: true,
    reasonCode: denial.code,
    reason: reasonOf(denial),
  };
};
