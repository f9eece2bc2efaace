import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { openMarketEyes } from '../../activities/guards/market-eyes.ts';
import { positionId, stopId } from '../../src/contracts/messages/names.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { armGuards, loadShard, takeShard } from '../../src/store/guards/guards.ts';
import { aRequest, d, enter, messagesTo, nowMs, openAccount, trailingRules } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { handFedPrices } from './hand-fed-prices.ts';

const ticks = 100_000;
const ticksBetweenCheckpoints = 1_000;
const checkpointEveryMs = 250;

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  await openAccount(database.db);
});
afterAll(() => database.close());

/** A trade with a trailing stop that is watched, and prices that come when the test says so. */
async function aWatchedTrade(tradeId: string) {
  const { db } = database;
  const shard = `paper-${tradeId}`;
  const symbol = 'BTC/USDT';
  await enter(db, aRequest({ tradeId }));
  const state = { status: 'trailing', extreme: d('100'), stopPrice: d('99') } as const;
  await armGuards(db, {
    ...{ tradeId, leg: 0, venue: 'paper', shard, symbol, sinceVenueTradeId: 0, nowMs },
    guards: [{ kind: 'trailingStop', terms: trailingRules, state }],
  });
  const epoch = await takeShard(db, { shard, holder: 'test', leaseUntilMs: nowMs + 5_000 });
  const { prices, hear } = handFedPrices();
  let timeMs = nowMs;
  const deps = { db, now: () => timeMs, metrics: createMetrics(new Registry()), logger: pino({ level: 'silent' }) };
  const eyes = openMarketEyes(deps as unknown as ActivityDependencies, { prices } as unknown as VenueRoom, {
    shard,
    epoch,
  });
  await eyes.reload(await loadShard(db, { shard }));
  return {
    eyes,
    async play(priceOf: (n: number) => string, from: number) {
      for (let n = 1; n <= ticks; n += 1) {
        hear({ symbol, venueTradeId: from + n, price: d(priceOf(n)), quantity: d('1'), tradedAtMs: timeMs });
        if (n % ticksBetweenCheckpoints !== 0) continue;
        timeMs += checkpointEveryMs;
        await eyes.checkpoint();
      }
    },
  };
}

test('F57: 100,000 ticks are no signals, whether each of them moves a stop or none does', {
  timeout: 120_000,
}, async () => {
  const tradeId = 'ticks-1';
  const { eyes, play } = await aWatchedTrade(tradeId);
  const signalsTo = async (workflowId: string) => (await messagesTo(database.db, workflowId)).length;

  const toldOfEntry = await signalsTo(positionId(tradeId));

  await play((n) => `${100 + Math.floor(n / 1_000)}.${String(n % 1_000).padStart(3, '0')}`, 0);
  // 25 seconds: one in a minute is told, and the book has every one of them.
  expect(await signalsTo(stopId(tradeId))).toBe(1);

  await play(() => '199.9', ticks);
  expect(await signalsTo(stopId(tradeId))).toBe(1);
  expect(await signalsTo(positionId(tradeId))).toBe(toldOfEntry);
  await eyes.close();
});
