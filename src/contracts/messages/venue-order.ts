import type { Decimal } from '../../domain/decimal.ts';
import type { OrderReport, OrderType, Side, TimeInForce } from '../../domain/order.ts';

/**
 * An order with all that is signed to send it. Symbols are in the `BASE/QUOTE` form everywhere outside an adapter. Times are
 * epoch milliseconds of the clock named.
 */
export type SignedOrder = {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly orderType: OrderType;
  readonly timeInForce: TimeInForce | null;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  /** Of a `STOP_LIMIT` only. A SELL goes to the book once this or less is traded, a BUY once this or more is. */
  readonly stopPrice: Decimal | null;
  /** The intent's timestamp: every send of this epoch is signed with it, so the venue refuses a late duplicate. */
  readonly signedAtMs: number;
  readonly recvWindowMs: number;
};

/** One execution as the venue reports it. `venueTradeId` is unique per symbol and account. */
export type VenueFill = {
  readonly venueTradeId: string;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly quoteQuantity: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
  readonly isMaker: boolean;
  readonly transactedAtMs: number;
};

/** An order as the venue has it. `fills` are those this message carries; a look-up carries none. */
export type VenueOrder = {
  readonly clientOrderId: string;
  readonly venueOrderId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: Decimal;
  /** What must be traded before it goes to the book; null for an order that is no stop. */
  readonly stopPrice: Decimal | null;
  readonly report: OrderReport;
  readonly fills: readonly VenueFill[];
  /** The venue's own word for why it expired or was rejected, where it says. */
  readonly reason?: string;
  readonly observedAtMs: number;
};

/** A fill as a list of the account's fills shows it: with the order that it belongs to. */
export type AccountFill = VenueFill & { readonly symbol: string; readonly venueOrderId: string };

/** What an account holds of an asset, as the venue reports it. */
export type Balance = { readonly asset: string; readonly free: Decimal; readonly locked: Decimal };
