import { sql } from 'kysely';
import type { EntryRequest } from '../../contracts/messages/entry-request.ts';
import { entryRateOf, type LimitsRead, throttleOf } from '../../domain/limits/limits.ts';
import type { RecentEntries } from '../../domain/limits/snapshot.ts';
import { hashOf } from '../canonical.ts';
import type { Tx } from '../database.ts';

/** Two entries with the same one are the same to the throttle. The price is not in it: it follows the market. */
export const fingerprintOf = ({ strategy, legs }: EntryRequest): string =>
  hashOf({ strategy, legs: legs.map(({ symbol, side, quantity }) => [symbol, side, quantity]) });

/**
 * What was approved lately, within the windows of the limits. Whoever switches a strategy on again begins anew: what it
 * sent before does not count.
 */
export async function readRecentEntries(
  tx: Tx,
  request: EntryRequest,
  limits: LimitsRead,
  nowMs: number,
): Promise<RecentEntries> {
  const { account, strategy } = request;
  const repeatedSinceMs = nowMs - throttleOf(limits).windowMs;
  const sinceMs = nowMs - entryRateOf(limits).windowMs;
  const { rows } = await sql<RecentEntries>`
    select
      (select count(*)::integer from trade
        where account_id = ${account} and fingerprint = ${fingerprintOf(request)} and decision = 'approved'
          and decided_at_ms > greatest(${repeatedSinceMs}::bigint, (
            select coalesce(max(lifted_at_ms), 0) from hold
            where source = 'throttle' and scope_kind = 'strategy' and scope_id = ${strategy}))) as identical,
      (select count(*)::integer from trade
        where account_id = ${account} and decision = 'approved' and decided_at_ms > ${sinceMs}) as entries
  `.execute(tx);
  return rows[0] ?? { identical: 0, entries: 0 };
}
