import type { BreakerReading } from '../circuit-breaker.ts';
import type { Decimal } from '../decimal.ts';
import type { SymbolFilters } from '../filters.ts';
import type { PositionSide } from '../order.ts';
import type { Sums } from './sums.ts';

/** What an account is worth and what it holds: all that the limits on its book need. Null = it could not be read. */
export type Standing = {
  readonly equity: EquityReading;
  readonly book: Book | null;
};

/**
 * All that the gate knows when it decides on an entry, read under one lock. Null stands for what could not be read:
 * the controls that need it deny. Money is in the account's currency.
 */
export type Snapshot = Standing & {
  readonly nowMs: number;
  /** The asset in which equity and limits are counted, such as `USDT`. */
  readonly currency: string;
  /** The holds in force that apply to the account, the strategy or a symbol of the entry, in any order. */
  readonly holds: readonly HoldInForce[];
  readonly breaker: BreakerReading | null;
  /** What was approved lately. */
  readonly recent: RecentEntries | null;
  /** Why the process that decides takes on no risk now; null = it does. */
  readonly brake: EntryBrake | null;
  /** By symbol; one that is absent is unknown. */
  readonly referencePrices: Readonly<Record<string, ReferencePrice>>;
  /** The venue's trading rules by symbol; one that is absent is unknown. */
  readonly filters: Readonly<Record<string, SymbolFilters>>;
};

/** Approved within the windows of the limits. */
export type RecentEntries = {
  /** Of the same strategy, symbols, sides and quantities, since the strategy was switched on again. */
  readonly identical: number;
  /** Of the account. */
  readonly entries: number;
};

/** A process that reacts too late, or does not know what was halted, takes on no risk. Its exits go on. */
export type EntryBrake = {
  readonly code: 'WORKER_LAGGING' | 'HALT_NOT_IMPORTED' | 'DISK_SHORT';
  readonly note: string;
};

export type HoldInForce = {
  readonly scope: { readonly kind: 'all' | 'account' | 'strategy' | 'symbol'; readonly id: string };
  readonly source: 'operator' | 'breaker' | 'venue' | 'reconciliation' | 'throttle';
  readonly level: 'entries-blocked' | 'frozen' | 'flatten';
  readonly reason: string;
};

/** `fault` says why there is no amount, such as an asset that nobody can convert. */
type EquityReading = {
  readonly amount: Decimal | null;
  readonly ageMs: number | null;
  readonly fault: string | null;
};

/** The last trade. `ageMs` counts from the last message of the stream, heartbeats included: a quiet market is fresh. */
type ReferencePrice = { readonly last: Decimal; readonly ageMs: number };

/** One open position or one pending reservation, as it counts against the limits. */
export type Exposure = {
  readonly tradeId: string;
  readonly symbol: string;
  readonly side: PositionSide;
  /** What is left of it, in the base asset. */
  readonly quantity: Decimal;
  /** What it costs: quantity x average entry price, or x the price that was reserved. Never negative. */
  readonly notional: Decimal;
  readonly unitDelta: Decimal;
  readonly unitGamma: Decimal;
};

/**
 * What the account holds and has promised: open positions at cost plus pending reservations. Deltas are money, so that
 * a limit that is a share of the equity is compared without a division: see `bookOf`.
 */
export type Book = {
  /** Sum of unit delta x signed notional. */
  readonly portfolioDelta: Decimal;
  /** Sum of unit gamma x signed quantity. */
  readonly portfolioGamma: Decimal;
  readonly deltaBySymbol: Sums;
  /** Sum of notionals, long and short alike. */
  readonly exposureTotal: Decimal;
  /** By correlation group. */
  readonly exposureByGroup: Sums;
  /** The notional of the largest trade. */
  readonly exposureLargest: Decimal;
  /** Trades that count. */
  readonly openCount: number;
};
