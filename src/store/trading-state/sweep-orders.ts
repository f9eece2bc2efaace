import type { HoldScope } from '../../contracts/messages/messages.ts';
import { isWorking } from '../../domain/order.ts';
import type { Db } from '../database.ts';
import type { OrderRow } from '../tables.ts';
import { entriesInScope } from './hold-scope.ts';

type SweepOrder = { readonly clientOrderId: string; readonly symbol: string; readonly venue: string };

/** What the book has of the orders in a sweep's scope. */
export type SweepBook = {
  /** Entry orders of the scope among those that were asked for, by client order id. */
  readonly entries: ReadonlyMap<string, SweepOrder>;
  /** Entry orders of the scope that work as far as the book knows. */
  readonly working: readonly SweepOrder[];
  /** Those of which nobody knows yet whether they will appear. */
  readonly awaited: readonly string[];
  /** Symbols with an open position, or with an order that takes risk away: nothing there may be canceled as a whole. */
  readonly heldSymbols: ReadonlySet<string>;
};

/** Reads what a look needs: the orders that the venue lists, and those that the book takes for working. */
export async function readSweepBook(
  db: Db,
  of: { readonly scope: HoldScope; readonly venue: string; readonly listed: readonly string[] },
): Promise<SweepBook> {
  const { listed } = of;
  const rows = await entriesInScope(db, of.scope)
    .where('venue', '=', of.venue)
    .where((eb) =>
      eb.or([
        eb('client_order_id', 'in', listed.length === 0 ? [''] : listed),
        eb('status', 'in', ['pendingNew', 'new', 'partiallyFilled']),
        eb.and([eb('in_doubt', '=', true), eb('status', '<>', 'parked')]),
      ]),
    )
    .execute();
  const asked = new Set(listed);
  const orders = rows.map(orderOf);
  const working = rows.filter((row) => isWorking(row.status) || (row.in_doubt && row.status !== 'parked'));
  return {
    entries: new Map(orders.filter((one) => asked.has(one.clientOrderId)).map((one) => [one.clientOrderId, one])),
    working: working.map(orderOf),
    awaited: working.filter((row) => row.status === 'pendingNew' || row.in_doubt).map((row) => row.client_order_id),
    heldSymbols: await readHeldSymbols(db),
  };
}

const orderOf = (row: OrderRow): SweepOrder => ({
  clientOrderId: row.client_order_id,
  symbol: row.symbol,
  venue: row.venue,
});

/** Trades of the scope that are or may come to be in the market, with whether somebody has asked for their exit. */
export async function tradesToFlatten(
  db: Db,
  { scope, venue }: { readonly scope: HoldScope; readonly venue: string },
): Promise<readonly { readonly tradeId: string; readonly isLeaving: boolean }[]> {
  let query = db
    .selectFrom('trade')
    .select(['trade_id', 'phase'])
    .where('venue', '=', venue)
    .where('phase', 'in', ['placing', 'working', 'open', 'closing'])
    .orderBy('decided_at_ms');
  if (scope.kind === 'account') query = query.where('account_id', '=', scope.id);
  if (scope.kind === 'strategy') query = query.where('strategy', '=', scope.id);
  if (scope.kind === 'symbol') {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('reservation')
          .select('leg')
          .whereRef('reservation.trade_id', '=', 'trade.trade_id')
          .where('symbol', '=', scope.id),
      ),
    );
  }
  return (await query.execute()).map(({ trade_id, phase }) => ({ tradeId: trade_id, isLeaving: phase === 'closing' }));
}

async function readHeldSymbols(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('position')
    .select('symbol')
    .where('is_open', '=', true)
    .union(
      db
        .selectFrom('orders')
        .select('symbol')
        .where('purpose', '<>', 'entry')
        .where('status', 'in', ['pendingNew', 'new', 'partiallyFilled', 'parked']),
    )
    .execute();
  return new Set(rows.map(({ symbol }) => symbol));
}
