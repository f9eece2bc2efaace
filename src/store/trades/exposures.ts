import { sql } from 'kysely';
import type { Exposure } from '../../domain/limits/snapshot.ts';
import type { Db } from '../database.ts';

/**
 * What counts against the account's limits: open positions at cost, and what is still pending of each reservation. The
 * gate reads it under the account's lock; whoever reads it without may see the room change by the next moment.
 */
export async function readExposures(db: Db, account: string): Promise<readonly Exposure[]> {
  const { rows } = await sql<Exposure>`
    select trade_id as "tradeId", symbol, side, held as quantity,
      round(entry_quote * held / entry_quantity, 18) as notional, unit_delta as "unitDelta", unit_gamma as "unitGamma"
    from position, lateral (select entry_quantity - exit_quantity - base_fee - written_off_quantity as held) h
    where account_id = ${account} and is_open and held > 0
    union all
    select trade_id, symbol, case side when 'BUY' then 'long' else 'short' end, pending,
      pending * price, unit_delta, unit_gamma
    from reservation, lateral (select quantity - posted_quantity - voided_quantity as pending) p
    where account_id = ${account} and posted_quantity + voided_quantity < quantity
  `.execute(db);
  return rows;
}
