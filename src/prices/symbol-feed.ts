import type { Decimal } from '../domain/decimal.ts';
import type { Clock } from '../venue/clock.ts';
import type { MarketTrade, Venue } from '../venue/venue.ts';
import { createGapFiller } from './gap-filler.ts';

/** A trade as a watcher gets it. `late` = it happened before one that was delivered already: it fills a gap. */
export type WatchedTrade = MarketTrade & { readonly late: boolean };

type Watcher = {
  readonly onTrade: (trade: WatchedTrade) => void;
  /** Trades up to and including this one are known to the watcher; null = it wants what comes from now on. */
  afterTradeId: number | null;
};

/** What a hub counts, over all its symbols and its whole life. */
export type FeedCounts = {
  trades: number;
  /** Of these, those delivered to fill a gap. */
  late: number;
  /** Dropped: seen before, or overtaken and left to the gap that it belongs to. */
  duplicates: number;
  gaps: number;
  /** Ids inside a gap that the venue does not have either. */
  missing: number;
};

export type FeedEvent =
  /** The stream brought a trade behind one that was delivered already: it was set aside. */
  | { readonly type: 'outOfSequence'; readonly symbol: string; readonly venueTradeId: number; readonly price: Decimal }
  | { readonly type: 'gap'; readonly symbol: string; readonly fromTradeId: number; readonly toTradeId: number }
  /** The venue's ids are lower than before: it was set back, and counts anew. */
  | { readonly type: 'restarted'; readonly symbol: string; readonly venueTradeId: number };

export type FeedOptions = {
  readonly symbol: string;
  readonly venue: Pick<Venue, 'marketTrades'>;
  readonly clock: Clock;
  readonly counts: FeedCounts;
  readonly onEvent: (event: FeedEvent) => void;
  /** Between two attempts to fill a gap. */
  readonly retryMs: number;
};

export type SymbolFeed = {
  readonly symbol: string;
  latest(): MarketTrade | null;
  /** When a trade or an answer of the venue last vouched for the latest price, on the monotonic clock. */
  confirmedAt(): number;
  /** Calls back once, at the next such moment or when the feed is closed. Returns the way to stop waiting. */
  onceConfirmed(callback: () => void): () => void;
  /** A trade from the stream. */
  receive(trade: MarketTrade): void;
  /** Asks the venue for its newest trades, so many, and says whether one was news. Rejects as the venue does. */
  poll(rows: number): Promise<boolean>;
  watch(onTrade: (trade: WatchedTrade) => void, afterTradeId: number | null): () => void;
  close(): void;
};

/**
 * One symbol's trades as a contiguous sequence. The newest is delivered at once, because it is the price; what is
 * missing before it follows from the venue's own list, oldest first.
 */
export function createSymbolFeed({ symbol, venue, clock, counts, onEvent, retryMs }: FeedOptions): SymbolFeed {
  const watchers = new Set<Watcher>();
  const confirmation = createConfirmation(clock);
  let latest: MarketTrade | null = null;
  const onMissing = (count: number): void => {
    counts.missing += count;
  };
  const filler = createGapFiller({ symbol, venue, onMissing, retryMs });

  const deliver = (trade: MarketTrade, to: Iterable<Watcher>, late: boolean): void => {
    counts.trades += 1;
    if (late) counts.late += 1;
    for (const watcher of to) {
      const isNews = watcher.afterTradeId === null || trade.venueTradeId > watcher.afterTradeId;
      if (isNews && watchers.has(watcher)) watcher.onTrade({ ...trade, late });
    }
  };

  const miss = (afterId: number, beforeId: number, missedBy: readonly Watcher[]): void =>
    filler.add({
      afterId,
      beforeId,
      isWanted: () => missedBy.some((watcher) => watchers.has(watcher)),
      deliver: (trade) => deliver(trade, missedBy, true),
    });

  /** Takes the newest trade known. `hasRest` = the caller has the trades before it at hand. */
  const advance = (trade: MarketTrade, hasRest: boolean): void => {
    const before = latest;
    latest = trade;
    deliver(trade, watchers, false);
    if (before === null) {
      for (const watcher of watchers) miss(watcher.afterTradeId ?? trade.venueTradeId, trade.venueTradeId, [watcher]);
    } else if (trade.venueTradeId > before.venueTradeId + 1) {
      counts.gaps += 1;
      onEvent({ type: 'gap', symbol, fromTradeId: before.venueTradeId + 1, toTradeId: trade.venueTradeId - 1 });
      if (!hasRest) miss(before.venueTradeId, trade.venueTradeId, [...watchers]);
    }
    confirmation.confirm();
  };

  const isKnown = (trade: MarketTrade): boolean => latest !== null && trade.venueTradeId <= latest.venueTradeId;

  const setAside = (trade: MarketTrade): void => {
    counts.duplicates += 1;
    const { venueTradeId, price } = trade;
    // The newest trade told twice is what an overlap of two connections looks like, and says nothing new.
    const isRepeated = latest !== null && venueTradeId === latest.venueTradeId && price === latest.price;
    if (!isRepeated) onEvent({ type: 'outOfSequence', symbol, venueTradeId, price });
  };

  const restart = (first: MarketTrade): void => {
    latest = null;
    for (const watcher of watchers) watcher.afterTradeId = null;
    onEvent({ type: 'restarted', symbol, venueTradeId: first.venueTradeId });
  };

  const receivePage = (page: readonly MarketTrade[]): boolean => {
    const newest = page.at(-1);
    if (newest === undefined) return false;
    if (latest !== null && startsAnew(latest, newest)) restart(newest);
    // The stream may have been faster while we asked.
    const news = page.filter((trade) => !isKnown(trade));
    if (news.length === 0) {
      confirmation.confirm();
      return false;
    }
    const hasRest = latest !== null && news.length === newest.venueTradeId - latest.venueTradeId;
    advance(newest, hasRest);
    if (hasRest) for (const trade of news.slice(0, -1)) deliver(trade, watchers, true);
    return true;
  };

  return {
    symbol,
    latest: () => latest,
    confirmedAt: () => confirmation.at(),
    onceConfirmed: (callback) => confirmation.once(callback),
    receive(trade) {
      if (isKnown(trade)) setAside(trade);
      else advance(trade, false);
    },
    poll: async (rows) => receivePage(await venue.marketTrades(symbol, null, rows)),
    watch(onTrade, afterTradeId) {
      const watcher = { onTrade, afterTradeId };
      watchers.add(watcher);
      if (latest !== null) {
        // A market may be quiet for long: whoever begins to watch must not wait for its next trade to know the price.
        deliver(latest, [watcher], false);
        if (afterTradeId !== null) miss(afterTradeId, latest.venueTradeId, [watcher]);
      }
      return () => watchers.delete(watcher);
    },
    close() {
      filler.close();
      watchers.clear();
      confirmation.giveUp();
    },
  };
}

/** When a price was last vouched for, and who waits for the next time. */
function createConfirmation(clock: Clock) {
  const waiting = new Set<() => void>();
  let confirmedAt = Number.NEGATIVE_INFINITY;
  const giveUp = (): void => {
    const callbacks = [...waiting];
    waiting.clear();
    for (const callback of callbacks) callback();
  };
  return {
    at: () => confirmedAt,
    confirm(): void {
      confirmedAt = clock.monotonicMs();
      giveUp();
    },
    once(callback: () => void): () => void {
      waiting.add(callback);
      return () => waiting.delete(callback);
    },
    giveUp,
  };
}

// A list that merely lags behind the stream has older trades; one that counts anew has later ones with lower ids.
const startsAnew = (latest: MarketTrade, newest: MarketTrade): boolean =>
  newest.venueTradeId < latest.venueTradeId && newest.tradedAtMs > latest.tradedAtMs;
