import { sql } from 'kysely';
import type { Decimal } from '../../domain/decimal.ts';
import { fillsComplete, type OrderStatus, type Side } from '../../domain/order.ts';
import type { OpenDifference } from '../../domain/reconciliation/assess.ts';
import type { OwnFill } from '../../domain/reconciliation/fills.ts';
import type { Expectation, HeldPosition } from '../../domain/reconciliation/holdings.ts';
import type { Db, Tx } from '../database.ts';
import { stateOf } from '../orders/book-order.ts';
import { unfoldedMs } from './expected-balances.ts';

/** How far the comparison of an account has come. */
export type ReconciliationStanding = {
  readonly version: number;
  readonly foldedUntilMs: number;
  readonly hasBaseline: boolean;
  readonly completedAtMs: number | null;
};

/** Reads how far it has come; the first reader begins it. */
export async function readStanding(
  db: Db,
  { account, nowMs }: { readonly account: string; readonly nowMs: number },
): Promise<ReconciliationStanding> {
  await db
    .insertInto('reconciliation')
    .values({ account_id: account, folded_until_ms: nowMs - unfoldedMs })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db
    .selectFrom('reconciliation')
    .selectAll()
    .where('account_id', '=', account)
    .executeTakeFirstOrThrow();
  return {
    version: row.version,
    foldedUntilMs: row.folded_until_ms,
    hasBaseline: row.has_baseline,
    completedAtMs: row.completed_at_ms,
  };
}

/** Orders carry our time and fills the venue's: the clocks are no further apart than this, and the way included. */
const clocksApartMs = 60_000;

/** The symbols of every fill that the account has had since, or may have, and those of its positions. */
export async function symbolsInUse(
  db: Db,
  { account, sinceMs }: { readonly account: string; readonly sinceMs: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly symbol: string }>`
    select symbol from orders where account_id = ${account} and updated_at_ms >= ${sinceMs - clocksApartMs}
    union select symbol from orders where account_id = ${account}
      and (status in ('pendingNew', 'new', 'partiallyFilled', 'parked') or in_doubt)
    union select symbol from position where account_id = ${account} and is_open
    order by symbol
  `.execute(db);
  return rows.map(({ symbol }) => symbol);
}

/** An order of somebody else that was heard of, and of which an alert lasts. */
export type ForeignOrder = { readonly symbol: string; readonly venueOrderId: string; readonly clientOrderId: string };

export async function foreignOrdersHeard(
  db: Db,
  { account, venue }: { readonly account: string; readonly venue: string },
): Promise<readonly ForeignOrder[]> {
  const alerts = await db
    .selectFrom('alert')
    .select('context')
    .where('code', '=', 'EXTERNAL_ORDER')
    .where('resolved_at_ms', 'is', null)
    .where(sql<boolean>`context ->> 'account' = ${account} and context ->> 'venue' = ${venue}`)
    .execute();
  return alerts.map(({ context }) => ({
    symbol: String(context['symbol']),
    venueOrderId: String(context['venueOrderId']),
    clientOrderId: String(context['clientOrderId']),
  }));
}

/** As much of an order in the book as is compared. */
export type ComparedOrder = {
  readonly clientOrderId: string;
  readonly venueOrderId: string | null;
  readonly tradeId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly status: OrderStatus;
  readonly reportedQuantity: Decimal;
  /** The venue has spoken of it, and every fill that it has counted is here. */
  readonly isSettled: boolean;
  readonly updatedAtMs: number;
};

/** Those of the account's orders that go by one of these ids, or that the book says work at the venue. */
export async function ordersToCompare(
  db: Db,
  of: {
    readonly account: string;
    readonly venue: string;
    readonly clientOrderIds: readonly string[];
    readonly venueOrderIds: readonly string[];
  },
): Promise<readonly ComparedOrder[]> {
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where('account_id', '=', of.account)
    .where('venue', '=', of.venue)
    .where((eb) =>
      eb.or([
        eb('status', 'in', ['new', 'partiallyFilled']),
        ...(of.clientOrderIds.length === 0 ? [] : [eb('client_order_id', 'in', of.clientOrderIds)]),
        ...(of.venueOrderIds.length === 0 ? [] : [eb('venue_order_id', 'in', of.venueOrderIds)]),
      ]),
    )
    .execute();
  return rows.map((row) => ({
    clientOrderId: row.client_order_id,
    venueOrderId: row.venue_order_id,
    tradeId: row.trade_id,
    symbol: row.symbol,
    side: row.side,
    status: row.status,
    reportedQuantity: row.reported_quantity,
    isSettled: !row.in_doubt && row.status !== 'pendingNew' && row.status !== 'parked' && fillsComplete(stateOf(row)),
    updatedAtMs: row.updated_at_ms,
  }));
}

/** The fills that the book has of a time of the venue's. */
export async function bookFills(
  db: Db,
  { account, venue, sinceMs }: { readonly account: string; readonly venue: string; readonly sinceMs: number },
): Promise<readonly OwnFill[]> {
  return db
    .selectFrom('fill')
    .innerJoin('orders', 'orders.client_order_id', 'fill.client_order_id')
    .select((eb) => [
      'fill.symbol',
      'fill.side',
      'fill.venue_trade_id as venueTradeId',
      eb.fn.coalesce('orders.venue_order_id', eb.val('')).as('venueOrderId'),
      'fill.client_order_id as clientOrderId',
      'fill.trade_id as tradeId',
      'fill.quantity',
      'fill.price',
      'fill.quote_quantity as quoteQuantity',
      'fill.fee',
      'fill.fee_asset as feeAsset',
      'fill.transacted_at_ms as transactedAtMs',
    ])
    .where('fill.account_id', '=', account)
    .where('fill.venue', '=', venue)
    .where('fill.transacted_at_ms', '>=', sinceMs)
    .execute();
}

export type BookHoldings = { readonly expectation: Expectation; readonly positions: readonly HeldPosition[] };

/** The expected balances and the open positions, as they are at one moment. */
export function readHoldings(
  db: Db,
  { account, recentSinceMs }: { readonly account: string; readonly recentSinceMs: number },
): Promise<BookHoldings> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => ({
      expectation: {
        before: await expectedBefore(tx, account, recentSinceMs),
        recent: await flowsSince(tx, account, recentSinceMs),
      },
      positions: await openPositions(tx, account),
    }));
}

async function expectedBefore(tx: Tx, account: string, untilMs: number): Promise<Expectation['before']> {
  const { rows } = await sql<{ readonly asset: string; readonly quantity: Expectation['before'][string] }>`
    select asset, sum(quantity) as quantity from (
      select asset, quantity from expected_balance where account_id = ${account}
      union all
      select asset, change from balance_flow
      where account_id = ${account} and observed_at_ms < ${untilMs}
        and observed_at_ms >= (select folded_until_ms from reconciliation where account_id = ${account})) as part
    group by asset
  `.execute(tx);
  return Object.fromEntries(rows.map(({ asset, quantity }) => [asset, quantity]));
}

const flowsSince = (tx: Tx, account: string, sinceMs: number) =>
  tx
    .selectFrom('balance_flow')
    .select(['asset', 'change'])
    .where('account_id', '=', account)
    .where('observed_at_ms', '>=', sinceMs)
    .orderBy('transacted_at_ms')
    .orderBy((eb) => eb.fn('length', ['venue_trade_id']))
    .orderBy('venue_trade_id')
    .execute();

async function openPositions(tx: Tx, account: string): Promise<readonly HeldPosition[]> {
  const { rows } = await sql<HeldPosition>`
    select trade_id as "tradeId", leg, symbol, split_part(symbol, '/', 1) as asset, held
    from position join trade using (trade_id),
      lateral (select entry_quantity - exit_quantity - base_fee - written_off_quantity as held) h
    where position.account_id = ${account} and is_open and position.side = 'long' and held > 0
    order by opened_at_ms nulls last, trade_id, leg
  `.execute(tx);
  return rows;
}

/** The differences that last, the oldest first. */
export async function openDifferences(db: Db, account: string): Promise<readonly (OpenDifference & Lasting)[]> {
  const rows = await db
    .selectFrom('difference')
    .leftJoin('correction', (join) =>
      join.onRef('correction.difference_id', '=', 'difference.difference_id').on('correction.state', '=', 'proposed'),
    )
    .select([
      'difference.difference_id as differenceId',
      'difference.revision',
      'difference.content as difference',
      'difference.found_at_ms as foundAtMs',
      'correction.correction_id as correctionId',
    ])
    .where('difference.account_id', '=', account)
    .where('difference.ended_at_ms', 'is', null)
    .orderBy('difference.difference_id')
    .execute();
  return rows;
}

type Lasting = { readonly foundAtMs: number; readonly correctionId: string | null };

/** Those of the keys that a person has taken note of for good. */
export async function acceptedKeys(db: Db, account: string, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const rows = await db
    .selectFrom('difference')
    .innerJoin('correction', 'correction.difference_id', 'difference.difference_id')
    .select('difference_key')
    .where('difference.account_id', '=', account)
    .where('ending', '=', 'corrected')
    .where('correction.kind', '=', 'acknowledge')
    .where('correction.state', '=', 'applied')
    .where('difference_key', 'in', keys)
    .execute();
  return new Set(rows.map((row) => row.difference_key));
}
