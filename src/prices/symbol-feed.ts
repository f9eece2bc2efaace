import type { Decimal } from '../domain/decimal.ts';
import type { Clock } from '../venue/clock.ts';
import type { Lane, MarketTrade, Venue } from '../venue/venue.ts';
import { createAudience, type WatchedTrade } from './audience.ts';
import { createSuspects, type SuspectEvent } from './suspects.ts';

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
  /** Trades of the stream that were too far from the last one to be believed at once. */
  suspects: number;
  /** Of these, those that the venue does not have like that. */
  contradicted: number;
};

export const noCounts: Readonly<FeedCounts> = {
  trades: 0,
  late: 0,
  duplicates: 0,
  gaps: 0,
  missing: 0,
  suspects: 0,
  contradicted: 0,
};

export type FeedEvent =
  | SuspectEvent
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
  /** A trade of the stream farther than this from the last one counts once the venue or the next trade says so, too. */
  readonly jumpMaxPercent: Decimal;
};

export type SymbolFeed = {
  readonly symbol: string;
  latest(): MarketTrade | null;
  /** Whether a trade after the latest one may be true or not: nobody knows the price. */
  isInDoubt(): boolean;
  /** When a trade or an answer of the venue last vouched for the latest price, on the monotonic clock. */
  confirmedAt(): number;
  /** Calls back once, at the next such moment or when the feed is closed. Returns the way to stop waiting. */
  onceConfirmed(callback: () => void): () => void;
  /** A trade from the stream. */
  receive(trade: MarketTrade): void;
  /** Asks the venue for its newest trades, so many, and says whether one was news. Rejects as the venue does. */
  poll(rows: number, lane: Lane): Promise<boolean>;
  watch(onTrade: (trade: WatchedTrade) => void, afterTradeId: number | null): () => void;
  close(): void;
};

/**
 * One symbol's trades as a contiguous sequence. The newest is delivered at once, because it is the price; what is
 * missing before it follows from the venue's own list, oldest first. A trade of the stream that is suspect is missing until
 * the venue's list or the next trade confirms it; what the list has is true.
 */
export function createSymbolFeed(options: FeedOptions): SymbolFeed {
  const { symbol, venue, clock, counts, onEvent } = options;
  const audience = createAudience(options);
  const confirmation = createConfirmation(clock);
  let latest: MarketTrade | null = null;
  const suspects = createSuspects(options, (page, fromTradeId) => void receivePage(page, fromTradeId));
  const isInDoubt = (): boolean => suspects.isAnyAfter(latest?.venueTradeId ?? -1);

  /** Takes the newest trade known. `hasRest` = the caller has the trades before it at hand. */
  const advance = (trade: MarketTrade, hasRest: boolean): void => {
    const before = latest;
    latest = trade;
    audience.deliver(trade, false);
    if (before === null) {
      audience.missBefore(trade);
    } else if (trade.venueTradeId > before.venueTradeId + 1) {
      counts.gaps += 1;
      onEvent({ type: 'gap', symbol, fromTradeId: before.venueTradeId + 1, toTradeId: trade.venueTradeId - 1 });
      if (!hasRest) audience.miss(before.venueTradeId, trade.venueTradeId);
    }
    vouch();
  };

  const vouch = (): void => {
    if (!isInDoubt()) confirmation.confirm();
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
    suspects.clear();
    audience.forgetIds();
    onEvent({ type: 'restarted', symbol, venueTradeId: first.venueTradeId });
  };

  /** Trades of the venue's own list, all there are from this id to the last of them. Whether one was news. */
  const receivePage = (page: readonly MarketTrade[], fromTradeId: number): boolean => {
    const newest = page.at(-1);
    if (newest === undefined) return false;
    suspects.judge(page, fromTradeId);
    if (latest !== null && startsAnew(latest, newest)) restart(newest);
    // The stream may have been faster while we asked.
    const news = page.filter((trade) => !isKnown(trade));
    if (news.length === 0) {
      vouch();
      return false;
    }
    const hasRest = latest !== null && news.length === newest.venueTradeId - latest.venueTradeId;
    advance(newest, hasRest);
    if (hasRest) for (const trade of news.slice(0, -1)) audience.deliver(trade, true);
    return true;
  };

  return {
    symbol,
    latest: () => latest,
    confirmedAt: () => confirmation.at(),
    onceConfirmed: (callback) => confirmation.once(callback),
    isInDoubt,
    receive(trade) {
      if (isKnown(trade)) setAside(trade);
      else for (const believed of suspects.sift(trade, latest)) advance(believed, false);
    },
    async poll(rows, lane) {
      const page = await venue.marketTrades(symbol, null, rows, lane);
      return receivePage(page, page[0]?.venueTradeId ?? 0);
    },
    watch: (onTrade, afterTradeId) => audience.join(onTrade, afterTradeId, latest),
    close() {
      audience.close();
      suspects.close();
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
