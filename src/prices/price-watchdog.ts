import type { Clock } from '../venue/clock.ts';
import type { Lane } from '../venue/venue.ts';
import type { SymbolFeed } from './symbol-feed.ts';

export type WatchdogTimings = {
  /** No message of the stream at all for this long: its prices are stale. */
  readonly staleMs: number;
  /** While the stream brings nothing, one symbol is asked for this often, in turn. */
  readonly pollMs: number;
  /** A symbol without a trade for this long is compared with the venue's list: the stream may have lost it. */
  readonly quietMs: number;
};

export type WatchdogOptions = {
  readonly clock: Clock;
  readonly timings: WatchdogTimings;
  readonly onEvent: (event: StaleEvent) => void;
  /** Since when a connection that is up carries the symbol; infinite when none does. */
  readonly upSince: (symbol: string) => number;
  /** Asks the venue; whether there was news. Never rejects. */
  readonly poll: (feed: SymbolFeed, rows: number, lane: Lane) => Promise<boolean>;
  /** The stream is up and does not bring this symbol's trades. */
  readonly onLost: (symbol: string) => void;
};

/** `recovered` follows `stale`. */
export type StaleEvent = { readonly type: 'stale'; readonly ageMs: number } | { readonly type: 'recovered' };

export type PriceWatchdog = {
  guard(feed: SymbolFeed): void;
  release(feed: SymbolFeed): void;
  /** Anything at all came by the stream. */
  hear(): void;
  hearTrade(symbol: string): void;
  heardAt(): number;
  isStale(): boolean;
  close(): void;
};

// One request weighs the same for 1 row and for 1,000; 500 cover a busy second many times over.
const pollRows = 500;

type Guarded = { readonly feed: SymbolFeed; comparedAt: number; lost: number };

/** Notices a stream that has gone silent, and one that is up and brings nothing, and asks the venue's lists instead. */
export function createPriceWatchdog(options: WatchdogOptions): PriceWatchdog {
  const { clock, timings, onEvent, upSince, poll, onLost } = options;
  const guarded = new Map<string, Guarded>();
  let heardAt = clock.monotonicMs();
  let polledAt = Number.NEGATIVE_INFINITY;
  let isStale = false;

  const look = (): void => {
    const [overdue] = [...guarded.values()].sort((a, b) => a.comparedAt - b.comparedAt);
    if (overdue === undefined) return;
    const now = clock.monotonicMs();
    if (!isStale && now - heardAt > timings.staleMs) {
      isStale = true;
      onEvent({ type: 'stale', ageMs: now - heardAt });
    }
    const isBlind = isStale || overdue.feed.confirmedAt() < upSince(overdue.feed.symbol);
    const isDue = isBlind || now - overdue.comparedAt >= timings.quietMs;
    if (!isDue || now - polledAt < timings.pollMs) return;
    polledAt = now;
    overdue.comparedAt = now;
    // While they are blind, guards see by nothing else: that must not wait behind entries.
    void (isBlind ? poll(overdue.feed, pollRows, 'cancel') : compare(overdue));
  };

  const compare = async (overdue: Guarded): Promise<void> => {
    const hasNews = await poll(overdue.feed, 1, 'report');
    // Once may be chance: the list was faster than the stream.
    overdue.lost = hasNews ? overdue.lost + 1 : 0;
    if (overdue.lost < 2) return;
    overdue.lost = 0;
    onLost(overdue.feed.symbol);
  };

  const looking = setInterval(look, Math.min(250, timings.pollMs));
  return {
    guard(feed) {
      // Until now there was nothing to hear.
      if (guarded.size === 0) heardAt = clock.monotonicMs();
      guarded.set(feed.symbol, { feed, comparedAt: clock.monotonicMs(), lost: 0 });
    },
    release: ({ symbol }) => void guarded.delete(symbol),
    hear() {
      heardAt = clock.monotonicMs();
      if (!isStale) return;
      isStale = false;
      onEvent({ type: 'recovered' });
    },
    hearTrade(symbol) {
      const heard = guarded.get(symbol);
      if (heard === undefined) return;
      heard.comparedAt = clock.monotonicMs();
      heard.lost = 0;
    },
    heardAt: () => heardAt,
    isStale: () => isStale,
    close: () => clearInterval(looking),
  };
}
