import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import type { OrderReported, WorkingOrder } from '../../contracts/messages/messages.ts';
import type { SignedOrder } from '../../contracts/messages/venue-order.ts';
import type { OrderPurpose } from '../../domain/order.ts';
import { fillsComplete, leavesQuantity, type OrderState, type OrderStatus } from '../../domain/order.ts';
import type { Send } from '../../domain/sending.ts';
import type { Db, Tx } from '../database.ts';
import type { OrderRow, Tables, TradeRow } from '../tables.ts';

/** An order as the book has it, as its latest send signs it, with every send so far, oldest first. */
export type BookOrder = SignedOrder & {
  readonly tradeId: string;
  readonly leg: number;
  readonly purpose: OrderPurpose;
  readonly generation: number;
  readonly account: string;
  readonly venue: string;
  readonly sendEpoch: number;
  readonly sends: readonly Send[];
  readonly venueOrderId: string | null;
  readonly status: OrderStatus;
  readonly inDoubt: boolean;
  readonly reported: OrderReported;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** The order, or undefined when it is not ours. */
export async function readOrder(db: Db, clientOrderId: string): Promise<BookOrder | undefined> {
  const row = await db.selectFrom('orders').selectAll().where('client_order_id', '=', clientOrderId).executeTakeFirst();
  return row && (await withSends(db, [row]))[0];
}

/** Whether the order is one of ours. */
export async function isOurs(db: Db, clientOrderId: string): Promise<boolean> {
  const row = await db
    .selectFrom('orders')
    .select('client_order_id')
    .where('client_order_id', '=', clientOrderId)
    .executeTakeFirst();
  return row !== undefined;
}

/** All orders of a trade, in the order they were made. */
export async function ordersOf(db: Db, tradeId: string): Promise<readonly BookOrder[]> {
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .orderBy('created_at_ms')
    .orderBy('generation')
    .execute();
  return withSends(db, rows);
}

/** An order that can fill, is in doubt or parked, or has ended with fills that the book has not seen. */
export const maySayMore = (eb: ExpressionBuilder<Tables, 'orders'>): ExpressionWrapper<Tables, 'orders', SqlBool> =>
  eb.or([
    eb('status', 'in', ['pendingNew', 'new', 'partiallyFilled', 'parked']),
    eb('in_doubt', '=', true),
    eb('filled_quantity', '<', eb.ref('reported_quantity')),
  ]);

/** Orders of which the venue may still have something to say. */
export async function workingOrders(
  db: Db,
  of: { readonly account?: string; readonly purpose?: OrderPurpose } = {},
): Promise<readonly WorkingOrder[]> {
  let query = db.selectFrom('orders').selectAll().where(maySayMore).orderBy('created_at_ms');
  if (of.account !== undefined) query = query.where('account_id', '=', of.account);
  if (of.purpose !== undefined) query = query.where('purpose', '=', of.purpose);
  return (await query.execute()).map(workingOrderOf);
}

/** Orders that a person or the policy took for dead since, and that may appear after all. */
export async function deadOrdersSince(
  db: Db,
  { account, sinceMs }: { readonly account: string; readonly sinceMs: number },
): Promise<readonly WorkingOrder[]> {
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where('account_id', '=', account)
    .where('reason_code', 'in', ['ORDER_DECLARED_DEAD', 'ORDER_PRESUMED_DEAD'])
    .where('updated_at_ms', '>', sinceMs)
    .execute();
  return rows.map(workingOrderOf);
}

export const isTakenForDead = (order: Pick<OrderRow, 'reason_code'>): boolean =>
  order.reason_code === 'ORDER_DECLARED_DEAD' || order.reason_code === 'ORDER_PRESUMED_DEAD';

export const workingOrderOf = (row: OrderRow): WorkingOrder => ({
  clientOrderId: row.client_order_id,
  tradeId: row.trade_id,
  symbol: row.symbol,
  side: row.side,
  leavesQuantity: leavesQuantity(stateOf(row)),
  status: row.status,
});

/** The part of a row that the order's machine works on. */
export const stateOf = (row: OrderRow): OrderState => ({
  status: row.status,
  quantity: row.quantity,
  reportedQuantity: row.reported_quantity,
  reportedQuote: row.reported_quote,
  filledQuantity: row.filled_quantity,
  inDoubt: row.in_doubt,
});

/** What lifecycles are told of an order. */
export const reportedOf = (row: OrderRow): OrderReported => ({
  clientOrderId: row.client_order_id,
  purpose: row.purpose,
  leg: row.leg,
  generation: row.generation,
  status: row.status,
  inDoubt: row.in_doubt,
  filledQuantity: row.filled_quantity,
  filledQuote: row.filled_quote,
  fillsComplete: fillsComplete(stateOf(row)),
  ...(row.reason_code !== null && { reasonCode: row.reason_code }),
  ...(row.reason !== null && { reason: row.reason }),
});

/** Locks what everything about a trade queues for. Undefined: there is no such trade. */
export const lockTrade = (tx: Tx, tradeId: string): Promise<TradeRow | undefined> =>
  tx.selectFrom('trade').selectAll().where('trade_id', '=', tradeId).forNoKeyUpdate().executeTakeFirst();

/** The one order in which rows are locked: the trade's first, then the order's. */
export async function lockOrder(
  tx: Tx,
  clientOrderId: string,
): Promise<{ readonly trade: TradeRow; readonly order: OrderRow } | undefined> {
  const trade = await tx
    .selectFrom('trade')
    .selectAll()
    .where('trade_id', '=', (eb) =>
      eb.selectFrom('orders').select('trade_id').where('client_order_id', '=', clientOrderId),
    )
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (trade === undefined) return undefined;
  const order = await tx
    .selectFrom('orders')
    .selectAll()
    .where('client_order_id', '=', clientOrderId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return { trade, order };
}

async function withSends(db: Db, rows: readonly OrderRow[]): Promise<readonly BookOrder[]> {
  if (rows.length === 0) return [];
  const sends = await db
    .selectFrom('order_send')
    .select(['client_order_id', 'send_epoch as epoch', 'signed_at_ms as signedAtMs', 'outcome'])
    .where(
      'client_order_id',
      'in',
      rows.map((row) => row.client_order_id),
    )
    .orderBy('send_epoch')
    .execute();
  return rows.map((row) =>
    bookOrderOf(
      row,
      sends.filter((send) => send.client_order_id === row.client_order_id),
    ),
  );
}

const bookOrderOf = (row: OrderRow, sends: readonly Send[]): BookOrder => ({
  clientOrderId: row.client_order_id,
  tradeId: row.trade_id,
  leg: row.leg,
  purpose: row.purpose,
  generation: row.generation,
  account: row.account_id,
  venue: row.venue,
  symbol: row.symbol,
  side: row.side,
  orderType: row.order_type,
  timeInForce: row.time_in_force,
  quantity: row.quantity,
  limitPrice: row.limit_price,
  stopPrice: row.stop_price,
  signedAtMs: row.intent_at_ms,
  recvWindowMs: row.recv_window_ms,
  sendEpoch: row.send_epoch,
  sends: sends.map(({ epoch, signedAtMs, outcome }) => ({ epoch, signedAtMs, outcome })),
  venueOrderId: row.venue_order_id,
  status: row.status,
  inDoubt: row.in_doubt,
  reported: reportedOf(row),
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});
