import type { VenueFill } from '../../contracts/messages/venue-order.ts';
import { isEqual } from '../../domain/decimal.ts';
import { raiseAlert } from '../alerts.ts';
import { hashOf } from '../canonical.ts';
import type { Db, Tx } from '../database.ts';
import { type AuditRecord, recordAll } from '../record.ts';
import type { FillRow, OrderRow } from '../tables.ts';

export type PricedFill = VenueFill & {
  /** What one unit of the fee's asset is worth in the quote asset, where that is a third asset and it is known. */
  readonly feeAssetPrice: VenueFill['fee'] | null;
};

/** The fills of a report that the book does not have, each once; and those that it has with other content. */
export async function compareWithBook(
  db: Db,
  order: OrderRow,
  fills: readonly PricedFill[],
): Promise<{ readonly fresh: readonly PricedFill[]; readonly altered: readonly AlteredFill[] }> {
  if (fills.length === 0) return { fresh: [], altered: [] };
  const byId = new Map(fills.map((fill) => [fill.venueTradeId, fill]));
  const rows = await db
    .selectFrom('fill')
    .selectAll()
    .where('account_id', '=', order.account_id)
    .where('venue', '=', order.venue)
    .where('symbol', '=', order.symbol)
    .where('side', '=', order.side)
    .where('venue_trade_id', 'in', [...byId.keys()])
    .execute();
  const known = new Map(rows.map((row) => [row.venue_trade_id, row]));
  const altered = [...byId.values()].flatMap((fill) => {
    const kept = known.get(fill.venueTradeId);
    return kept === undefined || isSameFill(order, kept, fill) ? [] : [{ kept, fill }];
  });
  return { fresh: [...byId.values()].filter((fill) => !known.has(fill.venueTradeId)), altered };
}

export type AlteredFill = { readonly kept: FillRow; readonly fill: PricedFill };

/** Adds fills to the set with a record each. Who holds the trade's row is the only one to add any to it. */
export async function insertFills(tx: Tx, order: OrderRow, fills: readonly PricedFill[], nowMs: number): Promise<void> {
  if (fills.length === 0) return;
  await tx
    .insertInto('fill')
    .values(fills.map((fill) => rowOf(order, fill, nowMs)))
    .execute();
  await recordAll(
    tx,
    fills.map((fill) => fillRecord(order, fill)),
  );
}

const isSameFill = (order: OrderRow, kept: FillRow, fill: VenueFill): boolean =>
  kept.client_order_id === order.client_order_id &&
  isEqual(kept.quantity, fill.quantity) &&
  isEqual(kept.price, fill.price) &&
  isEqual(kept.quote_quantity, fill.quoteQuantity) &&
  isEqual(kept.fee, fill.fee) &&
  kept.fee_asset === fill.feeAsset;

/** A fill that came again with other content: the first one is kept, the other one is recorded and raised. */
export async function correctFill(tx: Tx, order: OrderRow, { kept, fill }: AlteredFill, nowMs: number): Promise<void> {
  const { clientOrderId, venueTradeId } = { clientOrderId: order.client_order_id, ...fill };
  const reported = contentOf(fill);
  await recordAll(tx, [
    {
      type: 'FillCorrection',
      key: [...keyOf(order, fill), clientOrderId, hashOf(reported)],
      tradeId: order.trade_id,
      // The fill's own time: the same correction told again is the same record.
      atMs: fill.transactedAtMs,
      actor: { type: 'venue', id: order.venue },
      data: { clientOrderId, keptFor: kept.client_order_id, kept: contentOfRow(kept), reported },
    },
  ]);
  await raiseAlert(tx, {
    condition: `fill-corrected:${keyOf(order, fill).join(':')}`,
    code: 'FILL_CORRECTED',
    severity: 'WARNING',
    context: { clientOrderId, venueTradeId, symbol: order.symbol },
    tradeId: order.trade_id,
    nowMs,
  });
}

const keyOf = (order: OrderRow, fill: VenueFill): readonly string[] => [
  order.account_id,
  order.venue,
  order.symbol,
  fill.venueTradeId,
  order.side,
];

const contentOf = ({ venueTradeId, quantity, price, quoteQuantity, fee, feeAsset, isMaker }: VenueFill) => ({
  venueTradeId,
  quantity,
  price,
  quoteQuantity,
  fee,
  feeAsset,
  isMaker,
});

const contentOfRow = (row: FillRow) => ({
  venueTradeId: row.venue_trade_id,
  quantity: row.quantity,
  price: row.price,
  quoteQuantity: row.quote_quantity,
  fee: row.fee,
  feeAsset: row.fee_asset,
  isMaker: row.is_maker,
});

const fillRecord = (order: OrderRow, fill: PricedFill): AuditRecord => ({
  type: 'Fill',
  key: keyOf(order, fill),
  tradeId: order.trade_id,
  atMs: fill.transactedAtMs,
  actor: { type: 'venue', id: order.venue },
  data: {
    clientOrderId: order.client_order_id,
    venueOrderId: order.venue_order_id,
    purpose: order.purpose,
    leg: order.leg,
    symbol: order.symbol,
    side: order.side,
    ...contentOf(fill),
    feeAssetPrice: fill.feeAssetPrice,
  },
});

const rowOf = (order: OrderRow, fill: PricedFill, nowMs: number) => ({
  account_id: order.account_id,
  venue: order.venue,
  symbol: order.symbol,
  venue_trade_id: fill.venueTradeId,
  client_order_id: order.client_order_id,
  trade_id: order.trade_id,
  side: order.side,
  quantity: fill.quantity,
  price: fill.price,
  quote_quantity: fill.quoteQuantity,
  fee: fill.fee,
  fee_asset: fill.feeAsset,
  fee_asset_price: fill.feeAssetPrice,
  is_maker: fill.isMaker,
  transacted_at_ms: fill.transactedAtMs,
  observed_at_ms: nowMs,
});
