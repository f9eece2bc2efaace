import { CompiledQuery } from 'kysely';
import type { Simulator } from '../../../src/simulator/server.ts';
import type { Db } from '../../../src/store/database.ts';
import { type Evidence, gatherBook } from '../evidence.ts';
import { paperControl } from '../paper-control.ts';

/** What the oracle judges, of one account, and what only a bench can see. */
export type BenchEvidence = Evidence & {
  /** Of each intent: the last request that the venue had received when it was committed. */
  readonly intents: ReadonlyMap<string, number>;
};

/**
 * Reads what an account's trades have left. Time is the venue's, which stands still: a record's is the one that it
 * states, and which of two things came first is told by `intents`, not by it.
 */
export async function gatherBench(
  db: Db,
  { controlUrl }: Simulator,
  account: string,
  intents: ReadonlyMap<string, number>,
): Promise<BenchEvidence> {
  const book = await gatherBook({
    venue: paperControl(controlUrl),
    atOneMoment: (read) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((tx) =>
          read(
            async (statement, parameters = []) =>
              (await tx.executeQuery(CompiledQuery.raw(statement, [...parameters]))).rows as never,
          ),
        ),
  });
  const trades = book.trades.filter(({ account_id }) => account_id === account);
  const ids = new Set(trades.map(({ trade_id }) => trade_id));
  const ours = <Row extends { readonly trade_id: string }>(rows: readonly Row[]) =>
    rows.filter(({ trade_id }) => ids.has(trade_id));
  const orders = ours(book.orders);
  const orderIds = new Set(orders.map(({ client_order_id }) => client_order_id));
  const isOurs = (text: string) => [...ids, ...orderIds].some((id) => text.includes(`"${id}"`));
  const alerts = book.alerts.filter(
    ({ context, condition_key }) =>
      context['account'] === account ||
      isOurs(JSON.stringify([...Object.values(context), ...condition_key.split(':')])),
  );
  const alertIds = new Set(alerts.map(({ alert_id }) => alert_id));
  return {
    ...book,
    accounts: book.accounts.filter(({ account_id }) => account_id === account),
    trades,
    orders,
    alerts,
    sends: book.sends.filter(({ client_order_id }) => orderIds.has(client_order_id)),
    fills: ours(book.fills),
    reservations: ours(book.reservations),
    positions: ours(book.positions),
    guards: ours(book.guards),
    exitRequests: ours(book.exitRequests),
    events: book.events
      .filter(({ tradeId, body }) => ids.has(tradeId ?? '') || alertIds.has(String(body['alertId'])))
      .map((event) => ({ ...event, recordedAtMs: Date.parse(String(event.body['at'])) })),
    intents,
  };
}
