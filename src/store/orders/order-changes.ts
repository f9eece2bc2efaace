import type { Actor, EventType } from '../../contracts/messages/events.ts';
import type { OrderReported } from '../../contracts/messages/messages.ts';
import { type Decimal, divide, isEqual } from '../../domain/decimal.ts';
import { isClosed, type OrderPurpose } from '../../domain/order.ts';
import { resolveAlert } from '../alerts.ts';
import { canonicalJson } from '../canonical.ts';
import type { Tx } from '../database.ts';
import { openExit } from '../exits/exit-requests.ts';
import { resolveProtection } from '../guards/protection-alerts.ts';
import { enqueue } from '../outbox.ts';
import { record } from '../record.ts';
import type { OrderRow, PositionRow, TradePhase, TradeRow } from '../tables.ts';
import { orderReportedMessage } from '../trades/trade-messages.ts';
import { type EntryNews, followEntry } from '../trades/trade-progress.ts';
import { reportedOf } from './book-order.ts';

/** What may change in an order's row; the rest of it is its intent and stays. */
export type OrderChange = Partial<
  Pick<
    OrderRow,
    | 'status'
    | 'in_doubt'
    | 'venue_order_id'
    | 'reported_quantity'
    | 'reported_quote'
    | 'filled_quantity'
    | 'filled_quote'
    | 'reason_code'
    | 'reason'
  >
>;

type Happening =
  | 'NotSent'
  | 'Throttled'
  | 'Rejected'
  | 'Unknown'
  | 'Acked'
  | 'Progressed'
  | 'Closed'
  | 'Resolved'
  | 'Parked';

/** The record's word for what happened to an order; exits have their own, because no hold stops them. */
const orderEvent = (purpose: OrderPurpose, happening: Happening): EventType =>
  purpose === 'entry' ? `Order${happening}` : `Exit${happening}`;

export type ChangeNote = {
  readonly happening: Happening;
  readonly actor: Actor;
  /** Evidence for the record, beside what changed. */
  readonly data?: Readonly<Record<string, unknown>>;
};

type Circumstances = {
  readonly position?: PositionRow | undefined;
  readonly nowMs: number;
  /** When whoever waits for the order is told by message; at once where nothing is said. */
  readonly tellAtMs?: number;
};

/**
 * The one way an order's row changes: with one record (`note`; null where fills alone are the news, which have records
 * of their own), the trade brought in line, and whoever waits for it told. The caller holds the trade's and the
 * order's row; `position` is that of the leg after new fills.
 */
export async function changeOrder(
  tx: Tx,
  held: { readonly trade: TradeRow; readonly order: OrderRow },
  change: OrderChange,
  note: ChangeNote | null,
  { position, nowMs, tellAtMs = nowMs }: Circumstances,
): Promise<OrderReported> {
  const { trade, order: before } = held;
  const after = await tx
    .updateTable('orders')
    .set({ ...change, revision: before.revision + 1, updated_at_ms: nowMs })
    .where('client_order_id', '=', before.client_order_id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (note !== null) await recordChange(tx, before, after, note, nowMs);
  const reported = reportedOf(after);
  if (canonicalJson(reported) === canonicalJson(reportedOf(before))) return reported;
  if (before.status === 'parked' && after.status !== 'parked') await resolveParking(tx, after, nowMs);
  if (isUnknown(before) && !isUnknown(after) && nowMs >= before.created_at_ms + unresolvedMaxMs) {
    await resolveUnresolved(tx, after, nowMs);
  }
  if (after.purpose === 'exit' && after.generation > 1 && isTaken(after) && !isTaken(before)) {
    await resolveAlert(tx, { condition: exitRefusedCondition(after.trade_id), nowMs });
  }
  if (after.purpose === 'entry') await followEntry(tx, trade, newsOf(after, position), nowMs);
  const phase = after.purpose === 'stop' ? await followStop(tx, trade, { before, after }, nowMs) : trade.phase;
  if (isToListener(before, after)) {
    await enqueue(tx, [orderReportedMessage({ tradeId: after.trade_id, phase }, reported)], nowMs, tellAtMs);
  }
  return reported;
}

/**
 * An entry lives on what its order has come to, not on each fill, and an order may have more fills than a history has
 * room for: of those on the way it hears once a percent of the order. Whoever waits for another order hears of each.
 */
function isToListener(before: OrderRow, after: OrderRow): boolean {
  if (after.purpose !== 'entry') return true;
  const isFurther = !isEqual(percentFilled(before), percentFilled(after));
  return isFurther || canonicalJson(butForQuantities(before)) !== canonicalJson(butForQuantities(after));
}

const percentFilled = ({ filled_quantity, quantity }: OrderRow): Decimal => divide(filled_quantity, quantity, 2);

const butForQuantities = (order: OrderRow) => ({ ...reportedOf(order), filledQuantity: null, filledQuote: null });

/** What has sold at the venue without us is an exit like any other: the rest of the trade follows it. */
async function followStop(
  tx: Tx,
  trade: TradeRow,
  { before, after }: { readonly before: OrderRow; readonly after: OrderRow },
  nowMs: number,
): Promise<TradePhase> {
  const tradeId = trade.trade_id;
  if (stands(after) && !stands(before)) await resolveProtection(tx, tradeId, nowMs);
  if (after.status !== 'filled' || before.status === 'filled') return trade.phase;
  const { client_order_id: clientOrderId, venue } = after;
  const trigger = { kind: 'protectiveStop', clientOrderId, stopPrice: after.stop_price };
  const asked = { reason: 'protectiveStop', source: 'protectiveStop' } as const;
  if ((await openExit(tx, trade, { ...asked, trigger, nowMs })) !== 'requested') return trade.phase;
  await record(tx, {
    type: 'ExitRequested',
    key: [tradeId],
    tradeId,
    atMs: nowMs,
    actor: { type: 'venue', id: venue },
    data: { ...asked, trigger },
  });
  return 'closing';
}

/** The venue has it, or it has done all that it was to do. */
const stands = ({ status }: OrderRow): boolean =>
  status === 'new' || status === 'partiallyFilled' || status === 'filled';

/** The venue has it, or had it. */
const isTaken = (order: OrderRow): boolean =>
  stands(order) || order.status === 'canceled' || order.status === 'expired';

const newsOf = (after: OrderRow, position: PositionRow | undefined): EntryNews => ({
  clientOrderId: after.client_order_id,
  leg: after.leg,
  reason: after.reason_code ?? after.status,
  isAcked: after.status === 'new' || after.status === 'partiallyFilled',
  hasNewFills: position !== undefined,
  position,
});

/** What a change of status, quantities or doubt is called. */
export function happeningBetween(before: OrderRow, after: Pick<OrderRow, 'status' | 'in_doubt'>): Happening {
  if (after.status === 'rejected' && before.status !== 'rejected') return 'Rejected';
  if (before.status === 'parked' || (before.in_doubt && !after.in_doubt)) return 'Resolved';
  if (before.status === 'pendingNew' && after.status !== 'pendingNew') return 'Acked';
  return isClosed(after.status) && !isClosed(before.status) ? 'Closed' : 'Progressed';
}

export const unresolvedCondition = (clientOrderId: string): string => `order-unresolved:${clientOrderId}`;

export const exitRefusedCondition = (tradeId: string): string => `exit-refused:${tradeId}`;

/**
 * Later than this nobody may be without an answer about an order, or an alert that names it. Looks are up to 8 s apart, and
 * the one after this must still be within the minute that is promised.
 */
export const unresolvedMaxMs = 50_000;

/** Nobody knows what became of it, and it is being asked for. */
export const isUnknown = ({ status, in_doubt }: OrderRow): boolean =>
  status === 'pendingNew' || (in_doubt && status !== 'parked');

const resolveUnresolved = (tx: Tx, order: OrderRow, nowMs: number): Promise<boolean> =>
  resolveAlert(tx, { condition: unresolvedCondition(order.client_order_id), nowMs });

export const parkedCondition = (clientOrderId: string): string => `order-parked:${clientOrderId}`;

const resolveParking = (tx: Tx, order: OrderRow, nowMs: number): Promise<boolean> =>
  resolveAlert(tx, { condition: parkedCondition(order.client_order_id), nowMs });

const recordChange = (tx: Tx, before: OrderRow, after: OrderRow, note: ChangeNote, nowMs: number): Promise<void> =>
  record(tx, {
    type: orderEvent(after.purpose, note.happening),
    // Counted, because an order can be parked, asked for again and parked again.
    key: [after.client_order_id, after.revision],
    tradeId: after.trade_id,
    atMs: nowMs,
    actor: note.actor,
    data: {
      clientOrderId: after.client_order_id,
      venueOrderId: after.venue_order_id,
      symbol: after.symbol,
      side: after.side,
      from: before.status,
      status: after.status,
      inDoubt: after.in_doubt,
      reportedQuantity: after.reported_quantity,
      reportedQuote: after.reported_quote,
      filledQuantity: after.filled_quantity,
      reasonCode: after.reason_code ?? undefined,
      reason: after.reason ?? undefined,
      ...note.data,
    },
  });
