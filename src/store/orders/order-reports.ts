import type { OrderReported } from '../../contracts/messages/messages.ts';
import type { VenueOrder } from '../../contracts/messages/venue-order.ts';
import { add, type Decimal, isEqual, isMore, sum } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import { applyReport, fillsComplete, isWorking, type OrderState, type ReportFault } from '../../domain/order.ts';
import type { OutcomeClass } from '../../domain/outcome.ts';
import { raiseAlert } from '../alerts.ts';
import { canonicalJson } from '../canonical.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import type { OrderRow, TradeRow } from '../tables.ts';
import { foldIntoPosition } from '../trades/positions.ts';
import { addOutcome } from '../trading-state/breaker.ts';
import { isTakenForDead, lockOrder, reportedOf, stateOf } from './book-order.ts';
import { type AlteredFill, compareWithBook, correctFill, insertFills, type PricedFill } from './fills.ts';
import { changeOrder, happeningBetween, type OrderChange } from './order-changes.ts';

/** Whoever has placed an order gets its answer from the activity; the message is for the case that it is lost. */
const answeredMs = 1_000;

/** What one send came to, with its evidence. Secrets are no part of `detail`. */
export type SendOutcome = {
  readonly epoch: number;
  readonly outcome: OutcomeClass;
  readonly httpStatus: number | null;
  readonly venueCode: number | null;
  readonly detail: string;
  /** No byte has left: it is no failure of the venue, and the breaker does not count it. */
  readonly isHeldBack?: true;
};

export type VenueReport = {
  readonly order: VenueOrder;
  readonly via: 'send' | 'stream' | 'lookup' | 'cancel';
  /** With the answer to a placement: the send it answers. */
  readonly send?: SendOutcome;
  /** Of third assets that fees were taken in, in the quote asset. */
  readonly feeAssetPrices?: Readonly<Record<string, Decimal>>;
  readonly nowMs: number;
};

export type ReportOutcome =
  | { readonly outcome: 'applied' | 'unchanged'; readonly reported: OrderReported }
  /** It can't be true: it changed nothing and is an alert. */
  | { readonly outcome: 'illegal'; readonly reason: ReportFault | 'misdescribed'; readonly reported: OrderReported };

/**
 * Commits what the venue says of one of our orders: its state, its fills with the position they make, the records, and
 * the messages to whoever waits. Reports may come in any order, more than once, and by several ways at the same time.
 * The order must be one of ours: see `readOrder`, and `recordForeignOrder` for all others.
 */
export async function applyVenueOrder(db: Db, report: VenueReport): Promise<ReportOutcome> {
  // The stream repeats what the answer to the placement has said: most of it needs no lock and no transaction.
  const known = report.via === 'stream' ? await findKnown(db, report) : undefined;
  if (known !== undefined) return { outcome: 'unchanged', reported: known };
  return db.transaction().execute(async (tx) => {
    const held = await lockOrder(tx, report.order.clientOrderId);
    invariant(held !== undefined, `a reported order is one of ours, ${report.order.clientOrderId} is not`);
    if (report.send !== undefined) await settleSend(tx, held.order, report.send, report.nowMs);
    return applyHeld(tx, held, report);
  });
}

/** An order of our account that is not in the book: somebody else trades there, and people must know. */
export function recordForeignOrder(
  db: Db,
  seen: { readonly account: string; readonly venue: string; readonly order: VenueOrder; readonly nowMs: number },
): Promise<void> {
  const { account, venue, order, nowMs } = seen;
  const { clientOrderId, venueOrderId, symbol, side, quantity, report } = order;
  return db.transaction().execute(async (tx) => {
    const isNew = await raiseAlert(tx, {
      condition: `external-order:${account}:${venue}:${symbol}:${venueOrderId}`,
      code: 'EXTERNAL_ORDER',
      severity: 'CRITICAL',
      context: { account, venue, symbol, side, quantity, clientOrderId, venueOrderId },
      nowMs,
    });
    if (!isNew) return;
    await record(tx, {
      type: 'ExternalOrderSeen',
      key: [account, venue, symbol, venueOrderId, nowMs],
      atMs: nowMs,
      actor: { type: 'venue', id: venue },
      data: { account, clientOrderId, venueOrderId, symbol, side, quantity, report },
    });
  });
}

/** Notes what a send came to, unless that is known already. Returns whether it is news. */
export async function settleSend(tx: Tx, order: OrderRow, send: SendOutcome, nowMs: number): Promise<boolean> {
  const settled = await tx
    .updateTable('order_send')
    .set({
      outcome: send.outcome,
      http_status: send.httpStatus,
      venue_code: send.venueCode,
      detail: send.detail,
      finished_at_ms: nowMs,
    })
    .where('client_order_id', '=', order.client_order_id)
    .where('send_epoch', '=', send.epoch)
    // An UNKNOWN is answered by a look-up, never by what a later attempt was told.
    .where((eb) => eb.or([eb('outcome', 'is', null), eb('outcome', 'in', ['NOT_SENT', 'THROTTLED'])]))
    .returning('send_epoch')
    .executeTakeFirst();
  return settled !== undefined;
}

/** The order, where the report says nothing that the book does not have: what the book has only grows. */
async function findKnown(db: Db, report: VenueReport): Promise<OrderReported | undefined> {
  const { clientOrderId } = report.order;
  const row = await db.selectFrom('orders').selectAll().where('client_order_id', '=', clientOrderId).executeTakeFirst();
  // Any sign of life of an order that was declared dead is an alert.
  if (row === undefined || isTakenForDead(row) || !describes(row, report.order)) return undefined;
  if (applyReport(stateOf(row), report.order.report).outcome !== 'unchanged') return undefined;
  const { fresh, altered } = await compareWithBook(db, row, priced(report));
  return fresh.length + altered.length === 0 ? reportedOf(row) : undefined;
}

type Held = { readonly trade: TradeRow; readonly order: OrderRow };

async function applyHeld(tx: Tx, held: Held, report: VenueReport): Promise<ReportOutcome> {
  const order = { ...held.order, venue_order_id: held.order.venue_order_id ?? report.order.venueOrderId };
  if (!describes(order, report.order)) return refuse(tx, order, report, 'misdescribed');
  const { fresh, altered } = await compareWithBook(tx, order, priced(report));
  const filledQuantity = add(order.filled_quantity, sum(fresh.map((fill) => fill.quantity)));
  const transition = applyReport(stateOf(order), report.order.report);
  if (transition.outcome === 'illegal') return refuse(tx, order, report, transition.reason);
  if (isMore(filledQuantity, order.quantity)) return refuse(tx, order, report, 'overfilled');
  await alertRevival(tx, { ...held, order }, report);
  const state = transition.outcome === 'applied' ? transition.state : stateOf(order);
  await correctAll(tx, order, altered, report.nowMs);
  if (transition.outcome === 'unchanged' && fresh.length === 0) {
    return { outcome: 'unchanged', reported: reportedOf(held.order) };
  }
  return follow(tx, { ...held, order }, report, { ...state, filledQuantity }, fresh);
}

/** Writes what is new: the fills and the position, the order, and the outcome that the breaker counts. */
async function follow(
  tx: Tx,
  { trade, order }: Held,
  { order: seen, via, nowMs }: VenueReport,
  state: OrderState,
  fresh: readonly PricedFill[],
): Promise<ReportOutcome> {
  await insertFills(tx, order, fresh, nowMs);
  const position = fresh.length > 0 ? await foldIntoPosition(tx, trade, order, fresh, nowMs) : undefined;
  const change: OrderChange = {
    status: state.status,
    in_doubt: state.inDoubt,
    venue_order_id: order.venue_order_id,
    reported_quantity: state.reportedQuantity,
    reported_quote: state.reportedQuote,
    filled_quantity: state.filledQuantity,
    filled_quote: add(order.filled_quote, sum(fresh.map((fill) => fill.quoteQuantity))),
    reason: seen.reason ?? order.reason,
    ...(state.status === 'rejected' && { reason_code: order.reason_code ?? 'ORDER_REJECTED' }),
    // Whoever hears of it cancels it: nobody else looks after a trade that is over.
    ...(isOrphan({ trade, order }) && { reason_code: 'ORDER_PRESUMED_DEAD' }),
  };
  const isNews = state.status !== order.status || state.inDoubt !== order.in_doubt || isFurther(order, state);
  const note = isNews
    ? {
        happening: happeningBetween(order, { status: state.status, in_doubt: state.inDoubt }),
        actor: { type: 'venue', id: order.venue } as const,
        data: { via, observedAtMs: seen.observedAtMs },
      }
    : null;
  const tellAtMs = via === 'send' ? nowMs + answeredMs : nowMs;
  const reported = await changeOrder(tx, { trade, order }, change, note, { position, nowMs, tellAtMs });
  if (isCompletelyFilled(state) && !isCompletelyFilled(stateOf(order))) {
    const { account_id: account, client_order_id: clientOrderId } = order;
    await addOutcome(tx, { account, kind: 'success', cause: `${order.purpose} filled`, clientOrderId, nowMs });
  }
  return { outcome: 'applied', reported };
}

const isFurther = (order: OrderRow, state: OrderState): boolean =>
  isMore(state.reportedQuantity, order.reported_quantity) || isMore(state.reportedQuote, order.reported_quote);

const isCompletelyFilled = (state: OrderState): boolean => state.status === 'filled' && fillsComplete(state);

// The same client order id with other terms, or a second order under it, is not the order that was meant.
const describes = (order: OrderRow, seen: VenueOrder): boolean =>
  seen.symbol === order.symbol &&
  seen.side === order.side &&
  isEqual(seen.quantity, order.quantity) &&
  seen.venueOrderId === order.venue_order_id;

const priced = ({ order, feeAssetPrices }: VenueReport): readonly PricedFill[] =>
  order.fills.map((fill) => ({ ...fill, feeAssetPrice: feeAssetPrices?.[fill.feeAsset] ?? null }));

async function correctAll(tx: Tx, order: OrderRow, altered: readonly AlteredFill[], nowMs: number): Promise<void> {
  for (const each of altered) await correctFill(tx, order, each, nowMs);
}

async function refuse(
  tx: Tx,
  order: OrderRow,
  { order: seen, via, nowMs }: VenueReport,
  reason: ReportFault | 'misdescribed',
): Promise<ReportOutcome> {
  const clientOrderId = order.client_order_id;
  await raiseAlert(tx, {
    condition: `order-report:${clientOrderId}:${reason}`,
    code: 'ORDER_REPORT_ILLEGAL',
    severity: 'CRITICAL',
    context: { clientOrderId, reason, via, status: order.status, said: canonicalJson(seen) },
    tradeId: order.trade_id,
    nowMs,
  });
  return { outcome: 'illegal', reason, reported: reportedOf(order) };
}

/** Parked, it was presumed dead, and the trade has ended without it. */
const isOrphan = ({ trade, order }: Held): boolean => order.status === 'parked' && trade.closed_at_ms !== null;

// What was reserved for it was given back, or serves the order in its place, so it can't go unnoticed that it lives.
async function alertRevival(tx: Tx, held: Held, { order: seen, nowMs }: VenueReport): Promise<void> {
  const { order } = held;
  if (!isTakenForDead(order) && !isOrphan(held)) return;
  if (!isWorking(seen.report.status) && !isMore(seen.report.filledQuantity, order.reported_quantity)) return;
  const { client_order_id: clientOrderId, symbol } = order;
  await raiseAlert(tx, {
    condition: `dead-order-appeared:${clientOrderId}`,
    code: order.reason_code === 'ORDER_DECLARED_DEAD' ? 'DEAD_ORDER_APPEARED' : 'ORPHAN_ORDER',
    severity: 'CRITICAL',
    context: { clientOrderId, symbol, status: seen.report.status, filledQuantity: seen.report.filledQuantity },
    tradeId: order.trade_id,
    nowMs,
  });
}
