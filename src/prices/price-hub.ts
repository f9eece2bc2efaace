import type { Logger } from 'pino';
import type { Decimal } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import { priceJumpMaxPercentDefault } from '../domain/price-sanity.ts';
import type { Clock } from '../venue/clock.ts';
import type { Lane, MarketDataEvent, Venue } from '../venue/venue.ts';
import type { WatchedTrade } from './audience.ts';
import { createPriceWatchdog, type StaleEvent, type WatchdogTimings } from './price-watchdog.ts';
import { createSharedStream } from './shared-stream.ts';
import { createSymbolFeed, type FeedCounts, type FeedEvent, noCounts, type SymbolFeed } from './symbol-feed.ts';

export type LatestPrice = {
  readonly price: Decimal;
  readonly venueTradeId: number;
  /** When it was traded, by the venue's clock. */
  readonly atMs: number;
  /** How long ago the stream (heartbeats included) or an answer of the venue last vouched for it. */
  readonly streamAgeMs: number;
};

export type PriceHubEvent =
  | FeedEvent
  | StaleEvent
  /** A message that can't be a price was set aside. */
  | { readonly type: 'quarantined'; readonly detail: string };

type PriceHubStats = Readonly<FeedCounts> & {
  readonly symbols: number;
  readonly isStale: boolean;
  readonly malformed: number;
  readonly polls: number;
  readonly disconnects: number;
};

export type PriceHub = {
  /**
   * Calls back with the live price at once and with every trade from then on. From behind `afterTradeId`: the trades
   * before the live price follow it, oldest first, marked `late`. Returns the way to stop. The callback must not throw.
   */
  watch(symbol: string, onTrade: (trade: WatchedTrade) => void, afterTradeId?: number | null): () => void;
  /** Keeps the symbol's price at hand without watching it. */
  subscribe(symbol: string): void;
  /** The last price that is not in doubt and how far it can be trusted; null before the first one. */
  latest(symbol: string): LatestPrice | null;
  /** A price that is neither stale nor in doubt, asked for if need be; null when none is to be had in time. */
  awaitPrice(symbol: string, timeoutMs: number): Promise<LatestPrice | null>;
  stats(): PriceHubStats;
  close(): Promise<void>;
};

type PriceHubTimings = WatchdogTimings & {
  /** New symbols that come together share one new connection. */
  readonly settleMs: number;
};

export type PriceHubOptions = {
  readonly venue: Pick<Venue, 'name' | 'marketTrades' | 'streamMarket'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEvent?: (event: PriceHubEvent) => void;
  readonly timings?: Partial<PriceHubTimings>;
  /** How far a trade of the stream may be from the last one and be believed at once. Standard: 10. */
  readonly jumpMaxPercent?: Decimal;
};

const defaults: PriceHubTimings = { staleMs: 5000, pollMs: 1000, quietMs: 10_000, settleMs: 50 };

// After a connection came up: enough to close a short gap with the one request.
const catchUpRows = 500;

/** The prices of one worker process: one connection for all symbols, and the venue's lists where it falls short. */
export function createPriceHub(options: PriceHubOptions): PriceHub {
  const { venue, clock, logger, onEvent = () => undefined, jumpMaxPercent = priceJumpMaxPercentDefault } = options;
  const timings = { ...defaults, ...options.timings };
  const feeds = new Map<string, SymbolFeed>();
  const counts: FeedCounts = { ...noCounts };
  const totals = { malformed: 0, polls: 0, disconnects: 0 };

  const poll = async (feed: SymbolFeed, rows: number, lane: Lane = 'report'): Promise<boolean> => {
    totals.polls += 1;
    try {
      return await feed.poll(rows, lane);
    } catch (error) {
      logger.debug({ err: error, symbol: feed.symbol }, 'price can not be asked for now');
      if (isSymbolUnknown(error) && feed.latest() === null) forget(feed);
      return false;
    }
  };

  const catchUp = (symbols: ReadonlySet<string>): void => {
    for (const feed of feeds.values()) if (symbols.has(feed.symbol)) void poll(feed, catchUpRows);
  };

  const receive = (event: MarketDataEvent): void => {
    if (event.type === 'disconnected') {
      totals.disconnects += 1;
      logger.warn({ venue: venue.name, detail: event.detail }, 'price stream is down');
      return;
    }
    watchdog.hear();
    if (event.type === 'malformed') {
      totals.malformed += 1;
      onEvent({ type: 'quarantined', detail: event.detail });
    } else if (event.type === 'trade') {
      watchdog.hearTrade(event.trade.symbol);
      feeds.get(event.trade.symbol)?.receive(event.trade);
    }
  };

  const onLost = (symbol: string): void => {
    logger.warn({ venue: venue.name, symbol }, 'price stream brings nothing although there are trades');
    stream.replace();
  };

  const stream = createSharedStream({
    venue,
    clock,
    settleMs: timings.settleMs,
    onEvent: receive,
    onConnected: catchUp,
  });
  const watchdog = createPriceWatchdog({ clock, timings, onEvent, upSince: stream.upSince, poll, onLost });

  const feedOf = (symbol: string): SymbolFeed => {
    const known = feeds.get(symbol);
    if (known !== undefined) return known;
    const feed = createSymbolFeed({ symbol, venue, clock, counts, onEvent, jumpMaxPercent, retryMs: timings.pollMs });
    feeds.set(symbol, feed);
    watchdog.guard(feed);
    stream.add(symbol);
    void poll(feed, 1);
    return feed;
  };

  /** A name that the venue does not know must not burden everybody's connection. */
  const forget = (feed: SymbolFeed): void => {
    feeds.delete(feed.symbol);
    watchdog.release(feed);
    stream.drop(feed.symbol);
    feed.close();
  };

  const latest = (symbol: string): LatestPrice | null => {
    const feed = feeds.get(symbol);
    return feed === undefined ? null : latestOf(feed, stream.upSince(symbol), watchdog.heardAt(), clock.monotonicMs());
  };

  const freshPrice = (symbol: string) => trusted(feeds.get(symbol), latest(symbol), timings.staleMs);

  return {
    watch: (symbol, onTrade, afterTradeId = null) => feedOf(symbol).watch(onTrade, afterTradeId),
    subscribe: (symbol) => void feedOf(symbol),
    latest,
    async awaitPrice(symbol, timeoutMs) {
      const known = freshPrice(symbol);
      if (known !== null) return known;
      // A new feed asks by itself, and so does one that is in doubt; one that has become stale is asked for here.
      const isNew = !feeds.has(symbol);
      const feed = feedOf(symbol);
      if (!isNew && !feed.isInDoubt()) void poll(feed, 1);
      await confirmation(feed, timeoutMs);
      return freshPrice(symbol);
    },
    stats: () => ({ ...counts, ...totals, symbols: feeds.size, isStale: watchdog.isStale() }),
    async close() {
      watchdog.close();
      for (const feed of feeds.values()) feed.close();
      await stream.close();
    },
  };
}

/** The price, unless it is older or a trade after it may be true or not. */
function trusted(feed: SymbolFeed | undefined, price: LatestPrice | null, ageMsMax: number): LatestPrice | null {
  if (feed === undefined || feed.isInDoubt() || price === null) return null;
  return price.streamAgeMs <= ageMsMax ? price : null;
}

function latestOf(feed: SymbolFeed, upSince: number, heardAt: number, now: number): LatestPrice | null {
  const trade = feed.latest();
  if (trade === null) return null;
  // A connection vouches for a price only once it is known that nothing was missed before it came up.
  const isStreamed = feed.confirmedAt() >= upSince;
  const vouchedAt = isStreamed ? Math.max(heardAt, feed.confirmedAt()) : feed.confirmedAt();
  const { price, venueTradeId, tradedAtMs } = trade;
  return { price, venueTradeId, atMs: tradedAtMs, streamAgeMs: now - vouchedAt };
}

const isSymbolUnknown = (error: unknown): boolean => error instanceof RatchetError && error.code === 'SYMBOL_UNKNOWN';

/** The moment a price is vouched for, or the end of the patience. */
function confirmation(feed: SymbolFeed, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = feed.onceConfirmed(finish);
    const timer = setTimeout(finish, timeoutMs);
  });
}
