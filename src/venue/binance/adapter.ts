import type { Logger } from 'pino';
import type { z } from 'zod';
import {
  accountSchema,
  exchangeInfoSchema,
  marketTradesSchema,
  permissionsSchema,
  symbolNamesSchema,
  timeSchema,
} from '../../contracts/schemas/binance.ts';
import { RatchetError } from '../../domain/errors.ts';
import { createScrubber } from '../../observability/scrubber.ts';
import type { Clock } from '../clock.ts';
import type { RateBudget, RateLimit, RateLimitKind } from '../rate-budget.ts';
import type { SocketTimings } from '../reconnecting-socket.ts';
import { createTransport } from '../transport.ts';
import type { Lane, MarketTrade, Subscription, Venue } from '../venue.ts';
import { createCancelAllOf } from './cancel-all.ts';
import { openMarketStream } from './market-stream.ts';
import { createOrderReads } from './order-reads.ts';
import { createOrderRequests, createOrderSends, type OrderRequests } from './orders.ts';
import { createRead, createTimestamps, type Read } from './reads.ts';
import { createReplaceOrder } from './replace.ts';
import { createRest, endpoints, type Rest, type RestOptions } from './rest.ts';
import { createSigner } from './sign.ts';
import { createSymbolNames, type ExchangeInfo, filtersOf, venueSymbolOf } from './symbols.ts';
import { openUserStream } from './user-stream.ts';
import { createVenueClock } from './venue-clock.ts';

export type BinanceVenueOptions = {
  readonly name: string;
  /** Without the path: `https://api.binance.com`. */
  readonly restUrl: string;
  /** Without the path: `wss://stream.binance.com:9443`. */
  readonly streamUrl: string;
  /** With the path: `wss://ws-api.binance.com:443/ws-api/v3`. */
  readonly wsApiUrl: string;
  readonly apiKey: string;
  /** A shared HMAC secret, or an Ed25519 private key in PEM. */
  readonly apiSecret: string;
  readonly budget: RateBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requestTimeoutMs?: number;
  readonly socketTimings?: Partial<SocketTimings>;
};

// What the venue's documentation says, until its exchangeInfo is read.
const documentedLimits: readonly RateLimit[] = [
  { kind: 'weight', windowMs: 60_000, max: 6000 },
  { kind: 'orders', windowMs: 10_000, max: 50 },
  { kind: 'orders', windowMs: 86_400_000, max: 160_000 },
  { kind: 'requests', windowMs: 300_000, max: 300_000 },
];

/** What puts the requests together. Another library may, as long as what it makes goes by the courier. */
export type Access = (options: RestOptions) => {
  readonly rest: Rest;
  readonly orders: OrderRequests;
};

const ownAccess: Access = (options) => {
  const rest = createRest(options);
  return { rest, orders: createOrderRequests(rest) };
};

/** Binance spot, or anything that speaks its dialect, such as the paper venue. */
export function createBinanceVenue(options: BinanceVenueOptions, access: Access = ownAccess): Venue {
  const { name, streamUrl, wsApiUrl, apiKey, budget, clock, logger, socketTimings = {} } = options;
  const transport = createTransport();
  const signer = createSigner(options.apiSecret);
  const scrub = createScrubber([apiKey, options.apiSecret]);
  const { rest, orders } = access({
    ...options,
    signer,
    scrub,
    transport,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    onTimestamp: (verdict, timestamp) => {
      if (verdict === 'accepted') venueClock.confirmed();
      else venueClock.refused(timestamp);
    },
  });
  const read = createRead(name, rest);
  const venueClock = createVenueClock({
    askServerTimeMs: async () => (await read(endpoints.time, timeSchema, {}, 'exit')).serverTime,
    clock,
    onMeasured: budget.learnClockOffset,
    onDrift: (drift) => logger.warn({ venue: name, ...drift }, "the venue's clock and ours have moved apart"),
  });
  const names = createSymbolNames(async () => {
    // A sweep of all open orders needs the names, so this is not in the lane of what adds risk.
    return (await read(endpoints.exchangeInfo, symbolNamesSchema, {}, 'cancel')).symbols;
  });
  const signed = createTimestamps(venueClock);
  const sends = { rest, clock, venueClock };
  const readAccount = async <T extends z.ZodType>(schema: T): Promise<z.output<T>> =>
    await read(endpoints.account, schema, await signed({ omitZeroBalances: 'true' }), 'report');
  budget.learnLimits(documentedLimits);
  const subscriptions = new Set<Subscription>();
  const keep = (opened: Subscription): Subscription => {
    const subscription = {
      async close() {
        subscriptions.delete(subscription);
        await opened.close();
      },
    };
    subscriptions.add(subscription);
    return subscription;
  };

  return {
    name,
    dedupe: 'open-only',
    ...createOrderSends(orders, sends),
    replaceOrder: createReplaceOrder(sends),
    cancelAllOf: createCancelAllOf(sends),
    ...createOrderReads({ read, clock, venueClock, names }),
    balances: async () => (await readAccount(accountSchema)).balances,
    accountPermissions: () => readAccount(permissionsSchema),
    async filters(symbol) {
      // An exit needs the filters, too.
      const info = await read(endpoints.exchangeInfo, exchangeInfoSchema, { symbol: venueSymbolOf(symbol) }, 'cancel');
      budget.learnLimits(rateLimitsOf(info));
      const filters = info.symbols.map(filtersOf).find((each) => each.symbol === symbol);
      if (filters === undefined) throw new RatchetError('SYMBOL_UNKNOWN', { venue: name, symbol });
      return filters;
    },
    marketTrades: (symbol, afterTradeId, limit, lane = 'report') =>
      readMarketTrades(read, { symbol, afterTradeId, limit, lane }),
    clockOffsetMs: venueClock.offsetMs,
    clockState: () => venueClock.state(),
    streamMarket: (symbols, onEvent) =>
      keep(openMarketStream({ streamUrl, symbols, clock, timings: socketTimings }, onEvent)),
    streamUserData: (onEvent) =>
      keep(
        openUserStream(
          { wsApiUrl, apiKey, signer, clock, venueClock, names, logger, scrub, timings: socketTimings },
          onEvent,
        ),
      ),
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      transport.close();
    },
  };
}

const pageRows = 1000;

type TradesWanted = {
  readonly symbol: string;
  readonly afterTradeId: number | null;
  readonly limit: number;
  readonly lane: Lane;
};

async function readMarketTrades(
  read: Read,
  { symbol, afterTradeId, limit, lane }: TradesWanted,
): Promise<readonly MarketTrade[]> {
  const page = async (fromId: number | null, rows: number): Promise<readonly MarketTrade[]> => {
    const wanted = { symbol: venueSymbolOf(symbol), limit: Math.min(rows, pageRows) };
    const raw =
      fromId === null
        ? await read(endpoints.trades, marketTradesSchema, wanted, lane)
        : await read(endpoints.historicalTrades, marketTradesSchema, { ...wanted, fromId }, lane);
    return raw.map(({ id, price, qty, time }) => ({
      symbol,
      venueTradeId: id,
      price,
      quantity: qty,
      tradedAtMs: time,
    }));
  };
  if (afterTradeId === null) return await page(null, limit);

  const trades: MarketTrade[] = [];
  while (trades.length < limit) {
    const next = await page((trades.at(-1)?.venueTradeId ?? afterTradeId) + 1, limit - trades.length);
    trades.push(...next);
    if (next.length < pageRows) break;
  }
  return trades;
}

const kinds: Record<string, RateLimitKind> = { REQUEST_WEIGHT: 'weight', ORDERS: 'orders', RAW_REQUESTS: 'requests' };
const intervals: Record<string, number> = { SECOND: 1000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 };

function rateLimitsOf({ rateLimits }: ExchangeInfo): readonly RateLimit[] {
  return rateLimits.flatMap(({ rateLimitType, interval, intervalNum, limit }) => {
    const kind = kinds[rateLimitType];
    const windowMs = (intervals[interval] ?? 0) * intervalNum;
    return kind === undefined || windowMs === 0 ? [] : [{ kind, windowMs, max: limit }];
  });
}
