import type { Logger } from 'pino';
import type { BreakerSettings } from '../src/domain/circuit-breaker.ts';
import type { EntryBrake } from '../src/domain/limits/snapshot.ts';
import type { ReconciliationSettings } from '../src/domain/reconciliation/limits.ts';
import type { Metrics } from '../src/observability/metrics.ts';
import type { PriceHub } from '../src/prices/price-hub.ts';
import type { Db } from '../src/store/database.ts';
import type { FilterCache } from '../src/venue/filter-cache.ts';
import type { Venue } from '../src/venue/venue.ts';

/** A venue with what a worker keeps beside it: prices shared by every symbol, and the filters' cache. */
export type VenueRoom = { readonly venue: Venue; readonly prices: PriceHub; readonly filters: FilterCache };

export type OrderTimings = {
  readonly recvWindowMs: number;
  /** The venue's own time-out and the margin for a look-up that lags: together they make the fence. */
  readonly fenceApiTimeoutMs: number;
  readonly fenceMarginMs: number;
};

/**
 * What becomes of an entry order that the venue does not know after its fence: `park` keeps its reservation until a
 * person decides, `resend` places it again as its next generation. Exits always go on.
 */
export type UnresolvedPolicy = 'park' | 'resend';

/** Everything an activity may be made from. Only a composition root builds it. */
export type ActivityDependencies = {
  readonly db: Db;
  readonly rooms: ReadonlyMap<string, VenueRoom>;
  readonly timings: OrderTimings;
  readonly unresolved: UnresolvedPolicy;
  readonly breaker: BreakerSettings;
  /** Why this process takes on no new risk at the moment; null = it does. Exits never ask. */
  readonly entryBrake: () => EntryBrake | null;
  readonly watchShards: number;
  readonly reconciliation: ReconciliationSettings;
  /** Calls back when guards were armed, amended or disarmed, in any shard. Returns the way to stop. */
  readonly onGuardsChanged: (listener: () => void) => () => void;
  /** Names this process in leases and records. */
  readonly holder: string;
  readonly now: () => number;
  /** Ends after so many milliseconds of the clock that `now` reads; rejects when the signal aborts it. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
};
