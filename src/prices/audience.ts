import type { MarketTrade, Venue } from '../venue/venue.ts';
import { createGapFiller } from './gap-filler.ts';

/** A trade as a watcher gets it. `late` = it happened before one that was delivered already: it fills a gap. */
export type WatchedTrade = MarketTrade & { readonly late: boolean };

type OnTrade = (trade: WatchedTrade) => void;

type Watcher = {
  readonly onTrade: OnTrade;
  /** Trades up to and including this one are known to the watcher; null = it wants what comes from now on. */
  afterTradeId: number | null;
};

export type AudienceOptions = {
  readonly symbol: string;
  readonly venue: Pick<Venue, 'marketTrades'>;
  readonly counts: { trades: number; late: number; missing: number };
  /** Between two attempts to fill a gap. */
  readonly retryMs: number;
};

export type Audience = {
  /** Whoever begins to watch gets the latest trade at once, and what it missed before that. Returns the way to stop. */
  join(onTrade: OnTrade, afterTradeId: number | null, latest: MarketTrade | null): () => void;
  deliver(trade: MarketTrade, late: boolean): void;
  /** Trades between these two that nobody here has seen: they follow from the venue's list, oldest first. */
  miss(afterId: number, beforeId: number): void;
  /** The first trade there is: whoever wants those before it has missed them. */
  missBefore(first: MarketTrade): void;
  /** The venue counts anew: what was known by its old ids says nothing any more. */
  forgetIds(): void;
  close(): void;
};

// Named one by one: a spread costs a microsecond, which is more than all the rest of a quiet trade.
const asWatched = (
  { symbol, venueTradeId, price, quantity, tradedAtMs }: MarketTrade,
  late: boolean,
): WatchedTrade => ({
  symbol,
  venueTradeId,
  price,
  quantity,
  tradedAtMs,
  late,
});

/** Everybody who watches one symbol, and what each of them has missed. */
export function createAudience({ symbol, venue, counts, retryMs }: AudienceOptions): Audience {
  const watchers = new Set<Watcher>();
  const onMissing = (count: number): void => {
    counts.missing += count;
  };
  const filler = createGapFiller({ symbol, venue, onMissing, retryMs });

  const deliver = (trade: MarketTrade, to: Iterable<Watcher>, late: boolean): void => {
    counts.trades += 1;
    if (late) counts.late += 1;
    for (const watcher of to) {
      const isNews = watcher.afterTradeId === null || trade.venueTradeId > watcher.afterTradeId;
      if (isNews && watchers.has(watcher)) watcher.onTrade(asWatched(trade, late));
    }
  };

  const miss = (afterId: number, beforeId: number, missedBy: readonly Watcher[]): void =>
    filler.add({
      afterId,
      beforeId,
      isWanted: () => missedBy.some((watcher) => watchers.has(watcher)),
      deliver: (trade) => deliver(trade, missedBy, true),
    });

  return {
    join(onTrade, afterTradeId, latest) {
      const watcher = { onTrade, afterTradeId };
      watchers.add(watcher);
      if (latest !== null) {
        // A market may be quiet for long: whoever begins to watch must not wait for its next trade to know the price.
        deliver(latest, [watcher], false);
        if (afterTradeId !== null) miss(afterTradeId, latest.venueTradeId, [watcher]);
      }
      return () => watchers.delete(watcher);
    },
    deliver: (trade, late) => deliver(trade, watchers, late),
    miss: (afterId, beforeId) => miss(afterId, beforeId, [...watchers]),
    missBefore({ venueTradeId }) {
      for (const watcher of watchers) miss(watcher.afterTradeId ?? venueTradeId, venueTradeId, [watcher]);
    },
    forgetIds() {
      for (const watcher of watchers) watcher.afterTradeId = null;
    },
    close() {
      filler.close();
      watchers.clear();
    },
  };
}
