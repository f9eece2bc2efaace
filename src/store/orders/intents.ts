import { sql } from 'kysely';
import type { Actor } from '../../contracts/messages/events.ts';
import type { OrderRef, OrderReported, OrderTerms } from '../../contracts/messages/messages.ts';
import { entryId, exitId, protectId } from '../../contracts/messages/names.ts';
import { type Decimal, zero } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { OrderPurpose, TimeInForce } from '../../domain/order.ts';
import type { Db } from '../database.ts';
import { encodeRecord } from '../record.ts';
import { type BookOrder, readOrder } from './book-order.ts';

export type OrderIntent = OrderRef &
  OrderTerms & {
    readonly clientOrderId: string;
    readonly account: string;
    readonly venue: string;
    readonly symbol: string;
    /** Of an order with a limit; GTC when absent. */
    readonly timeInForce?: TimeInForce | null;
    /** What the order is signed with: the venue's clock. */
    readonly signedAtMs: number;
    readonly recvWindowMs: number;
    readonly nowMs: number;
  };

export type IntentOutcome =
  /** `existing`: an earlier attempt committed it and may have sent it. */
  | { readonly outcome: 'committed' | 'existing'; readonly order: BookOrder }
  /** A hold in force refuses every entry. */
  | { readonly outcome: 'held'; readonly holdId: string }
  | { readonly outcome: 'not-approved' | 'exit-requested' }
  /** More than what was reserved for the leg, or more than there is to sell; with what is left of it. */
  | { readonly outcome: 'exceeds-reservation' | 'exceeds-position'; readonly quantityLeft: Decimal };

type IntentResult = {
  readonly outcome: string;
  readonly hold_id: string | null;
  readonly quantity_left: Decimal | null;
};

/**
 * Commits the intent of an order with its record, in one statement on the server: no stopped client can keep its locks.
 * Only after this may the first byte leave. A hold that was committed before refuses an entry; one that comes later
 * waits for it. Exits are refused by nothing but the position, stops also by an exit that was asked for.
 */
export async function commitIntent(db: Db, intent: OrderIntent): Promise<IntentOutcome> {
  const row = rowOf(intent);
  const { nowMs: _, ...data } = intent;
  const { eventId, body } = encodeRecord({
    type: intent.purpose === 'entry' ? 'OrderIntent' : 'ExitIntent',
    key: [intent.clientOrderId],
    tradeId: intent.tradeId,
    atMs: intent.nowMs,
    actor: actorOf(intent),
    data,
  });
  const { rows } = await sql<IntentResult>`
    select * from ${sql.raw(committing[intent.purpose])}(${JSON.stringify(row)}::jsonb, ${eventId}::uuid, ${body})
  `.execute(db);
  return outcomeOf(db, intent, rows[0]);
}

const committing: Readonly<Record<OrderPurpose, string>> = {
  entry: 'commit_entry_intent',
  exit: 'commit_exit_intent',
  stop: 'commit_stop_intent',
};

export type RenewOutcome =
  | { readonly outcome: 'renewed'; readonly order: BookOrder }
  /** It may not be sent again, for this reason; `reported` is how it stands. */
  | {
      readonly outcome: 'superseded' | 'not-pending' | 'in-doubt' | 'too-early' | 'held' | 'exit-requested';
      readonly reported: OrderReported;
    };

/**
 * Gives the same order a new send epoch with a timestamp of its own, by compare-and-set: only when every send so far
 * definitely did not reach the matching engine, the last one's window is over, and (for entries) no hold is in force.
 */
export async function renewIntent(
  db: Db,
  renewal: {
    readonly clientOrderId: string;
    readonly fromEpoch: number;
    readonly signedAtMs: number;
    readonly nowMs: number;
  },
): Promise<RenewOutcome> {
  const { clientOrderId, fromEpoch, signedAtMs, nowMs } = renewal;
  const known = await readOrder(db, clientOrderId);
  invariant(known !== undefined, `an order that is sent again has an intent, ${clientOrderId} has none`);
  const { eventId, body } = encodeRecord({
    type: known.purpose === 'entry' ? 'OrderIntentRenewed' : 'ExitIntentRenewed',
    key: [clientOrderId, fromEpoch + 1],
    tradeId: known.tradeId,
    atMs: nowMs,
    actor: actorOf(known),
    data: { clientOrderId, sendEpoch: fromEpoch + 1, signedAtMs, recvWindowMs: known.recvWindowMs },
  });
  const { rows } = await sql<{ readonly outcome: RenewOutcome['outcome'] }>`
    select * from renew_intent(${clientOrderId}, ${fromEpoch}, ${signedAtMs}, ${nowMs}, ${eventId}::uuid, ${body})
  `.execute(db);
  const order = (await readOrder(db, clientOrderId)) ?? known;
  const outcome = rows[0]?.outcome ?? 'not-pending';
  return outcome === 'renewed' ? { outcome, order } : { outcome, reported: order.reported };
}

/** Named like the columns, because the server makes a row of it. Decimals stay text. */
export const rowOf = (intent: OrderIntent) => ({
  client_order_id: intent.clientOrderId,
  trade_id: intent.tradeId,
  leg: intent.leg,
  purpose: intent.purpose,
  generation: intent.generation,
  account_id: intent.account,
  venue: intent.venue,
  symbol: intent.symbol,
  side: intent.side,
  order_type: intent.orderType,
  time_in_force: timeInForceOf(intent),
  quantity: intent.quantity,
  limit_price: intent.limitPrice,
  stop_price: intent.stopPrice,
  intent_at_ms: intent.signedAtMs,
  recv_window_ms: intent.recvWindowMs,
  created_at_ms: intent.nowMs,
});

async function outcomeOf(db: Db, intent: OrderIntent, result: IntentResult | undefined): Promise<IntentOutcome> {
  switch (result?.outcome) {
    case 'committed':
      return { outcome: 'committed', order: justCommitted(intent) };
    case 'existing': {
      const order = await readOrder(db, intent.clientOrderId);
      invariant(order !== undefined, `an existing intent is an order, ${intent.clientOrderId} is none`);
      return { outcome: 'existing', order };
    }
    case 'held':
      return { outcome: 'held', holdId: result.hold_id ?? '' };
    case 'not-approved':
    case 'exit-requested':
      return { outcome: result.outcome };
    case 'exceeds-reservation':
    case 'exceeds-position':
      return { outcome: result.outcome, quantityLeft: result.quantity_left ?? zero };
  }
  throw new Error(`Invariant: the database knows this outcome of an intent, was ${result?.outcome}`);
}

/** Not read back: a database that failed just then would leave an order that nobody may send. */
export function justCommitted(intent: OrderIntent): BookOrder {
  const { nowMs, ...order } = intent;
  const { clientOrderId, purpose, leg, generation } = intent;
  return {
    ...order,
    timeInForce: timeInForceOf(intent),
    sendEpoch: 1,
    sends: [{ epoch: 1, signedAtMs: intent.signedAtMs, outcome: null }],
    venueOrderId: null,
    status: 'pendingNew',
    inDoubt: false,
    reported: {
      clientOrderId,
      purpose,
      leg,
      generation,
      status: 'pendingNew',
      inDoubt: false,
      filledQuantity: zero,
      filledQuote: zero,
      fillsComplete: true,
    },
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

const timeInForceOf = ({ orderType, timeInForce }: OrderIntent): TimeInForce | null =>
  orderType === 'MARKET' ? null : (timeInForce ?? 'GTC');

const lifecycleOf: Record<OrderPurpose, (tradeId: string) => string> = {
  entry: entryId,
  exit: exitId,
  stop: protectId,
};

export const actorOf = ({ purpose, tradeId }: { readonly purpose: OrderPurpose; readonly tradeId: string }): Actor => ({
  type: 'workflow',
  id: lifecycleOf[purpose](tradeId),
});

/** The strictest hold that an entry order meets now, by its id; null when none does. */
export async function holdOver(db: Db, clientOrderId: string, nowMs: number): Promise<string | null> {
  const { rows } = await sql<{ readonly holdId: string | null }>`
    select (strictest_hold(trade.account_id, trade.strategy, orders.symbol, ${nowMs})).hold_id as "holdId"
    from orders join trade using (trade_id) where client_order_id = ${clientOrderId}
  `.execute(db);
  return rows[0]?.holdId ?? null;
}
