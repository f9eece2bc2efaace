import { sql } from 'kysely';
import type { Db } from './database.ts';

/** What there is to do, as counts. Times are null where there is nothing. */
export type BookStatus = {
  readonly trades: {
    readonly placing: number;
    readonly working: number;
    readonly open: number;
    readonly closing: number;
  };
  readonly orders: { readonly working: number; readonly inDoubt: number; readonly parked: number };
  readonly outbox: { readonly open: number; readonly oldestAtMs: number | null };
  readonly audit: { readonly unsealed: number; readonly oldestUnsealedAtMs: number | null };
  readonly armedGuards: number;
};

/** The state of the book in numbers, in one statement. */
export async function readStatus(db: Db): Promise<BookStatus> {
  const { rows } = await sql<Record<string, number | null>>`
    select
      (select count(*) from trade where phase = 'placing') as placing,
      (select count(*) from trade where phase = 'working') as "tradesWorking",
      (select count(*) from trade where phase = 'open') as open,
      (select count(*) from trade where phase = 'closing') as closing,
      (select count(*) from orders where status in ('pendingNew', 'new', 'partiallyFilled')) as "ordersWorking",
      (select count(*) from orders where in_doubt) as "inDoubt",
      (select count(*) from orders where status = 'parked') as parked,
      (select count(*) from outbox where settled_at_ms is null) as messages,
      (select min(created_at_ms) from outbox where settled_at_ms is null) as "oldestMessageAtMs",
      (select count(*) from audit_event where seq is null) as unsealed,
      (select floor(extract(epoch from min(recorded_at)) * 1000)::bigint from audit_event where seq is null)
        as "oldestUnsealedAtMs",
      (select count(*) from guard where disarmed_at_ms is null and triggered_at_ms is null) as "armedGuards"
  `.execute(db);
  const row = rows[0] ?? {};
  const count = (name: string) => row[name] ?? 0;
  return {
    trades: {
      placing: count('placing'),
      working: count('tradesWorking'),
      open: count('open'),
      closing: count('closing'),
    },
    orders: { working: count('ordersWorking'), inDoubt: count('inDoubt'), parked: count('parked') },
    outbox: { open: count('messages'), oldestAtMs: row['oldestMessageAtMs'] ?? null },
    audit: { unsealed: count('unsealed'), oldestUnsealedAtMs: row['oldestUnsealedAtMs'] ?? null },
    armedGuards: count('armedGuards'),
  };
}
