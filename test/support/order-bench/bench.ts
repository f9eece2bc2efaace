import { setTimeout } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { ActivityDependencies, UnresolvedPolicy, VenueRoom } from '../../../activities/dependencies.ts';
import { createActivities } from '../../../activities/index.ts';
import { createTellPause } from '../../../activities/trading-state/tell-pause.ts';
import type { EntryRequest, EntryTerms, ExitTerms } from '../../../src/contracts/messages/entry-request.ts';
import {
  type OrderReported,
  type PositionClosed,
  type ProtectionInstruction,
  signals,
} from '../../../src/contracts/messages/messages.ts';
import { entryId } from '../../../src/contracts/messages/names.ts';
import { type BreakerSettings, breakerDefaults } from '../../../src/domain/circuit-breaker.ts';
import { decimal, zero } from '../../../src/domain/decimal.ts';
import { equityOf } from '../../../src/domain/equity.ts';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import { reconciliationDefaults } from '../../../src/domain/reconciliation/limits.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import type { LatestPrice, PriceHub } from '../../../src/prices/price-hub.ts';
import {
  type FaultRule,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../../src/simulator/server.ts';
import type { Db } from '../../../src/store/database.ts';
import { ensureAccount, saveBalances } from '../../../src/store/trading-state/accounts.ts';
import { type BinanceVenueOptions, createBinanceVenue } from '../../../src/venue/binance/adapter.ts';
import { createFilterCache } from '../../../src/venue/filter-cache.ts';
import { createRateBudget } from '../../../src/venue/rate-budget.ts';
import type { Venue } from '../../../src/venue/venue.ts';
import { type BenchEvidence, gatherBench } from './evidence.ts';
import { playEntry, playExit, playProtection, type Stagehands } from './lifecycles.ts';
import { createRunner, type Runner } from './run-activity.ts';
import { createStage, type Stage, type Strike } from './stage.ts';
import { stagedDatabase } from './staged-database.ts';
import { stagedVenue } from './staged-venue.ts';
import { virtualTime } from './virtual-time.ts';

export type OrderBenchOptions = {
  readonly db: Db;
  /** Benches on one database have an account each. */
  readonly account?: string;
  readonly seed?: number;
  readonly unresolved?: UnresolvedPolicy;
  readonly breaker?: Partial<BreakerSettings>;
  /** Whether the account is watched: the user-data stream, and polls every 10 s. */
  readonly watch?: boolean;
  readonly simulator?: Partial<SimulatorOptions>;
  readonly requestTimeoutMs?: number;
  /** The adapter: our own unless another is named. */
  readonly createVenue?: (options: BinanceVenueOptions) => Venue;
};

/** One trade: what is asked for, what befalls it, and how the market goes on meanwhile. */
export type TradePlan = {
  readonly tradeId?: string;
  readonly entry?: EntryTerms;
  readonly quantity?: string;
  readonly validForMs?: number;
  /** Standard: a stop loss far away. */
  readonly exit?: ExitTerms;
  /** Planned at the venue before the entry, and once it has ended. */
  readonly faults?: readonly FaultRule[];
  readonly exitFaults?: readonly FaultRule[];
  readonly strikes?: readonly Strike[];
  /** What the market does: one step each time that the trade waits. */
  readonly market?: readonly (() => unknown)[];
  /** Once the entry has ended, before anything is sold. */
  readonly onEntered?: () => unknown;
  /** Whether the position's stop is placed at the venue before it is closed. */
  readonly protects?: boolean;
  /** Whether the position is closed at the end, if there is one. Standard: yes. */
  readonly exits?: boolean;
};

export type TradeOutcome = {
  readonly tradeId: string;
  readonly decision: 'approved' | 'denied';
  readonly codes: readonly string[];
  /** The entry's order at its end; null where none was ever made. */
  readonly entry: OrderReported | null;
  /** Null while the position is open, or where there was none. */
  readonly closed: PositionClosed | null;
  readonly struck: Runner['struck'];
  readonly passed: Runner['passed'];
  /** How long it took, in the venue's time. */
  readonly tookMs: number;
};

export type OrderBench = {
  readonly simulator: Simulator;
  readonly venue: Venue;
  readonly account: string;
  trade(plan?: TradePlan): Promise<TradeOutcome>;
  /** Closes the position of a trade, while the market does one step each time that the exit waits. */
  exit(tradeId: string, market?: TradePlan['market'], strikes?: readonly Strike[]): Promise<PositionClosed | null>;
  /** Keeps the trade's stop at the venue until there is nothing to do for it now. Answers with what it is waiting for. */
  protect(tradeId: string, strikes?: readonly Strike[]): Promise<ProtectionInstruction>;
  /** A command of the venue's control port. */
  control(command: string, body: object): Promise<unknown>;
  /** Activities without a story around them, with the strikes given. */
  runner(strikes?: readonly Strike[]): Runner;
  request(plan?: TradePlan): EntryRequest;
  nowMs(): number;
  /** Makes our own clock wrong by so much. */
  skew(ms: number): void;
  /** Lets time pass, and everybody who waits for it do their part. */
  pass(ms: number): Promise<void>;
  /** After the venue was quiet for a while: what the account's watch still finds out is found out. */
  settle(): Promise<void>;
  evidence(): Promise<BenchEvidence>;
  close(): Promise<void>;
};

export const benchSymbol = 'BTC/USDT';
const startPrice = '100';
const plenty = 1_000_000_000;
const timings = { recvWindowMs: 3_000, fenceApiTimeoutMs: 10_000, fenceMarginMs: 20_000 };
const silent = pino({ level: 'silent' });

/**
 * The order path in one process: the real activities on the real PostgreSQL, the real adapter, and the paper venue over
 * real sockets, all on one virtual clock. What Temporal and the lifecycles add to the activities is imitated.
 */
export async function createOrderBench(options: OrderBenchOptions): Promise<OrderBench> {
  const { db, account = 'main', seed = 1, watch = true, createVenue = createBinanceVenue } = options;
  const simulator = await startSimulator({
    replay: 'manual',
    markets: [{ symbol: benchSymbol, price: startPrice, stepSize: '0.001', tradeQuantity: '1' }],
    deposits: { USDT: '1000000' },
    limits: { weightPerMinute: plenty, ordersPer10s: plenty, ordersPerDay: plenty },
    seed,
    virtualClockAtMs: Date.now(),
    ...options.simulator,
  } as SimulatorOptions);
  const time = virtualTime(simulator);
  let skewMs = 0;
  const now = () => time.nowMs() + skewMs;
  const clock = { nowMs: now, monotonicMs: time.nowMs };
  const venue = createVenue({
    name: 'paper',
    restUrl: simulator.url,
    streamUrl: simulator.wsUrl,
    wsApiUrl: `${simulator.wsUrl}/ws-api/v3`,
    ...simulator.keys,
    budget: createRateBudget({
      clock,
      onPause: createTellPause({ db, now, logger: silent }, { account, venue: 'paper' }),
    }),
    clock,
    logger: silent,
    requestTimeoutMs: options.requestTimeoutMs ?? 250,
    socketTimings: { backoffMs: [5, 10, 20], stableMs: 50 },
  });
  const room: VenueRoom = {
    venue,
    prices: quotesOf(simulator),
    filters: createFilterCache({ fetch: (symbol) => venue.filters(symbol), now, onWarning: () => undefined }),
  };
  const common: Omit<ActivityDependencies, 'db' | 'rooms' | 'sleep'> = {
    timings,
    unresolved: options.unresolved ?? 'park',
    breaker: { ...breakerDefaults, failureThreshold: plenty, ...options.breaker },
    entryBrake: () => null,
    watchShards: 1,
    reconciliation: reconciliationDefaults,
    onGuardsChanged: () => () => undefined,
    holder: `bench-${account}`,
    now,
    logger: silent,
    metrics: createMetrics(new Registry()),
  };
  const intents = new Map<string, number>();
  const onIntent = (id: string): void => void intents.set(id, simulator.requests().at(-1)?.requestId ?? 0);
  const activitiesOn = (stage: Stage) =>
    createActivities({
      ...common,
      db: stagedDatabase(db, stage, { onIntent }),
      rooms: new Map([['paper', { ...room, venue: stagedVenue(venue, stage) }]]),
      sleep: async (ms, signal) => {
        await stage.pass('time');
        await time.sleep(ms, signal);
        await stage.pass('time');
      },
    });
  await ensureAccount(db, {
    account,
    venue: 'paper',
    currency: 'USDT',
    limits: {
      ...paperLimits,
      equityAgeMsMax: plenty,
      orderNotionalMax: decimal('1000000'),
      options: {
        throttle: { identicalMax: plenty, windowMs: 60_000 },
        entryRate: { entriesMax: plenty, windowMs: 60_000 },
      },
    },
    actor: { type: 'system', id: 'bench' },
    nowMs: now(),
  });
  const watching = watch ? watchAccount() : null;
  let trades = 0;

  /** The account's watch, which waits for others to move the time. */
  function watchAccount(): { stop(): Promise<void> } {
    const environment = new MockActivityEnvironment({ activityType: 'watchAccount' });
    const { watchAccount: watchIt } = createActivities({
      ...common,
      db: stagedDatabase(db, createStage(undefined), { busy: time.busy }),
      rooms: new Map([['paper', { ...room, venue: busyVenue(venue, time.busy) }]]),
      sleep: time.doze,
    });
    const running = environment.run(watchIt, { venue: 'paper', account });
    running.catch(() => undefined);
    return {
      async stop() {
        environment.cancel();
        let hasEnded = false;
        const ended = running
          .catch(() => undefined)
          .finally(() => {
            hasEnded = true;
          });
        // It may have fallen asleep once more, and only the time wakes it.
        while (!hasEnded) {
          simulator.clock.shift(1_000);
          await setTimeout(1);
        }
        await ended;
      },
    };
  }

  const runnerWith = (strikes: readonly Strike[] = []): Runner =>
    createRunner({ activitiesOn, strikes, now, sleep: time.sleep });

  const request = (plan: TradePlan = {}): EntryRequest => {
    trades += 1;
    return {
      tradeId: plan.tradeId ?? `${account}-${trades}`,
      account,
      strategy: 'bench',
      venue: 'paper',
      legs: [{ symbol: benchSymbol, side: 'BUY', quantity: decimal(plan.quantity ?? '1'), unitDelta: decimal('1') }],
      entry: plan.entry ?? { type: 'MARKET' },
      exit: plan.exit ?? { stopLoss: { price: decimal('50') } },
      requestedAtMs: now(),
      validForMs: plan.validForMs ?? 10_000,
    };
  };

  const keepEquity = async (): Promise<void> => {
    const balances = simulator.exchange.books.balances();
    const priced = equityOf(balances, 'USDT', (symbol) => room.prices.latest(symbol)?.price ?? null);
    const equity = priced.ok ? priced.amount : decimal('1000000');
    await saveBalances(db, { account, balances, equity, fault: null, nowMs: now() });
  };

  const handsWith = (runner: Runner, steps: TradePlan['market'] = []): Stagehands => {
    const market = [...steps];
    return {
      runner,
      now,
      async wait(ms) {
        await market.shift()?.();
        await time.sleep(ms);
      },
      heard: entryMessages(db),
    };
  };

  async function trade(plan: TradePlan = {}): Promise<TradeOutcome> {
    const startedAtMs = time.nowMs();
    await keepEquity();
    const asked = request(plan);
    const { tradeId } = asked;
    const runner = runnerWith(plan.strikes);
    const hands = handsWith(runner, plan.market);
    simulator.plan(...(plan.faults ?? []));
    const { decision, order } = await playEntry(hands, asked);
    simulator.plan(...(plan.exitFaults ?? []));
    await plan.onEntered?.();
    const isHeld = order !== null && order.status !== 'parked' && order.filledQuantity !== zero;
    if (isHeld && plan.protects === true) {
      await runner.run('armGuards', [tradeId]);
      await playProtection(hands, tradeId);
    }
    const closed = isHeld && plan.exits !== false ? await playExit(hands, tradeId, 'operator') : null;
    return {
      tradeId,
      decision: decision.outcome,
      codes: decision.reasons.map(({ code }) => code),
      entry: order,
      closed,
      struck: runner.struck,
      passed: runner.passed,
      tookMs: time.nowMs() - startedAtMs,
    };
  }

  return {
    simulator,
    venue,
    account,
    trade,
    exit: (tradeId, steps, strikes) => playExit(handsWith(runnerWith(strikes), steps), tradeId, 'operator'),
    protect: (tradeId, strikes) => playProtection(handsWith(runnerWith(strikes)), tradeId),
    async control(command, body) {
      const response = await fetch(`${simulator.controlUrl}/__sim/${command}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${command}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    runner: runnerWith,
    request,
    nowMs: now,
    skew(ms) {
      skewMs = ms;
    },
    pass: (ms) => time.sleep(ms),
    async settle() {
      simulator.clearPlan();
      for (let step = 0; step < 4; step += 1) await time.sleep(10_000);
      await setTimeout(5);
    },
    evidence: () => gatherBench(db, simulator, account, intents),
    async close() {
      await watching?.stop();
      await venue.close();
      await simulator.close();
    },
  };
}

/** The venue's own last price: a price hub is not what is tested here. */
function quotesOf({ exchange, clock }: Simulator): PriceHub {
  const latest = (symbol: string): LatestPrice | null => {
    const market = exchange.venues.get(symbol.replace('/', ''));
    if (!market?.quotes) return null;
    return {
      price: market.quotes.last,
      venueTradeId: market.tape.lastTradeId,
      atMs: clock.nowMs(),
      streamAgeMs: 0,
    };
  };
  return {
    latest,
    awaitPrice: async (symbol) => latest(symbol),
    subscribe: () => undefined,
    watch: () => () => undefined,
    stats: () => {
      throw new Error('nobody asks for them here');
    },
    close: async () => undefined,
  };
}

/** The same venue; whatever it is asked is waited for before the time moves on. */
function busyVenue(venue: Venue, busy: <Result>(work: Promise<Result>) => Promise<Result>): Venue {
  return new Proxy(venue, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        const answer: unknown = Reflect.apply(member, target, args);
        return answer instanceof Promise ? busy(answer) : answer;
      };
    },
  });
}

/** What the relay would bring to the entry: each message once, in the order of their writing. */
function entryMessages(db: Db): Stagehands['heard'] {
  let heardUpTo = 0;
  return async (tradeId) => {
    const rows = await db
      .selectFrom('outbox')
      .select(['message_id', 'signal_args'])
      .where('workflow_id', '=', entryId(tradeId))
      .where('signal_name', '=', signals.orderReported)
      .where('message_id', '>', heardUpTo)
      .orderBy('message_id')
      .execute();
    heardUpTo = rows.at(-1)?.message_id ?? heardUpTo;
    return rows.map(({ signal_args }) => signal_args?.[0] as OrderReported);
  };
}
