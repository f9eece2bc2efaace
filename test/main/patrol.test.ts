import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Guard } from '../../src/domain/guard.ts';
import { createPatrol } from '../../src/main/patrol.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { noCounts } from '../../src/prices/symbol-feed.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import { armGuards, takeShard } from '../../src/store/guards/guards.ts';
import { aRequest, d, enter, messagesTo, nowMs, openAccount } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const shard = 'paper-0';
const stopLoss: Guard = {
  kind: 'stopLoss',
  terms: { side: 'long', price: d('90') },
  state: { status: 'armed' },
};

const registry = new Registry();
let database: TestDatabase;
let atMs = nowMs;
let walk: () => Promise<void>;
let isStale = false;
const quiet = { ...noCounts, symbols: 1, malformed: 0, polls: 0, disconnects: 0 };

beforeAll(async () => {
  database = await aDatabase();
  const { db } = database;
  await openAccount(db);
  const request = aRequest({ tradeId: 'patrolled' });
  await enter(db, request);
  const guards = [stopLoss];
  const armed = { tradeId: 'patrolled', leg: 0, venue: 'paper', shard, symbol: 'BTC/USDT', sinceVenueTradeId: 1_000 };
  await armGuards(db, { ...armed, guards, nowMs });
  walk = createPatrol({
    db,
    venue: 'paper',
    account: 'main',
    prices: { stats: () => ({ ...quiet, isStale }) },
    metrics: createMetrics(registry),
    logger: pino({ level: 'silent' }),
    now: () => atMs,
  });
});
afterAll(() => database.close());

const alertsNow = async () => (await openAlerts(database.db)).map(({ code, condition }) => [code, condition]);
const wakes = async () => (await messagesTo(database.db, `market-${shard}`)).length;

test('gives a moment to whoever restarts, then says that guards have no eyes and wakes their watch', async () => {
  atMs = nowMs + 4_000;
  await walk();
  const before = await wakes();
  expect(await alertsNow()).toEqual([]);
  atMs = nowMs + 6_000;
  await walk();
  expect(await alertsNow()).toEqual([['GUARDS_UNWATCHED', `unwatched:${shard}`]]);
  expect(await wakes()).toBe(before + 1);
});

test('tells the state of the book in numbers', async () => {
  await walk();
  const text = await registry.metrics();
  expect(text).toContain('ratchet_alerts_open{severity="CRITICAL"} 1');
  expect(text).toContain('ratchet_breaker_state{scope="main",state="CLOSED"} 1');
  expect(text).toContain('ratchet_holds_in_force{level="entries-blocked"} 0');
  expect(text).toMatch(/ratchet_outbox_open [1-9]/);
});

test('resolves the alert once somebody watches, also one that another process raised', async () => {
  await takeShard(database.db, { shard, holder: 'worker', leaseUntilMs: atMs + 10_000 });
  await walk();
  expect(await alertsNow()).toEqual([]);
});

test('F69: says that the price stream is silent, from the second look on, until it is heard again', async () => {
  const looks: unknown[] = [];
  for (isStale of [true, false, true, true, true, false]) {
    await walk();
    looks.push(await alertsNow());
  }
  const told = [['PRICES_STALE', 'prices-stale:paper']];
  expect(looks).toEqual([[], [], [], told, told, []]);
});
