import { sql } from 'kysely';
import type { EntryDecision } from '../../contracts/messages/decision.ts';
import type { EntryRequest } from '../../contracts/messages/entry-request.ts';
import type { ExitReason, PositionClosed } from '../../contracts/messages/messages.ts';
import type { VenueFill } from '../../contracts/messages/venue-order.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { Guard } from '../../domain/guard.ts';
import type { PositionSide } from '../../domain/order.ts';
import type { Db } from '../database.ts';
import { guardOf } from '../guards/armed-guards.ts';
import { type BookOrder, ordersOf } from '../orders/book-order.ts';
import type { FillRow, TradePhase, TradeRow } from '../tables.ts';

/** A trade without its details. */
export type TradeSummary = {
  readonly tradeId: string;
  readonly account: string;
  readonly strategy: string;
  readonly venue: string;
  readonly phase: TradePhase;
  readonly request: EntryRequest;
  readonly decision: EntryDecision;
  readonly decidedAtMs: number;
  readonly openedAtMs: number | null;
  readonly closedAtMs: number | null;
  readonly exitReason: ExitReason | null;
  /** One a leg, once it is closed. */
  readonly result: readonly PositionClosed[] | null;
};

/** All that the book has of a trade. */
export type Trade = TradeSummary & {
  readonly orders: readonly (BookOrder & { readonly fills: readonly VenueFill[] })[];
  readonly positions: readonly TradePosition[];
  readonly guards: readonly TradeGuard[];
  readonly exitRequest: {
    readonly reason: ExitReason;
    readonly source: string;
    readonly actor: string | null;
    readonly trigger: unknown;
    readonly requestedAtMs: number;
  } | null;
};

type TradePosition = {
  readonly leg: number;
  readonly symbol: string;
  readonly side: PositionSide;
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
  readonly exitQuantity: Decimal;
  readonly exitQuote: Decimal;
  readonly baseFee: Decimal;
  readonly quoteFee: Decimal;
  readonly writtenOff: Decimal;
  readonly isOpen: boolean;
};

type TradeGuard = {
  readonly leg: number;
  readonly guard: Guard;
  readonly version: number;
  readonly acknowledgedVersion: number;
  readonly armedAtMs: number;
  readonly triggeredAtMs: number | null;
  readonly disarmedAtMs: number | null;
};

/** The trade with everything that belongs to it, or undefined. */
export async function readTrade(db: Db, tradeId: string): Promise<Trade | undefined> {
  const row = await db.selectFrom('trade').selectAll().where('trade_id', '=', tradeId).executeTakeFirst();
  if (row === undefined) return undefined;
  const [orders, positions, guards, exitRequest] = await Promise.all([
    readOrders(db, tradeId),
    readPositions(db, tradeId),
    readGuards(db, tradeId),
    readExitRequest(db, tradeId),
  ]);
  return { ...summaryOf(row), orders, positions, guards, exitRequest };
}

/** What it takes to place an order of a trade. */
export type Placement = Pick<TradeSummary, 'account' | 'venue' | 'request' | 'decision'> & {
  readonly exitRequest: Pick<NonNullable<Trade['exitRequest']>, 'reason' | 'requestedAtMs'> | null;
};

/** The part of a trade that placing an order reads, in one statement: an exit waits for it. Undefined: no such trade. */
export async function readPlacement(db: Db, tradeId: string): Promise<Placement | undefined> {
  const row = await db
    .selectFrom('trade')
    .leftJoin('exit_request as asked', 'asked.trade_id', 'trade.trade_id')
    .select(['account_id as account', 'venue', 'request', 'decision_body as decision'])
    .select(['asked.reason', 'asked.requested_at_ms as requestedAtMs'])
    .where('trade.trade_id', '=', tradeId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { reason, requestedAtMs, ...trade } = row;
  return { ...trade, exitRequest: reason === null || requestedAtMs === null ? null : { reason, requestedAtMs } };
}

/** Trades, the newest decision first. `live`: those that are neither over nor denied, or only those. */
export async function listTrades(
  db: Db,
  of: {
    readonly phase?: TradePhase | undefined;
    readonly live?: boolean | undefined;
    readonly account?: string | undefined;
    readonly strategy?: string | undefined;
    readonly symbol?: string | undefined;
    readonly limit: number;
  },
): Promise<readonly TradeSummary[]> {
  let query = db.selectFrom('trade').selectAll().orderBy('decided_at_ms', 'desc').orderBy('trade_id').limit(of.limit);
  if (of.phase !== undefined) query = query.where('phase', '=', of.phase);
  if (of.live !== undefined) query = query.where('phase', of.live ? 'in' : 'not in', livePhases);
  if (of.account !== undefined) query = query.where('account_id', '=', of.account);
  if (of.strategy !== undefined) query = query.where('strategy', '=', of.strategy);
  if (of.symbol !== undefined) {
    query = query.where(sql<boolean>`request @> ${JSON.stringify({ legs: [{ symbol: of.symbol }] })}::jsonb`);
  }
  return (await query.execute()).map(summaryOf);
}

const livePhases: TradePhase[] = ['placing', 'working', 'open', 'closing'];

const summaryOf = (row: TradeRow): TradeSummary => ({
  tradeId: row.trade_id,
  account: row.account_id,
  strategy: row.strategy,
  venue: row.venue,
  phase: row.phase,
  request: row.request,
  decision: row.decision_body,
  decidedAtMs: row.decided_at_ms,
  openedAtMs: row.opened_at_ms,
  closedAtMs: row.closed_at_ms,
  exitReason: row.exit_reason,
  result: row.result,
});

async function readOrders(db: Db, tradeId: string): Promise<Trade['orders']> {
  const orders = await ordersOf(db, tradeId);
  const fills = await db
    .selectFrom('fill')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .orderBy('transacted_at_ms')
    .orderBy('venue_trade_id')
    .execute();
  return orders.map((order) => ({
    ...order,
    fills: fills.filter((fill) => fill.client_order_id === order.clientOrderId).map(fillOf),
  }));
}

const fillOf = (row: FillRow): VenueFill => ({
  venueTradeId: row.venue_trade_id,
  quantity: row.quantity,
  price: row.price,
  quoteQuantity: row.quote_quantity,
  fee: row.fee,
  feeAsset: row.fee_asset,
  isMaker: row.is_maker,
  transactedAtMs: row.transacted_at_ms,
});

const readPositions = (db: Db, tradeId: string): Promise<readonly TradePosition[]> =>
  db
    .selectFrom('position')
    .select([
      'leg',
      'symbol',
      'side',
      'entry_quantity as entryQuantity',
      'entry_quote as entryQuote',
      'exit_quantity as exitQuantity',
      'exit_quote as exitQuote',
      'base_fee as baseFee',
      'quote_fee as quoteFee',
      'written_off_quantity as writtenOff',
      'is_open as isOpen',
    ])
    .where('trade_id', '=', tradeId)
    .orderBy('leg')
    .execute();

async function readGuards(db: Db, tradeId: string): Promise<readonly TradeGuard[]> {
  const rows = await db
    .selectFrom('guard')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .orderBy('leg')
    .orderBy('kind')
    .execute();
  return rows.map((row) => ({
    leg: row.leg,
    guard: guardOf(row),
    version: row.version,
    acknowledgedVersion: row.acknowledged_version,
    armedAtMs: row.armed_at_ms,
    triggeredAtMs: row.triggered_at_ms,
    disarmedAtMs: row.disarmed_at_ms,
  }));
}

async function readExitRequest(db: Db, tradeId: string): Promise<Trade['exitRequest']> {
  const row = await db
    .selectFrom('exit_request')
    .select(['reason', 'source', 'actor', 'trigger', 'requested_at_ms as requestedAtMs'])
    .where('trade_id', '=', tradeId)
    .executeTakeFirst();
  return row ?? null;
}
