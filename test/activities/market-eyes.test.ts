import pg from 'pg';
import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { openMarketEyes } from '../../activities/guards/market-eyes.ts';
import type { Guard } from '../../src/domain/guard.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { amendTrailingStop, armGuards, loadShard, takeShard } from '../../src/store/guards/guards.ts';
import type { Lane, MarketTrade } from '../../src/venue/venue.ts';
import { aRequest, d, enter, nowMs, openAccount, trailingRules, typesOf } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { soon } from '../venue/support/soon.ts';
import { handFedPrices } from './hand-fed-prices.ts';

const symbol = 'BTC/USDT';
let database: TestDatabase;
let opened = 0;
let shard = '';
beforeAll(async () => {
  database = await aDatabase();
  await openAccount(database.db);
});
beforeEach(() => {
  opened += 1;
  shard = `paper-${opened}`;
});
afterAll(() => database.close());

const aTrade = (venueTradeId: number, price = '100'): MarketTrade => ({
  symbol,
  venueTradeId,
  price: d(price),
  quantity: d('1'),
  tradedAtMs: nowMs,
});

const stopLoss: Guard = { kind: 'stopLoss', terms: { side: 'long', price: d('90') }, state: { status: 'armed' } };
const trailing: Guard = {
  kind: 'trailingStop',
  terms: trailingRules,
  state: { status: 'trailing', extreme: d('100'), stopPrice: d('99') },
};
const waiting: Guard = {
  kind: 'trailingStop',
  terms: { ...trailingRules, activationPrice: d('105') },
  state: { status: 'waiting', extreme: d('100'), stopPrice: null },
};

/** A position with a stop, at 90 where nothing else is said, that wants the trades after this one. */
async function armed(tradeId: string, sinceVenueTradeId: number, guard: Guard = stopLoss): Promise<void> {
  await enter(database.db, aRequest({ tradeId }));
  await armGuards(database.db, {
    ...{ tradeId, leg: 0, venue: 'paper', shard, symbol, sinceVenueTradeId, nowMs },
    guards: [guard],
  });
}

type Question = {
  readonly afterId: number | null;
  readonly lane: Lane | undefined;
  answer(trades: readonly MarketTrade[]): void;
  fail(): void;
};

/** Eyes at a venue that answers when the test says so. */
async function theEyes() {
  const { db } = database;
  const epoch = await takeShard(db, { shard, holder: 'test', leaseUntilMs: nowMs + 5_000 });
  const questions: Question[] = [];
  const { prices, hear } = handFedPrices();
  let timeMs = nowMs;
  const room = {
    venue: {
      marketTrades: (_symbol: string, afterId: number | null, _limit: number, lane?: Lane) =>
        new Promise((answer, reject) => {
          questions.push({ afterId, lane, answer, fail: () => reject(new Error('no answer')) });
        }),
    },
    prices,
  };
  const deps = { db, now: () => timeMs, metrics: createMetrics(new Registry()), logger: pino({ level: 'silent' }) };
  const eyes = openMarketEyes(deps as unknown as ActivityDependencies, room as unknown as VenueRoom, { shard, epoch });
  const reload = async () => eyes.reload(await loadShard(db, { shard }));
  await reload();
  return {
    eyes,
    questions,
    reload,
    hear,
    /** Looks for what is missing, and again once the hub had its moment to fill the gap. */
    catchUp(): void {
      eyes.catchUp();
      timeMs += 300;
      eyes.catchUp();
    },
    pass(ms: number): void {
      timeMs += ms;
    },
  };
}

const loaded = async () => (await loadShard(database.db, { shard }))[0];

const cursor = async () =>
  (
    await database.db
      .selectFrom('watch_cursor')
      .select('venue_trade_id')
      .where('shard', '=', shard)
      .executeTakeFirstOrThrow()
  ).venue_trade_id;

const triggeredTrades = async (): Promise<readonly string[]> =>
  (await database.db.selectFrom('exit_request').select('trade_id').orderBy('trade_id').execute()).map(
    ({ trade_id }) => trade_id,
  );

describe('trades that guards have missed', () => {
  test('are asked for once, and guards are armed while the venue lets us wait', async () => {
    await armed('waiting-1', 10);
    const { eyes, questions, reload, hear, catchUp } = await theEyes();
    hear(aTrade(20));
    catchUp();
    catchUp();
    expect(questions.map(({ afterId }) => afterId)).toEqual([10]);
    await armed('waiting-2', 20);
    await reload();
    expect(eyes.armed()).toBe(2);
    expect((await loadShard(database.db, { shard })).map((row) => row.acknowledgedVersion)).toEqual([1, 1]);
    await eyes.close();
  });

  test('are not taken for seen by a guard that wants older ones', async () => {
    await armed('older-1', 15);
    const { eyes, questions, reload, hear, catchUp } = await theEyes();
    hear(aTrade(20));
    catchUp();
    await armed('older-2', 10);
    await reload();
    questions[0]?.answer([16, 17, 18, 19].map((id) => aTrade(id)));
    await soon(() => {
      catchUp();
      expect(questions.map(({ afterId }) => afterId)).toEqual([15, 10]);
    });
    questions[1]?.answer([aTrade(11), aTrade(12, '89'), ...[13, 14, 15].map((id) => aTrade(id))]);
    await soon(async () => expect(await triggeredTrades()).toEqual(['older-2']));
    await eyes.close();
  });

  test('are asked for ahead of entries, but not every time where the venue does not answer', async () => {
    await armed('urgent-1', 10);
    const { eyes, questions, hear, catchUp, pass } = await theEyes();
    hear(aTrade(20));
    catchUp();
    for (let asked = 2; asked <= 4; asked += 1) {
      questions.at(-1)?.fail();
      pass(2_500);
      await soon(() => {
        eyes.catchUp();
        expect(questions).toHaveLength(asked);
      });
    }
    expect(questions.map(({ lane }) => lane)).toEqual(['cancel', 'report', 'cancel', 'report']);
    await eyes.close();
  });

  test('are asked for again when the list does not have the newer one either that was heard', async () => {
    await armed('lagging-1', 10);
    const { eyes, questions, hear, catchUp } = await theEyes();
    hear(aTrade(12));
    catchUp();
    questions[0]?.answer([]);
    await soon(() => {
      catchUp();
      expect(questions.map(({ afterId }) => afterId)).toEqual([10, 10]);
    });
    expect(await triggeredTrades()).not.toContain('lagging-1');
    questions[1]?.answer([aTrade(11, '89'), aTrade(12)]);
    await soon(async () => expect(await triggeredTrades()).toContain('lagging-1'));
    await eyes.close();
  });

  test('do not exist when the list is empty every time: a stop moves on', async () => {
    await armed('never-1', 10, trailing);
    const { eyes, questions, hear, catchUp } = await theEyes();
    hear(aTrade(3_012, '110'));
    catchUp();
    for (let asked = 2; asked <= 5; asked += 1) {
      questions.at(-1)?.answer([]);
      await soon(() => {
        catchUp();
        expect(questions).toHaveLength(asked);
      });
      await eyes.checkpoint();
      expect(await loaded()).toMatchObject({ guard: trailing, sinceVenueTradeId: 10 });
    }
    questions.at(-1)?.answer([]);
    await soon(async () => {
      await eyes.checkpoint();
      expect(await loaded()).toMatchObject({ guard: { state: { extreme: '110' } }, sinceVenueTradeId: 3_012 });
    });
    await eyes.close();
  });

  test('that come after the watch has ended are left alone', async () => {
    await armed('ended-1', 10);
    const { eyes, questions, hear, catchUp } = await theEyes();
    hear(aTrade(20));
    catchUp();
    await eyes.close();
    questions[0]?.answer([aTrade(11, '89')]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await triggeredTrades()).not.toContain('ended-1');
  });
});

describe('a trailing stop that is amended before what it went through is written', () => {
  const tight = { status: 'trailing', extreme: '110', stopPrice: '109.45' };
  const amend = (tradeId: string) =>
    amendTrailingStop(database.db, {
      tradeId,
      amendment: { distance: d('0.5'), actor: 'anna', reason: 'nervous' },
      nowMs,
    });

  test.each([
    ['moved', trailing, 'StopMoved'],
    ['activated', waiting, 'StopActivated'],
  ] as const)('is written as it has %s since', async (seen, guard, type) => {
    const tradeId = `amended-${seen}`;
    await armed(tradeId, 10, guard);
    const { eyes, reload, hear } = await theEyes();
    hear(aTrade(11, '110'));
    await amend(tradeId);
    await reload();
    await eyes.checkpoint();
    expect(await loaded()).toMatchObject({ version: 2, sinceVenueTradeId: 11, guard: { state: tight } });
    expect((await typesOf(database.db, tradeId)).filter((each) => each.startsWith('Stop'))).toEqual([
      'StopArmed',
      'StopAmended',
      type,
    ]);
    await eyes.close();
  });

  test.each([
    ['moved', trailing],
    ['activated', waiting],
  ] as const)('and %s unknown to the checkpoint wants the same trades until it is written', async (seen, guard) => {
    const tradeId = `amended-late-${seen}`;
    await armed(tradeId, 10, guard);
    const { eyes, reload, hear } = await theEyes();
    hear(aTrade(11, '110'));
    await reload();
    await amend(tradeId);
    await eyes.checkpoint();
    expect(await loaded()).toMatchObject({ version: 2, sinceVenueTradeId: 10, guard: { state: { extreme: '100' } } });
    await reload();
    await eyes.checkpoint();
    expect(await loaded()).toMatchObject({ version: 2, sinceVenueTradeId: 11, guard: { state: tight } });
    await eyes.close();
  });
});

describe('a trigger that is not committed when the watch ends', () => {
  /** Nobody else can have the row of this trade until it is let go. */
  async function holding(tradeId: string): Promise<() => Promise<void>> {
    const client = new pg.Client(database.ownerUrl);
    await client.connect();
    await client.query('begin');
    await client.query('select 1 from trade where trade_id = $1 for update', [tradeId]);
    return () => client.end();
  }

  test.each([
    ['a stop', stopLoss, ['89', '100']],
    ['a stop that had just moved there', trailing, ['110', '108', '112']],
  ] as const)('is seen again by the next one: %s', async (what, guard, prices) => {
    const tradeId = `not-committed: ${what}`;
    await armed(tradeId, 10, guard);
    const trades = prices.map((price, index) => aTrade(11 + index, price));
    const letGo = await holding(tradeId);
    const first = await theEyes();
    await first.eyes.checkpoint();
    for (const trade of trades) first.hear(trade);
    first.pass(1_000);
    await first.eyes.checkpoint();
    await first.eyes.close();
    await letGo();
    expect(await triggeredTrades()).not.toContain(tradeId);

    const next = await theEyes();
    next.hear(aTrade(20, '112'));
    next.catchUp();
    expect(next.questions.map(({ afterId }) => afterId)).toEqual([10]);
    next.questions[0]?.answer(trades);
    await soon(async () => expect(await triggeredTrades()).toContain(tradeId));
    await soon(async () => {
      next.pass(1_000);
      await next.eyes.checkpoint();
      expect(await cursor()).toBe(10 + prices.length);
    });
    await next.eyes.close();
  });
});
