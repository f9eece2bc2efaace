import { setTimeout } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { createPlaceOrder } from '../../activities/orders/place-order.ts';
import { type SweepProgress, sweepOnce } from '../../activities/trading-state/cancel-sweep.ts';
import type { HoldLevel, HoldScope, OrderReported, OrderTerms } from '../../src/contracts/messages/messages.ts';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import { reconciliationDefaults } from '../../src/domain/reconciliation/limits.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { PriceHub } from '../../src/prices/price-hub.ts';
import type { FaultRule, Simulator, SimulatorOptions } from '../../src/simulator/server.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import type { Db } from '../../src/store/database.ts';
import { decideTrade, requestHashOf } from '../../src/store/trades/decisions.ts';
import { ensureAccount } from '../../src/store/trading-state/accounts.ts';
import { setHold } from '../../src/store/trading-state/holds.ts';
import { createBinanceVenue } from '../../src/venue/binance/adapter.ts';
import { createFilterCache } from '../../src/venue/filter-cache.ts';
import { createRateBudget } from '../../src/venue/rate-budget.ts';
import { aRequest, nowMs, retrying } from '../store/fixtures.ts';

export const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
export const everything: HoldScope = { kind: 'all', id: '*' };
const timings = { recvWindowMs: 3_000, fenceApiTimeoutMs: 10_000, fenceMarginMs: 20_000 };

export type EntryPlan = { readonly symbol?: string; readonly strategy?: string; readonly price?: string };

/** The book, the paper venue and the real activities, on one clock that the test moves. */
export type Halting = {
  readonly simulator: Simulator;
  readonly deps: ActivityDependencies;
  /** As another process would have them. */
  depsOf(holder: string): ActivityDependencies;
  nowMs(): number;
  /** Decides and reserves; nothing is sent yet. */
  approve(tradeId: string, plan?: EntryPlan): Promise<void>;
  /** Sends the entry order of an approved trade. Rests far below the market unless a price is said. */
  send(tradeId: string): Promise<OrderReported>;
  sendExit(tradeId: string, terms: OrderTerms): Promise<OrderReported>;
  /** Both. */
  enter(tradeId: string, plan?: EntryPlan): Promise<OrderReported>;
  halt(level: HoldLevel, scope?: HoldScope): Promise<{ readonly holdId: string; readonly holdVersion: string }>;
  look(holdVersion: string): Promise<SweepProgress>;
  /** Looks whenever it is due, until the sweep has ended or `untilMs` after its beginning. */
  sweep(holdVersion: string, untilMs?: number): Promise<readonly SweepProgress[]>;
  plan(...rules: readonly FaultRule[]): void;
  /** Orders that the venue has open, by client order id, sorted. */
  openAtVenue(): readonly string[];
  close(): Promise<void>;
};

export async function aHalting(
  db: Db,
  options: Partial<SimulatorOptions> & { readonly venueWrapper?: (deps: VenueRoom) => VenueRoom } = {},
): Promise<Halting> {
  const { venueWrapper = (room: VenueRoom) => room, ...ofSimulator } = options;
  const simulator = await startSimulator({
    replay: 'manual',
    markets: symbols.map((symbol) => ({ symbol, price: '100', stepSize: '0.001' })),
    deposits: { USDT: '10000000' },
    limits: { weightPerMinute: 1_000_000, ordersPer10s: 1_000_000, ordersPerDay: 1_000_000 },
    virtualClockAtMs: nowMs,
    ...ofSimulator,
  } as SimulatorOptions);
  const now = () => simulator.clock.nowMs();
  const logger = pino({ level: 'silent' });
  const depsOf = (holder: string): ActivityDependencies => {
    const clock = { nowMs: now, monotonicMs: now };
    const venue = createBinanceVenue({
      name: 'paper',
      restUrl: simulator.url,
      streamUrl: simulator.wsUrl,
      wsApiUrl: `${simulator.wsUrl}/ws-api/v3`,
      ...simulator.keys,
      budget: createRateBudget({ clock }),
      clock,
      logger,
    });
    opened.push(venue);
    const filters = createFilterCache({ fetch: (symbol) => venue.filters(symbol), now, onWarning: () => undefined });
    return {
      db,
      rooms: new Map([['paper', venueWrapper({ venue, prices: noPrices, filters })]]),
      timings,
      unresolved: 'park',
      breaker: breakerDefaults,
      entryBrake: () => null,
      watchShards: 1,
      reconciliation: reconciliationDefaults,
      onGuardsChanged: () => () => undefined,
      holder,
      now,
      // In real time: the venue's own clock stands still meanwhile.
      sleep: (ms, signal) => setTimeout(ms, undefined, signal && { signal }),
      logger,
      metrics: createMetrics(new Registry()),
    };
  };
  const opened: { close(): Promise<void> }[] = [];
  const deps = depsOf('worker-1');
  await ensureAccount(db, {
    account: 'main',
    venue: 'paper',
    currency: 'USDT',
    limits: paperLimits,
    actor: { type: 'system', id: 'test' },
    nowMs,
  });
  const look = (holdVersion: string) => sweepOnce(deps, { holdVersion, venue: 'paper' });
  const send = (tradeId: string) => placedBy(deps, { tradeId, leg: 0, purpose: 'entry', generation: 1 });
  // Decisions on one account queue for its lock; who waits too long asks again, as the lifecycle does.
  const approve = (tradeId: string, plan: EntryPlan = {}) => retrying(() => approveTrade(db, tradeId, plan, now()));
  return {
    simulator,
    deps,
    depsOf,
    nowMs: now,
    approve,
    send,
    sendExit: (tradeId, terms) => placedBy(deps, { tradeId, leg: 0, purpose: 'exit', generation: 1, terms }),
    async enter(tradeId, plan) {
      await approve(tradeId, plan);
      return send(tradeId);
    },
    async halt(level, scope = everything) {
      const reason = 'looks wrong';
      const { hold } = await setHold(db, { scope, source: 'operator', level, actor: 'anna', reason, nowMs: now() });
      return { holdId: hold.holdId, holdVersion: hold.version };
    },
    look,
    async sweep(holdVersion, untilMs = 60_000) {
      const endAtMs = now() + untilMs;
      const seen = [await look(holdVersion)];
      for (let last = seen.at(-1); last && !last.isEnded && last.nextLookAtMs <= endAtMs; last = seen.at(-1)) {
        simulator.clock.shift(Math.max(0, last.nextLookAtMs - now()));
        seen.push(await look(holdVersion));
      }
      return seen;
    },
    plan: (...rules) => simulator.plan(...rules),
    openAtVenue: () =>
      [...simulator.exchange.books.openOrders.values()].map(({ clientOrderId }) => clientOrderId).toSorted(),
    async close() {
      await Promise.all(opened.map((venue) => venue.close()));
      await simulator.close();
    },
  };
}

/** Runs the real activity as a worker would, once. */
export function placedBy(
  deps: ActivityDependencies,
  input: Parameters<ReturnType<typeof createPlaceOrder>>[0],
): Promise<OrderReported> {
  const noLog = new DefaultLogger('ERROR', () => undefined);
  return new MockActivityEnvironment({ activityType: 'placeOrder' }, { logger: noLog }).run(
    createPlaceOrder(deps),
    input,
  );
}

async function approveTrade(db: Db, tradeId: string, plan: EntryPlan, atMs: number): Promise<void> {
  const { symbol = 'BTC/USDT', strategy = 'ma-cross', price = '50' } = plan;
  const request = aRequest({
    tradeId,
    strategy,
    legs: [{ symbol, side: 'BUY', quantity: decimal('1'), unitDelta: decimal('1') }],
    entry: { type: 'LIMIT', price: decimal(price), timeInForce: 'GTC' },
    requestedAtMs: atMs,
  });
  await decideTrade(db, {
    request,
    requestHash: requestHashOf(request),
    runId: 'run-1',
    nowMs: atMs,
    evaluate: () => ({
      decision: {
        tradeId,
        outcome: 'approved',
        reasons: [],
        evaluations: [],
        price: { last: decimal('100'), venueTradeId: '1', ageMs: 0 },
        decidedAtMs: atMs,
      },
      reservations: [{ leg: 0, price: decimal(price), unitGamma: decimal('0') }],
    }),
  });
}

const noPrices: PriceHub = {
  latest: () => null,
  awaitPrice: async () => null,
  subscribe: () => undefined,
  watch: () => () => undefined,
  stats: () => {
    throw new Error('nobody asks for them here');
  },
  close: async () => undefined,
};
