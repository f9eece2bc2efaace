import type { ProtectiveStopTerms } from '../../contracts/messages/entry-request.ts';
import { type Decimal, isPositive } from '../../domain/decimal.ts';
import { better } from '../../domain/direction.ts';
import { invariant } from '../../domain/invariant.ts';
import { fillsComplete } from '../../domain/order.ts';
import { saysWouldTrigger } from '../../domain/outcome.ts';
import { sellableQuantity } from '../../domain/position.ts';
import type { ProtectedPosition, ProtectiveOrder } from '../../domain/protective-stop.ts';
import type { Db } from '../database.ts';
import { maySayMore, stateOf } from '../orders/book-order.ts';
import type { GuardRow, OrderRow } from '../tables.ts';
import { positionOf } from '../trades/positions.ts';
import { guardOf } from './armed-guards.ts';

/** What the machine of the stop at the venue decides on, but for the venue's filters and the price. */
export type ProtectionBook = {
  readonly tradeId: string;
  readonly venue: string;
  readonly leg: number;
  readonly symbol: string;
  readonly terms: ProtectiveStopTerms;
  readonly position: Omit<ProtectedPosition, 'filters' | 'price'>;
};

/** The trade as its stop at the venue sees it; undefined where it asks for none, or has no position. */
export async function readProtection(db: Db, tradeId: string): Promise<ProtectionBook | undefined> {
  const trade = await db.selectFrom('trade').selectAll().where('trade_id', '=', tradeId).executeTakeFirst();
  const terms = trade?.request.exit.protectiveStop;
  const row = await db
    .selectFrom('position')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .orderBy('leg')
    .executeTakeFirst();
  if (trade === undefined || terms === undefined || row === undefined) return undefined;
  const { leg, symbol } = row;
  const guards = await db
    .selectFrom('guard')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .where('leg', '=', leg)
    .where('kind', 'in', ['stopLoss', 'trailingStop'])
    .where('disarmed_at_ms', 'is', null)
    .execute();
  const orders = await stopsThatMatter(db, { tradeId, leg });
  const { stopLoss, trailingStop } = trade.request.exit;
  const asked = [stopLoss, trailingStop].filter((rule) => rule !== undefined);
  return {
    tradeId,
    venue: trade.venue,
    leg,
    symbol,
    terms,
    position: {
      side: row.side,
      isLeaving: trade.phase !== 'open',
      held: sellableQuantity(positionOf(row)),
      hasSold: isPositive(row.exit_quantity),
      localStop: tightestOf(guards, row.side),
      isArmed: guards.length === asked.length,
      isTrailing: trailingStop !== undefined,
      orders: orders.map(protectiveOrderOf),
    },
  };
}

/** Pauses grow over the last seven in a row; a trail that is followed for months leaves thousands of settled ones. */
const lastStops = 10;

function stopsThatMatter(
  db: Db,
  { tradeId, leg }: { readonly tradeId: string; readonly leg: number },
): Promise<OrderRow[]> {
  const ofLeg = db
    .selectFrom('orders')
    .where('trade_id', '=', tradeId)
    .where('leg', '=', leg)
    .where('purpose', '=', 'stop');
  const latest = ofLeg.select((eb) => eb(eb.fn.max('generation'), '-', lastStops).as('before'));
  return ofLeg
    .selectAll()
    .where((eb) => eb.or([maySayMore(eb), eb('generation', '>', latest)]))
    .orderBy('generation')
    .execute();
}

function tightestOf(guards: readonly GuardRow[], side: ProtectedPosition['side']): Decimal | null {
  const prices = guards.flatMap((row) => {
    const guard = guardOf(row);
    return (guard.kind === 'trailingStop' ? guard.state.stopPrice : guard.terms.price) ?? [];
  });
  return prices.reduce<Decimal | null>((known, price) => (known === null ? price : better(side, known, price)), null);
}

function protectiveOrderOf(row: OrderRow): ProtectiveOrder {
  invariant(row.stop_price !== null, `a stop order has a stop price, ${row.client_order_id} has none`);
  return {
    clientOrderId: row.client_order_id,
    generation: row.generation,
    status: row.status,
    inDoubt: row.in_doubt,
    fillsComplete: fillsComplete(stateOf(row)),
    quantity: row.quantity,
    stopPrice: row.stop_price,
    wouldTrigger: row.status === 'rejected' && saysWouldTrigger(row.reason ?? ''),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
