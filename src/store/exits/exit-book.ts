import type { ExitReason } from '../../contracts/messages/messages.ts';
import { type Decimal, zero } from '../../domain/decimal.ts';
import type { ExitLeg, ExitOrder } from '../../domain/exit.ts';
import { fillsComplete } from '../../domain/order.ts';
import type { Db } from '../database.ts';
import { maySayMore, stateOf } from '../orders/book-order.ts';
import type { OrderRow, PositionRow, TradeRow } from '../tables.ts';

/** What the exit's machine decides on, but for the venue's filters and the price, which are not in the book. */
export type ExitBookLeg = Omit<ExitLeg, 'filters' | 'price'>;

export type ExitBook = {
  readonly tradeId: string;
  readonly account: string;
  readonly venue: string;
  readonly reason: ExitReason;
  readonly takeProfitPrice: Decimal | null;
  readonly legs: readonly ExitBookLeg[];
};

/** The trade on its way out, or undefined when nobody has asked for its exit. */
export async function readExitBook(db: Db, tradeId: string): Promise<ExitBook | undefined> {
  const row = await db
    .selectFrom('trade')
    .innerJoin('exit_request as asked', 'asked.trade_id', 'trade.trade_id')
    .selectAll('trade')
    .select('asked.reason as askedFor')
    .where('trade.trade_id', '=', tradeId)
    .executeTakeFirst();
  return row && exitBookOf(db, row, row.askedFor);
}

export async function exitBookOf(db: Db, trade: TradeRow, reason: ExitReason): Promise<ExitBook> {
  const positions = await db.selectFrom('position').selectAll().where('trade_id', '=', trade.trade_id).execute();
  const orders = await ordersThatMatter(db, trade.trade_id);
  const free = await freeBalances(db, trade);
  return {
    tradeId: trade.trade_id,
    account: trade.account_id,
    venue: trade.venue,
    reason,
    takeProfitPrice: trade.request.exit.takeProfit?.price ?? null,
    legs: trade.request.legs.map(({ symbol, side }, leg) => ({
      leg,
      symbol,
      exitSide: side === 'BUY' ? 'SELL' : 'BUY',
      ...quantitiesOf(positions.find((position) => position.leg === leg)),
      orders: orders.filter((order) => order.leg === leg).map(exitOrderOf),
      freeBase: free.get(symbol.split('/')[0] ?? symbol) ?? null,
    })),
  };
}

/** A stop that followed the price for months leaves thousands of settled ones: of these the last one says it all. */
function ordersThatMatter(db: Db, tradeId: string): Promise<OrderRow[]> {
  const ofTrade = db.selectFrom('orders').where('trade_id', '=', tradeId);
  const lastStop = ofTrade.where('purpose', '=', 'stop').select((eb) => eb.fn.max('generation').as('last'));
  return ofTrade
    .selectAll()
    .where((eb) => eb.or([eb('purpose', '<>', 'stop'), maySayMore(eb), eb('generation', '=', lastStop)]))
    .orderBy('generation')
    .execute();
}

async function freeBalances(db: Db, trade: TradeRow): Promise<ReadonlyMap<string, Decimal>> {
  const rows = await db
    .selectFrom('balance')
    .select(['asset', 'free'])
    .where('account_id', '=', trade.account_id)
    .execute();
  return new Map(rows.map(({ asset, free }) => [asset, free]));
}

const quantitiesOf = (position: PositionRow | undefined) => ({
  entryQuantity: position?.entry_quantity ?? zero,
  exitQuantity: position?.exit_quantity ?? zero,
  baseFee: position?.base_fee ?? zero,
  writtenOff: position?.written_off_quantity ?? zero,
});

const exitOrderOf = (row: OrderRow): ExitOrder => ({
  clientOrderId: row.client_order_id,
  purpose: row.purpose,
  generation: row.generation,
  orderType: row.order_type,
  status: row.status,
  inDoubt: row.in_doubt,
  fillsComplete: fillsComplete(stateOf(row)),
  filledQuantity: row.filled_quantity,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});
