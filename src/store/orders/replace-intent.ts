import { sql } from 'kysely';
import { type Decimal, zero } from '../../domain/decimal.ts';
import type { Db } from '../database.ts';
import { encodeRecord } from '../record.ts';
import type { BookOrder } from './book-order.ts';
import { actorOf, justCommitted, type OrderIntent, rowOf } from './intents.ts';

export type ReplaceOutcome =
  | { readonly outcome: 'committed'; readonly order: BookOrder }
  /**
   * `existing`: an earlier attempt committed it and may have sent it; `not-working`: there is nothing to replace;
   * `exit-requested`: the exit treats the trade's stops from now on.
   */
  | { readonly outcome: 'existing' | 'not-working' | 'exit-requested' }
  | { readonly outcome: 'exceeds-position'; readonly quantityLeft: Decimal };

/**
 * Commits the intent of an exit or a stop that takes the place of another, with its record, in one statement on the
 * server. No hold stops it.
 */
export async function commitReplacement(
  db: Db,
  { intent, replaced }: { readonly intent: OrderIntent; readonly replaced: string },
): Promise<ReplaceOutcome> {
  const { nowMs: atMs, ...data } = intent;
  const { eventId, body } = encodeRecord({
    type: 'ExitIntent',
    key: [intent.clientOrderId],
    tradeId: intent.tradeId,
    atMs,
    actor: actorOf(intent),
    data: { ...data, replaces: replaced },
  });
  const commit = sql.raw(intent.purpose === 'stop' ? 'commit_stop_intent' : 'commit_replace_intent');
  const { rows } = await sql<{ readonly outcome: ReplaceOutcome['outcome']; readonly quantity_left: Decimal | null }>`
    select * from ${commit}(${JSON.stringify(rowOf(intent))}::jsonb, ${eventId}::uuid, ${body}, ${replaced})
  `.execute(db);
  const { outcome = 'not-working', quantity_left } = rows[0] ?? {};
  if (outcome === 'committed') return { outcome, order: justCommitted(intent) };
  return outcome === 'exceeds-position' ? { outcome, quantityLeft: quantity_left ?? zero } : { outcome };
}
