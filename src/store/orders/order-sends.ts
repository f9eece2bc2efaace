import type { OrderReported } from '../../contracts/messages/messages.ts';
import { invariant } from '../../domain/invariant.ts';
import { countsAsBreakerFailure, joinOutcomes, type OutcomeClass } from '../../domain/outcome.ts';
import { raiseAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { alertUnprotected } from '../guards/protection-alerts.ts';
import type { OrderRow, TradeRow } from '../tables.ts';
import { addOutcome } from '../trading-state/breaker.ts';
import { holdForVenue } from '../trading-state/venue-holds.ts';
import { lockOrder, reportedOf } from './book-order.ts';
import { type ChangeNote, changeOrder, exitRefusedCondition, type OrderChange } from './order-changes.ts';
import { type SendOutcome, settleSend } from './order-reports.ts';

type Held = { readonly trade: TradeRow; readonly order: OrderRow };

/**
 * Commits what a send came to that brought no order back. UNKNOWN dominates: as long as any send of the order has no
 * definite answer, no later refusal makes it rejected, and its reservation stays. A refusal of the key or the account
 * blocks all entries of the account. Told twice, it does nothing the second time.
 */
export function recordSend(
  db: Db,
  sent: { readonly clientOrderId: string; readonly send: SendOutcome; readonly nowMs: number },
): Promise<OrderReported> {
  const { clientOrderId, send, nowMs } = sent;
  return db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, clientOrderId);
    invariant(held !== undefined, `an order that was sent has an intent, ${clientOrderId} has none`);
    if (!(await settleSend(tx, held.order, send, nowMs))) return reportedOf(held.order);
    if (countsAsFailure(send)) await countFailure(tx, held.order, send, nowMs);
    const reported = await changeAfter(tx, held, send, nowMs);
    await alertSend(tx, held.order, send, nowMs);
    if (send.outcome === 'FATAL_CONFIG') await holdAccount(tx, held.order, send, nowMs);
    return reported;
  });
}

async function changeAfter(tx: Tx, held: Held, send: SendOutcome, nowMs: number): Promise<OrderReported> {
  const { order } = held;
  const overall = joinOutcomes(await outcomesOf(tx, order.client_order_id));
  const note: ChangeNote = {
    happening: happeningOf(send.outcome, overall),
    actor: { type: 'system', id: 'order-path' },
    data: { send },
  };
  // The venue has spoken of the order itself: what a send was told adds nothing but the evidence.
  const isOpen = order.status === 'pendingNew' || order.status === 'parked';
  const change = isOpen ? consequence(order, send, overall) : {};
  return changeOrder(tx, held, change, note, { nowMs });
}

function consequence(order: OrderRow, send: SendOutcome, overall: OutcomeClass): OrderChange {
  if (overall === 'UNKNOWN') return { in_doubt: true };
  if (overall !== 'REJECTED' && overall !== 'FATAL_CONFIG') return {};
  return {
    status: 'rejected',
    in_doubt: false,
    reason_code: overall === 'FATAL_CONFIG' ? 'VENUE_KEY_REFUSED' : 'ORDER_REJECTED',
    reason: send.detail || order.reason,
  };
}

function happeningOf(outcome: OutcomeClass, overall: OutcomeClass): ChangeNote['happening'] {
  if (overall === 'UNKNOWN') return 'Unknown';
  if (outcome === 'NOT_SENT') return 'NotSent';
  return outcome === 'THROTTLED' ? 'Throttled' : 'Rejected';
}

async function outcomesOf(tx: Tx, clientOrderId: string): Promise<readonly (OutcomeClass | null)[]> {
  const rows = await tx
    .selectFrom('order_send')
    .select('outcome')
    .where('client_order_id', '=', clientOrderId)
    .execute();
  return rows.map((row) => row.outcome);
}

function countsAsFailure({ httpStatus, outcome, venueCode, isHeldBack }: SendOutcome): boolean {
  if (isHeldBack) return false;
  if (httpStatus === null) {
    return countsAsBreakerFailure({ kind: 'transport', failure: 'other', firstByteSent: outcome !== 'NOT_SENT' });
  }
  return countsAsBreakerFailure({ kind: 'http', status: httpStatus, ...(venueCode !== null && { code: venueCode }) });
}

const countFailure = (tx: Tx, order: OrderRow, { outcome, httpStatus }: SendOutcome, nowMs: number): Promise<void> =>
  addOutcome(tx, {
    account: order.account_id,
    kind: 'failure',
    cause: httpStatus === null ? `${outcome}: no answer` : `${outcome}: HTTP ${httpStatus}`,
    clientOrderId: order.client_order_id,
    nowMs,
  });

const holdAccount = (tx: Tx, order: OrderRow, send: SendOutcome, nowMs: number): Promise<void> =>
  holdForVenue(tx, {
    account: order.account_id,
    venue: order.venue,
    code: 'VENUE_KEY_REFUSED',
    reason: `the venue refuses the key or the account: ${send.detail}`,
    context: { venueCode: send.venueCode ?? 'none', detail: send.detail },
    nowMs,
  });

/** What people must know of it although the order path goes on by itself. */
async function alertSend(tx: Tx, order: OrderRow, { outcome, httpStatus, detail }: SendOutcome, nowMs: number) {
  const { client_order_id: clientOrderId, trade_id: tradeId, symbol } = order;
  const isSuccess = httpStatus !== null && httpStatus >= 200 && httpStatus < 300;
  if (outcome === 'UNKNOWN' && isSuccess) {
    await raiseAlert(tx, {
      condition: `order-answer-malformed:${clientOrderId}`,
      code: 'ORDER_ANSWER_MALFORMED',
      severity: 'WARNING',
      context: { clientOrderId, symbol, httpStatus, detail },
      tradeId,
      nowMs,
    });
  }
  if (outcome !== 'REJECTED' && outcome !== 'FATAL_CONFIG') return;
  if (order.purpose === 'stop') await alertUnprotected(tx, order, detail, nowMs);
  if (order.purpose === 'exit') {
    await raiseAlert(tx, {
      condition: exitRefusedCondition(tradeId),
      code: 'EXIT_REFUSED',
      severity: 'CRITICAL',
      context: { clientOrderId, tradeId, symbol, quantity: order.quantity, detail },
      tradeId,
      nowMs,
    });
  }
}
