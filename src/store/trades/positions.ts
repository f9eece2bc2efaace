import { sql } from 'kysely';
import type { ExitTerms } from '../../contracts/messages/entry-request.ts';
import type { Decimal } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { PositionSide } from '../../domain/order.ts';
import { applyFill, type Position } from '../../domain/position.ts';
import { crashPoint } from '../../observability/crash-point.ts';
import { raiseAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import type { PricedFill } from '../orders/fills.ts';
import { record } from '../record.ts';
import type { OrderRow, PositionRow, TradeRow } from '../tables.ts';

/**
 * Folds fills that are new to the book into the leg's position, and turns as much of its reservation into position. The
 * caller holds the trade's row.
 */
export async function foldIntoPosition(
  tx: Tx,
  trade: TradeRow,
  order: OrderRow,
  fills: readonly PricedFill[],
  nowMs: number,
): Promise<PositionRow> {
  const before =
    (await findPosition(tx, trade.trade_id, order.leg)) ?? (await openPositionRow(tx, trade, order, nowMs));
  const folded = fills.reduce(
    (position, fill) => applyFill(position, { ...fill, purpose: order.purpose }),
    positionOf(before),
  );
  await alertUnvaluedFees(tx, trade, order, folded, nowMs);
  const after = await tx
    .updateTable('position')
    .set({
      entry_quantity: folded.entryQuantity,
      entry_quote: folded.entryQuote,
      exit_quantity: folded.exitQuantity,
      exit_quote: folded.exitQuote,
      base_fee: folded.baseFee,
      quote_fee: folded.quoteFee,
      is_open: true,
    })
    .where('trade_id', '=', trade.trade_id)
    .where('leg', '=', order.leg)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (order.purpose === 'entry') await postReservation(tx, after);
  return after;
}

/** A position that is open and not on its way out, with what arming it needs. */
export type OpenTrade = {
  readonly tradeId: string;
  readonly account: string;
  readonly strategy: string;
  readonly venue: string;
  readonly leg: number;
  readonly symbol: string;
  readonly side: PositionSide;
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
  readonly firstVenueTradeId: string;
  readonly exit: ExitTerms;
};

/** The trade's position (its first leg), or undefined when it has none that is open, or is on its way out. */
export async function readOpenTrade(db: Db, tradeId: string): Promise<OpenTrade | undefined> {
  const row = await db
    .selectFrom('position')
    .innerJoin('trade', 'trade.trade_id', 'position.trade_id')
    .selectAll('position')
    .select(['trade.venue', 'trade.request'])
    .where('position.trade_id', '=', tradeId)
    .where('trade.phase', '=', 'open')
    .orderBy('leg')
    .executeTakeFirst();
  const first = row && (await firstFill(db, tradeId, row.leg));
  if (row === undefined || first === undefined) return undefined;
  return {
    tradeId,
    account: row.account_id,
    strategy: row.strategy,
    venue: row.venue,
    leg: row.leg,
    symbol: row.symbol,
    side: row.side,
    entryQuantity: row.entry_quantity,
    entryQuote: row.entry_quote,
    firstVenueTradeId: first.venue_trade_id,
    exit: row.request.exit,
  };
}

/** The first entry fill of a leg, by the venue's time, then by its id. A late message may bring an earlier one. */
export const firstFill = (db: Db, tradeId: string, leg: number) =>
  db
    .selectFrom('fill')
    .innerJoin('orders', 'orders.client_order_id', 'fill.client_order_id')
    .select(['fill.venue_trade_id', 'fill.transacted_at_ms'])
    .where('fill.trade_id', '=', tradeId)
    .where('orders.leg', '=', leg)
    .where('orders.purpose', '=', 'entry')
    .orderBy('fill.transacted_at_ms')
    .orderBy((eb) => eb.fn('length', ['fill.venue_trade_id']))
    .orderBy('fill.venue_trade_id')
    .limit(1)
    .executeTakeFirst();

export const findPosition = (tx: Tx, tradeId: string, leg: number): Promise<PositionRow | undefined> =>
  tx.selectFrom('position').selectAll().where('trade_id', '=', tradeId).where('leg', '=', leg).executeTakeFirst();

/** The row as the domain folds it. It names no fills: the book's own set has refused those it knew. */
export function positionOf(row: PositionRow): Position {
  const [baseAsset = '', quoteAsset = ''] = row.symbol.split('/');
  return {
    side: row.side,
    baseAsset,
    quoteAsset,
    entryQuantity: row.entry_quantity,
    entryQuote: row.entry_quote,
    exitQuantity: row.exit_quantity,
    exitQuote: row.exit_quote,
    baseFee: row.base_fee,
    quoteFee: row.quote_fee,
    writtenOff: row.written_off_quantity,
    unvaluedFees: {},
    fillKeys: [],
  };
}

async function openPositionRow(tx: Tx, trade: TradeRow, order: OrderRow, nowMs: number): Promise<PositionRow> {
  invariant(order.purpose === 'entry', `an exit fills a position, trade ${trade.trade_id} has none`);
  const { trade_id, account_id, strategy } = trade;
  const side = order.side === 'BUY' ? 'long' : 'short';
  const { rows } = await sql<PositionRow>`
    insert into position (trade_id, leg, account_id, strategy, symbol, side, unit_delta, unit_gamma)
    select trade_id, leg, account_id, strategy, symbol, ${side}, unit_delta, unit_gamma
    from reservation where trade_id = ${trade_id} and leg = ${order.leg}
    returning *
  `.execute(tx);
  const [row] = rows;
  invariant(row !== undefined, `an entry of trade ${trade_id} was reserved`);
  await record(tx, {
    type: 'PositionOpened',
    key: [trade_id, order.leg],
    tradeId: trade_id,
    atMs: nowMs,
    actor: { type: 'venue', id: order.venue },
    data: { account: account_id, strategy, leg: order.leg, symbol: order.symbol, side },
  });
  return row;
}

/** What was voided stays so: a fill that comes after it counts by the position that it makes. */
async function postReservation(tx: Tx, position: PositionRow): Promise<void> {
  await sql`
    update reservation
    set posted_quantity = least(greatest(posted_quantity, ${position.entry_quantity}), quantity - voided_quantity)
    where trade_id = ${position.trade_id} and leg = ${position.leg}
  `.execute(tx);
  crashPoint('duringReservationChange');
}

async function alertUnvaluedFees(
  tx: Tx,
  trade: TradeRow,
  order: OrderRow,
  folded: Position,
  nowMs: number,
): Promise<void> {
  for (const [asset, amount] of Object.entries(folded.unvaluedFees)) {
    await raiseAlert(tx, {
      condition: `fee-unvalued:${trade.account_id}:${asset}`,
      code: 'FEE_UNVALUED',
      severity: 'WARNING',
      context: { clientOrderId: order.client_order_id, asset, amount, account: trade.account_id },
      tradeId: trade.trade_id,
      nowMs,
    });
  }
}
