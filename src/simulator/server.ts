import { decimal, isZero } from '../domain/decimal.ts';
import { invariant } from '../domain/invariant.ts';
import type { Side } from '../domain/order.ts';
import { type SimulatorClock, virtualClock, wallClock } from './clock.ts';
import type { FeeRules } from './engine.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { createFaults, type FaultRule, type Faults } from './faults.ts';
import { openLedger, type RequestRecord } from './ledger.ts';
import type { Market } from './market.ts';
import { assetsOf, marketOf } from './market-rules.ts';
import { createRateLimits, type Limits, standardLimits } from './rate-limits.ts';
import { createRequestLog } from './request-log.ts';
import { createRest, type Keys } from './rest.ts';
import { type SocketRules, standardSocketRules } from './socket.ts';
import { listen, serveStreams, shut } from './sockets.ts';
import { createMarketStreams } from './streams.ts';
import { memoryTape } from './tape.ts';
import { createUserStreams } from './user-stream.ts';

/** A symbol for a venue without prices of its own: they move by `tick` alone. Decimals as text. */
export type ManualMarket = {
  /** `BASE/QUOTE`. */
  readonly symbol: string;
  /** The first trade; without it the book is empty. */
  readonly price?: string;
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** The usual size of a trade; each price of the book shows fifty times that. */
  readonly tradeQuantity?: string;
  readonly rules?: Partial<Market>;
};

export type SimulatorOptions = {
  readonly replay: 'manual';
  readonly markets?: readonly ManualMarket[];
  /** What the account begins with, by asset. Standard: 100,000 of each quote asset. */
  readonly deposits?: Readonly<Record<string, string>>;
  readonly host?: string;
  /** 0, the standard, takes a free port. */
  readonly port?: number;
  readonly controlPort?: number;
  readonly keys?: Keys;
  readonly fees?: Partial<FeeRules>;
  readonly limits?: Partial<Limits>;
  readonly sockets?: Partial<SocketRules>;
  readonly seed?: number;
  /** Stands still until it is moved; begins here. */
  readonly virtualClockAtMs?: number;
};

export type Tick = {
  readonly price: string;
  /** Standard: the usual size of a trade. */
  readonly quantity?: string;
  /** `BASE/QUOTE` or `BASEQUOTE`; may be left out where there is only one. */
  readonly symbol?: string;
  readonly aggressor?: Side;
};

export type Simulator = {
  /** `http://…` of the REST API: paths begin with `/api/v3`. */
  readonly url: string;
  /** `ws://…` of the streams: `/ws`, `/stream` and `/ws-api/v3` on the same port. */
  readonly wsUrl: string;
  readonly keys: Keys;
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  readonly faults: Faults;
  /** Lets the market trade. */
  tick(...ticks: readonly Tick[]): void;
  /** Sends a frame as it is to every market stream. */
  sendRaw(text: string): void;
  /** Adds fault rules to the plan. */
  plan(...rules: readonly FaultRule[]): void;
  requests(): readonly RequestRecord[];
  close(): Promise<void>;
};

/** Paper keys that ship with the product. They are no secret. */
export const paperKeys: Keys = { apiKey: 'ratchet-paper-key', apiSecret: 'ratchet-paper-secret' };

const standardFees: FeeRules = { maker: decimal('0.001'), taker: decimal('0.001'), paidIn: 'received' };
const standardMarket: ManualMarket = { symbol: 'BTC/USDT', price: '46000' };
const standardDeposit = '100000';

/** Starts a paper venue on loopback. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const clock = options.virtualClockAtMs === undefined ? wallClock() : virtualClock(options.virtualClockAtMs);
  const keys = options.keys ?? paperKeys;
  const faults = createFaults(options.seed ?? 1);
  const limits = createRateLimits({ ...standardLimits, ...options.limits }, clock);
  const ledger = openLedger(null);
  const log = createRequestLog(ledger);
  const manual = options.markets ?? [standardMarket];
  const exchange = createExchange({
    markets: manual.map((each) => ({ market: manualMarket(each), tape: memoryTape() })),
    ledger,
    clock,
    fees: { ...standardFees, ...options.fees },
  });
  depositAll(exchange, options.deposits);
  const tick = createTick(exchange);
  for (const { symbol, price } of manual) if (price !== undefined) tick({ symbol, price });

  const market = createMarketStreams(exchange, clock);
  const user = createUserStreams({ exchange, clock, keys, limits });
  const rest = createRest({ exchange, clock, keys, limits, faults, log });
  const host = options.host ?? '127.0.0.1';
  const { server, port } = await listen((request, response) => void rest(request, response), options.port ?? 0, host);
  const rules = { ...standardSocketRules, ...options.sockets };
  const closeStreams = serveStreams(server, { market, user }, { faults, clock, rules });

  return {
    url: `http://${host}:${port}`,
    wsUrl: `ws://${host}:${port}`,
    keys,
    exchange,
    clock,
    faults,
    tick: (...ticks) => ticks.forEach(tick),
    sendRaw: market.broadcastRaw,
    plan: (...added) => faults.add(added),
    requests: log.records,
    async close() {
      market.announceShutdown();
      user.announceShutdown();
      closeStreams();
      await shut(server);
      ledger.close();
    },
  };
}

function manualMarket({ symbol, tickSize, stepSize, tradeQuantity, rules }: ManualMarket): Market {
  const assets = assetsOf(symbol);
  invariant(assets !== null, `a symbol has the form BASE/QUOTE, was ${symbol}`);
  return marketOf(
    {
      symbol,
      tickSize: decimal(tickSize ?? '0.01'),
      stepSize: decimal(stepSize ?? '0.00001'),
      tradeQuantity: decimal(tradeQuantity ?? '1'),
      ...(rules ? { rules } : {}),
    },
    assets,
  );
}

function depositAll(exchange: Exchange, deposits: SimulatorOptions['deposits']): void {
  const quotes = [...exchange.venues.values()].map(({ market }) => [market.quoteAsset, standardDeposit] as const);
  for (const [asset, quantity] of Object.entries(deposits ?? Object.fromEntries(quotes))) {
    if (!isZero(decimal(quantity))) exchange.changeBalance(asset, decimal(quantity), 'deposit');
  }
}

function createTick(exchange: Exchange): (tick: Tick) => void {
  return ({ symbol, price, quantity, aggressor }) => {
    const name = symbol?.replace('/', '') ?? [...exchange.venues.keys()][0] ?? '';
    const venue = exchange.venues.get(name);
    invariant(venue !== undefined, `${name} is a symbol of this venue`);
    const usual = venue.market.stepSize;
    exchange.trade(name, {
      price: decimal(price),
      quantity: quantity === undefined ? usual : decimal(quantity),
      aggressor: aggressor ?? null,
    });
  };
}
