import type { EventEnvelope } from '../../contracts/messages/events.ts';
import type { Db } from '../database.ts';

/** A record of a trade. `no` is where to go on from; `seq` its place in the chain, null until it is sealed. */
export type TradeRecord = {
  readonly no: number;
  readonly seq: number | null;
  readonly body: EventEnvelope & Readonly<Record<string, unknown>>;
};

/**
 * A trade's records after a number, in the order they were added. Whoever follows a trade goes on from the last one. A
 * stop that moves is recorded beside everything else, so such a record can appear behind one with a higher number and
 * be missed by who follows; a fresh reading has them all.
 */
export async function tradeRecords(
  db: Db,
  tradeId: string,
  after: { readonly no: number; readonly limit: number },
): Promise<readonly TradeRecord[]> {
  const rows = await db
    .selectFrom('audit_event')
    .select(['insert_no', 'seq', 'body'])
    .where('trade_id', '=', tradeId)
    .where('insert_no', '>', after.no)
    .orderBy('insert_no')
    .limit(after.limit)
    .execute();
  return rows.map((row) => ({ no: row.insert_no, seq: row.seq, body: JSON.parse(row.body) }));
}
