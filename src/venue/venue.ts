import type { AccountFill, Balance, SignedOrder, VenueFill, VenueOrder } from '../contracts/messages/venue-order.ts';
import type { Decimal } from '../domain/decimal.ts';
import type { SymbolFilters } from '../domain/filters.ts';
import type { OutcomeClass } from '../domain/outcome.ts';
import type { Lane } from '../domain/rate-limit.ts';

export type { AccountFill, Balance, SignedOrder, VenueFill, VenueOrder } from '../contracts/messages/venue-order.ts';
export type { Lane } from '../domain/rate-limit.ts';

/** The result of one send or cancel: a class and its evidence. Only `ACCEPTED` carries the order. */
export type SendResult = {
  readonly outcome: OutcomeClass;
  readonly order?: VenueOrder;
  readonly httpStatus?: number;
  readonly venueCode?: number;
  readonly detail: string;
  /** From Retry-After or a ban: no request before this moment. */
  readonly retryAtMs?: number;
  /** Held back on this side, by our own budget or by a hold: no byte has left, and it says nothing of the venue. */
  readonly isHeldBack?: true;
};

/** One order in the place of another, in one request. The new one is placed only if the old one was canceled. */
export type Replacement = {
  readonly cancel: { readonly symbol: string; readonly clientOrderId: string };
  readonly order: SignedOrder;
  readonly lane: Lane;
};

/** Each half has an outcome of its own: a replacement that was refused may have canceled all the same. */
export type ReplaceResult = { readonly canceled: SendResult; readonly placed: SendResult };

/** `ACCEPTED`: the venue canceled these orders. What it did not name may still work. */
export type CancelAllResult = Omit<SendResult, 'order'> & { readonly orders: readonly VenueOrder[] };

/** What the venue lets the key's account do. */
export type AccountPermissions = { readonly canTrade: boolean; readonly canWithdraw: boolean };

/** How far our idea of the venue's clock can be trusted. */
export type VenueClockState = {
  /** False once the venue has refused four timestamps in a row, each taken from a new measurement. */
  readonly isUsable: boolean;
  /** The venue's clock minus ours; null before the first measurement. */
  readonly offsetMs: number | null;
  /** The offset is right to within so much: half the round trip in which it was measured. */
  readonly uncertaintyMs: number | null;
  /** Timestamps that the venue has refused in a row although by our measurement they were in time. */
  readonly refusalsInARow: number;
};

/** `absent` is the venue's word for now, never a proof before the order's fence has passed. */
export type LookUp =
  | { readonly outcome: 'found'; readonly order: VenueOrder }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'archived' }
  | { readonly outcome: 'unavailable'; readonly detail: string; readonly retryAtMs?: number };

export type MarketTrade = {
  readonly symbol: string;
  /** Contiguous per symbol, so a gap shows. */
  readonly venueTradeId: number;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly tradedAtMs: number;
};

export type UserDataEvent =
  | { readonly type: 'order'; readonly order: VenueOrder }
  | { readonly type: 'balances'; readonly balances: readonly Balance[]; readonly updatedAtMs: number }
  /** The stream (again) delivers from here on; what happened before must be read over REST. */
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly detail: string };

export type MarketDataEvent =
  | { readonly type: 'trade'; readonly trade: MarketTrade }
  /** Any message or ping of the stream: a quiet market is not a stale one. */
  | { readonly type: 'alive'; readonly atMs: number }
  /** A message that can't be a price (not a number, zero or less, not in the dialect). It decides nothing. */
  | { readonly type: 'malformed'; readonly detail: string }
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly detail: string };

export type Subscription = { close(): Promise<void> };

/**
 * What the product needs of a venue. Nothing here throws for what a venue does: sends answer with a class, look-ups
 * say `unavailable`. Reads that can't be answered throw `VENUE_UNAVAILABLE` or `VENUE_REQUEST_REFUSED`.
 */
export type Venue = {
  readonly name: string;
  /** What a client order id sent again does: see the fact sheet of the venue. */
  readonly dedupe: 'open-only' | 'returns-original' | 'rejects';
  placeOrder(order: SignedOrder, lane: Lane, signal?: AbortSignal): Promise<SendResult>;
  cancelOrder(order: { symbol: string; clientOrderId: string }, signal?: AbortSignal): Promise<SendResult>;
  /** Cancels the one and places the other; see `ReplaceResult`. Signed like a placement, with the intent's timestamp. */
  replaceOrder(replacement: Replacement, signal?: AbortSignal): Promise<ReplaceResult>;
  /** Cancels every open order of a symbol, whoever placed it. None open is a success without orders. */
  cancelAllOf(symbol: string, signal?: AbortSignal): Promise<CancelAllResult>;
  /** In the lane `cancel` unless another is named: a doubt is settled before entries are placed. */
  findOrder(order: { symbol: string; clientOrderId: string; lane?: Lane }, signal?: AbortSignal): Promise<LookUp>;
  /** Fills of one order, with their fees. */
  fillsOf(order: { symbol: string; venueOrderId: string }): Promise<readonly VenueFill[]>;
  /** Of one symbol, or of all. In the lane `cancel` unless another is named: a sweep asks. */
  openOrders(symbol?: string, lane?: Lane): Promise<readonly VenueOrder[]>;
  /** Orders of a symbol created since, closed ones included. At most 24 hours back. In the lane `report` unless another is named. */
  ordersSince(symbol: string, sinceMs: number, lane?: Lane): Promise<readonly VenueOrder[]>;
  /** All fills of a symbol since, whoever placed the order; oldest first, however many. In the lane `report`. */
  fillsSince(symbol: string, sinceMs: number): Promise<readonly AccountFill[]>;
  balances(): Promise<readonly Balance[]>;
  accountPermissions(): Promise<AccountPermissions>;
  filters(symbol: string): Promise<SymbolFilters>;
  /**
   * Trades after `afterTradeId` (exclusive), oldest first, contiguous; or the latest `limit` when it is null. In the lane
   * `report` unless another is named: one that a stop waits for must not wait behind entries.
   */
  marketTrades(
    symbol: string,
    afterTradeId: number | null,
    limit: number,
    lane?: Lane,
  ): Promise<readonly MarketTrade[]>;
  /** The venue's clock minus ours, in milliseconds, as last measured. */
  clockOffsetMs(): Promise<number>;
  clockState(): VenueClockState;
  streamMarket(symbols: readonly string[], onEvent: (event: MarketDataEvent) => void): Subscription;
  streamUserData(onEvent: (event: UserDataEvent) => void): Subscription;
  close(): Promise<void>;
};
