import type { z } from 'zod';
import type {
  accountTradesSchema,
  canceledSchema,
  executionReportSchema,
  orderSchema,
  placedSchema,
} from '../../contracts/schemas/binance.ts';
import {
  type Decimal,
  isEqual,
  isNegative,
  isPositive,
  multiply,
  roundToPlaces,
  sum,
  zero,
} from '../../domain/decimal.ts';
import type { OrderReport } from '../../domain/order.ts';
import type { AccountFill, VenueFill, VenueOrder } from '../venue.ts';

type RawOrder = z.output<typeof orderSchema>;
type RawFill = z.output<typeof accountTradesSchema>[number];
type RawReport = z.output<typeof executionReportSchema>;

/** What our own symbols and clock add to a message of the venue. */
export type Observation = { readonly symbol: string; readonly observedAtMs: number };

/** An order of a look-up or a list. */
export const orderOf = (raw: RawOrder, { symbol, observedAtMs }: Observation): VenueOrder => ({
  clientOrderId: raw.clientOrderId,
  venueOrderId: raw.orderId,
  symbol,
  side: raw.side,
  quantity: raw.origQty,
  stopPrice: stopPriceOf(raw.stopPrice),
  report: reportOf(raw.status, raw.executedQty, raw.cummulativeQuoteQty),
  fills: [],
  ...reasonOf(raw.status, raw.expiryReason),
  observedAtMs,
});

/** The answer to a placement. What filled at once did so as taker. */
export const placedOrderOf = (raw: z.output<typeof placedSchema>, observation: Observation): VenueOrder => ({
  ...orderOf(raw, observation),
  fills: immediateFillsOf(raw),
});

/** The answer to a cancel, where `clientOrderId` is the cancel's own id. */
export const canceledOrderOf = (raw: z.output<typeof canceledSchema>, observation: Observation): VenueOrder => ({
  ...orderOf(raw, observation),
  clientOrderId: raw.origClientOrderId,
});

/** A row of myTrades. */
export const fillOf = (raw: RawFill): VenueFill => ({
  venueTradeId: String(raw.id),
  quantity: raw.qty,
  price: raw.price,
  quoteQuantity: raw.quoteQty,
  fee: raw.commission,
  feeAsset: raw.commissionAsset,
  isMaker: raw.isMaker,
  transactedAtMs: raw.time,
});

/** A row of myTrades with the order that it belongs to. */
export const accountFillOf = (raw: RawFill, symbol: string): AccountFill => ({
  ...fillOf(raw),
  symbol,
  venueOrderId: raw.orderId,
});

/** An executionReport: the order with its cumulative quantities and, for a trade, the one fill. */
export const reportedOrderOf = (raw: RawReport, { symbol, observedAtMs }: Observation): VenueOrder => ({
  // A cancel has an id of its own; the order that it was for is then in `C`.
  clientOrderId: raw.C || raw.c,
  venueOrderId: raw.i,
  symbol,
  side: raw.S,
  quantity: raw.q,
  stopPrice: stopPriceOf(raw.P),
  report: reportOf(raw.X, raw.z, raw.Z),
  fills: raw.x === 'TRADE' ? [streamedFillOf(raw, symbol)] : [],
  ...reasonOf(raw.X, raw.eR, raw.r),
  observedAtMs,
});

const streamedFillOf = (raw: RawReport, symbol: string): VenueFill => ({
  venueTradeId: String(raw.t),
  quantity: raw.l,
  price: raw.L,
  quoteQuantity: raw.Y,
  fee: raw.n,
  // Null where nothing was charged.
  feeAsset: raw.N ?? symbol.split('/')[1] ?? symbol,
  isMaker: raw.m,
  transactedAtMs: raw.T,
});

// The venue books quote amounts with this many decimals, and this answer alone does not state them fill by fill.
const quotePlaces = 8;

/**
 * The fills of a placement's answer; none when they do not add up to the totals beside them. Then the stream or
 * myTrades tells them in the venue's own figures, and the cumulative report says that they are still missing.
 */
function immediateFillsOf(raw: z.output<typeof placedSchema>): readonly VenueFill[] {
  const fills = raw.fills.map(
    (fill): VenueFill => ({
      venueTradeId: fill.tradeId,
      quantity: fill.qty,
      price: fill.price,
      quoteQuantity: roundToPlaces(multiply(fill.price, fill.qty), quotePlaces, 'truncate'),
      fee: fill.commission,
      feeAsset: fill.commissionAsset,
      isMaker: false,
      transactedAtMs: raw.transactTime,
    }),
  );
  const addsUp =
    isEqual(sum(fills.map(({ quantity }) => quantity)), raw.executedQty) &&
    isEqual(sum(fills.map(({ quoteQuantity }) => quoteQuantity)), raw.cummulativeQuoteQty);
  return addsUp ? fills : [];
}

const stopPriceOf = (raw: Decimal | undefined): Decimal | null => (raw !== undefined && isPositive(raw) ? raw : null);

const reportOf = (status: RawOrder['status'], filledQuantity: Decimal, filledQuote: Decimal): OrderReport => ({
  status: statusOf(status, filledQuantity),
  filledQuantity,
  filledQuote: isNegative(filledQuote) ? zero : filledQuote,
});

function statusOf(status: RawOrder['status'], filledQuantity: Decimal): OrderReport['status'] {
  switch (status) {
    case 'NEW':
    case 'PENDING_NEW':
      return 'new';
    case 'PARTIALLY_FILLED':
      return 'partiallyFilled';
    case 'PENDING_CANCEL':
      return isPositive(filledQuantity) ? 'partiallyFilled' : 'new';
    case 'FILLED':
      return 'filled';
    case 'CANCELED':
      return 'canceled';
    case 'REJECTED':
      return 'rejected';
    case 'EXPIRED':
    case 'EXPIRED_IN_MATCH':
      return 'expired';
  }
}

function reasonOf(status: RawOrder['status'], ...words: readonly (string | undefined)[]): { reason?: string } {
  const reason = words.find((word) => word !== undefined && word !== 'NONE' && word !== '');
  if (reason !== undefined) return { reason };
  return status === 'EXPIRED_IN_MATCH' ? { reason: status } : {};
}
