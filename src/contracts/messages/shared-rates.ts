import type { RateCharge, RatePause } from '../../domain/rate-limit.ts';

/** A limit that a request draws on, and how much of it the request's lane may see used. Times are the venue's clock's. */
export type SharedCharge = RateCharge & { readonly share: number };

export type SharedTake =
  | { readonly outcome: 'granted' }
  /** A limit that has no share left for this lane, over all processes. */
  | { readonly outcome: 'overdrawn'; readonly kind: string; readonly windowMs: number }
  | { readonly outcome: 'paused'; readonly pause: RatePause };

/** What a request turned out to cost. `reported` is the venue's own count, where its answer had one. */
export type SharedSettlement = RateCharge & {
  /** Whether `take` had counted it as under way: exits and cancels go without asking. */
  readonly wasTaken: boolean;
  readonly reported: number | null;
  readonly answeredAtMs: number;
};

/**
 * The counts and pauses that all processes on one venue's limits share. Times are of the venue's clock, which is the
 * only one that they have in common.
 */
export type SharedRates = {
  /**
   * Counts the request in all its limits or in none. `scopes` name the pauses that cover it, and one of those counts
   * until `yieldMs` after its end. Rejects when the counts can't be read.
   */
  take(request: {
    readonly charges: readonly SharedCharge[];
    readonly scopes: readonly RatePause['scope'][];
    readonly yieldMs: number;
    readonly venueNowMs: number;
  }): Promise<SharedTake>;
  /** Tells the others, soon. Nobody waits for it, and what can't be told is lost: the venue's answers carry its count. */
  settle(settlements: readonly SharedSettlement[]): void;
  /** Tells the others to wait, and goes on trying until it is told or over. */
  pause(pause: RatePause): void;
  /** Calls with the pauses of all processes, at once and whenever they change. Returns the way to stop. */
  onPauses(listener: (pauses: readonly RatePause[]) => void): () => void;
};
