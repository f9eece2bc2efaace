import { sql } from 'kysely';
import { entryId } from '../../contracts/messages/names.ts';
import { resolveAlert } from '../alerts.ts';
import { type Db, inTransaction } from '../database.ts';
import { encodeRecord } from '../record.ts';
import { type BookOrder, readOrder } from './book-order.ts';
import { justCommitted, type OrderIntent, rowOf } from './intents.ts';
import { unresolvedCondition } from './order-changes.ts';

export type ResendOutcome =
  /** The next generation may be sent. */
  | { readonly outcome: 'committed'; readonly order: BookOrder }
  /** `existing`: somebody else has intended it; `not-pending`: the venue has answered for the old one meanwhile. */
  | { readonly outcome: 'existing' | 'not-pending' | 'held' | 'exit-requested' };

/**
 * Presumes an entry order dead and commits the intent of its next generation, with both records, in one statement on
 * the server: what was reserved passes from the one to the other. The alert that nobody knows of the old one ends with
 * that. A presumption is no proof, so what it still does is followed and counted.
 */
export async function commitResend(
  db: Db,
  { dead, intent }: { readonly dead: BookOrder; readonly intent: OrderIntent },
): Promise<ResendOutcome> {
  const { nowMs: atMs, ...next } = intent;
  const actor = { type: 'workflow', id: entryId(intent.tradeId) } as const;
  const common = { tradeId: intent.tradeId, atMs, actor };
  const presumption = encodeRecord({
    type: 'OrderPresumedDead',
    key: [dead.clientOrderId],
    ...common,
    data: {
      clientOrderId: dead.clientOrderId,
      symbol: dead.symbol,
      side: dead.side,
      from: dead.status,
      status: 'canceled',
      inDoubt: false,
      reasonCode: 'ORDER_PRESUMED_DEAD',
      nextClientOrderId: intent.clientOrderId,
    },
  });
  const intention = encodeRecord({ type: 'OrderIntent', key: [intent.clientOrderId], ...common, data: next });
  return inTransaction(db, async (tx) => {
    const { rows } = await sql<{ readonly outcome: ResendOutcome['outcome'] }>`
      select * from commit_resend_intent(${dead.clientOrderId}, ${presumption.eventId}::uuid, ${presumption.body},
        ${JSON.stringify(rowOf(intent))}::jsonb, ${intention.eventId}::uuid, ${intention.body})
    `.execute(tx);
    const outcome = rows[0]?.outcome ?? 'not-pending';
    if (outcome !== 'committed') return { outcome };
    await resolveAlert(tx, { condition: unresolvedCondition(dead.clientOrderId), nowMs: atMs });
    return { outcome, order: justCommitted(intent) };
  });
}

/** The order, or the generation that has come after it since it was presumed dead. */
export async function readCurrentOrder(
  db: Db,
  generation: number,
  idOf: (generation: number) => string,
): Promise<BookOrder | undefined> {
  const order = await readOrder(db, idOf(generation));
  return order?.reported.reasonCode === 'ORDER_PRESUMED_DEAD' ? readCurrentOrder(db, generation + 1, idOf) : order;
}

/** How many of these orders of the venue are in the book. */
export async function ordersAtVenue(
  db: Db,
  of: { readonly account: string; readonly symbol: string; readonly venueOrderIds: readonly string[] },
): Promise<number> {
  if (of.venueOrderIds.length === 0) return 0;
  const rows = await db
    .selectFrom('orders')
    .select('client_order_id')
    .where('account_id', '=', of.account)
    .where('symbol', '=', of.symbol)
    .where('venue_order_id', 'in', of.venueOrderIds)
    .execute();
  return rows.length;
}
