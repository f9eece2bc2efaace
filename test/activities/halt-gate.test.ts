import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CheckedEntry, createCheckLimits } from '../../activities/check-limits.ts';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { sendOrder } from '../../activities/orders/place-order.ts';
import type { HoldLevel } from '../../src/contracts/messages/messages.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import type { LatestPrice } from '../../src/prices/price-hub.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { ensureAccount, saveBalances } from '../../src/store/trading-state/accounts.ts';
import { addOutcome } from '../../src/store/trading-state/breaker.ts';
import { holdsInForce, setHold } from '../../src/store/trading-state/holds.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import { aRequest, committed, entryIntent } from '../store/fixtures.ts';
import { aHalting, everything, type Halting, placedBy } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await aDatabase({ poolMax: 30 });
});
afterEach(() => database.close());

const ids = (count: number) => Array.from({ length: count }, (_, n) => `trade-${n}`);
const entryOf = (tradeId: string) => ({ tradeId, leg: 0, purpose: 'entry', generation: 1 }) as const;
const placements = (world: Halting) =>
  world.simulator.requests().filter(({ method, path }) => method === 'POST' && path === '/api/v3/order');

/** Holds whoever is about to send, between the commit of the intent and the first byte, until it is opened. */
function aBarrier() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  const wrap = (room: VenueRoom): VenueRoom => ({
    ...room,
    venue: new Proxy(room.venue, {
      get: (venue, name) =>
        name !== 'placeOrder'
          ? Reflect.get(venue, name)
          : async (...args: Parameters<typeof venue.placeOrder>) => {
              waiting += 1;
              await opened;
              return venue.placeOrder(...args);
            },
    }),
  });
  return { wrap, open: () => open(), waiting: () => waiting };
}

describe('F41 I8: 64 entries between check and send, in four processes, when trading is halted', () => {
  test('PB10: none that was approved before the halt, and has no intent yet, is sent', async () => {
    const world = await aHalting(database.db);
    const trades = ids(64);
    await Promise.all(trades.map((tradeId) => world.approve(tradeId)));
    await world.halt('entries-blocked');
    const workers = [1, 2, 3, 4].map((n) => world.depsOf(`process-${n}`));
    const outcomes = await Promise.all(
      trades.map((tradeId, n) => placedBy(workers[n % 4] as ActivityDependencies, entryOf(tradeId))),
    );
    expect(outcomes.map(({ status, reasonCode }) => [status, reasonCode])).toEqual(
      trades.map(() => ['denied', 'TRADING_STATE_BLOCKED']),
    );
    expect(placements(world)).toEqual([]);
    await world.close();
  });

  test('PB2: none whose intent was committed is accepted once its window is over', async () => {
    const barrier = aBarrier();
    const world = await aHalting(database.db, { venueWrapper: barrier.wrap });
    const trades = ids(64);
    await Promise.all(trades.map((tradeId) => world.approve(tradeId)));
    const workers = [1, 2, 3, 4].map((n) => world.depsOf(`process-${n}`));
    const sends = Promise.allSettled(
      trades.map((tradeId, n) => placedBy(workers[n % 4] as ActivityDependencies, entryOf(tradeId))),
    );
    await until('all 64 have an intent and are about to send', async () => barrier.waiting() === 64);
    const haltedAtMs = world.nowMs();
    await world.halt('frozen');
    world.simulator.clock.shift(3_001);
    barrier.open();
    await sends;
    const sent = placements(world);
    expect(sent.length).toBeGreaterThanOrEqual(64);
    expect(new Set(sent.map(({ code }) => code))).toEqual(new Set([-1021]));
    const accepted = [...world.simulator.exchange.books.orders.values()].filter(
      ({ receivedAtMs }) => receivedAtMs > haltedAtMs + 3_250,
    );
    expect(accepted).toEqual([]);
    expect(world.openAtVenue()).toEqual([]);
    await world.close();
  });

  test.each([
    { name: 'is not sent, although the venue would still take it', standsMs: 1_000, isSent: false },
    { name: 'is sent where there was no halt', standsMs: 1_000, isSent: true },
  ])('an entry whose process stood still between its intent and its first byte $name', async ({ standsMs, isSent }) => {
    const world = await aHalting(database.db);
    await world.approve('stood-still');
    const [request, intent] = [aRequest({ tradeId: 'stood-still' }), entryOf('stood-still')];
    const order = committed(
      await commitIntent(database.db, {
        ...entryIntent(request, { nowMs: world.nowMs(), signedAtMs: world.nowMs() }),
        clientOrderId: clientOrderIdOf(intent),
        limitPrice: decimal('50'),
      }),
    );
    if (!isSent) await world.halt('entries-blocked');
    world.simulator.clock.shift(standsMs);
    const sending = sendOrder(world.deps, order);
    if (isSent) expect(await sending).toMatchObject({ status: 'new' });
    else await expect(sending).rejects.toMatchObject({ type: 'ORDER_NOT_PLACED' });
    expect(world.openAtVenue()).toHaveLength(isSent ? 1 : 0);
    expect(placements(world)).toHaveLength(isSent ? 1 : 0);
    if (!isSent) {
      world.simulator.clock.shift(3_000);
      expect(await world.send('stood-still')).toMatchObject({ status: 'denied', reasonCode: 'TRADING_STATE_BLOCKED' });
    }
    await world.close();
  });

  test('and a sweep takes back those that were accepted within their window', async () => {
    const barrier = aBarrier();
    const world = await aHalting(database.db, { venueWrapper: barrier.wrap });
    const trades = ids(64);
    await Promise.all(trades.map((tradeId) => world.approve(tradeId)));
    const sends = Promise.allSettled(trades.map((tradeId) => world.send(tradeId)));
    await until('all 64 are about to send', async () => barrier.waiting() === 64);
    const { holdVersion } = await world.halt('frozen');
    await world.look(holdVersion);
    world.simulator.clock.shift(2_900);
    barrier.open();
    await sends;
    expect(world.openAtVenue()).toHaveLength(64);
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 64 });
    expect(world.openAtVenue()).toEqual([]);
    await world.close();
  });
});

type CheckLimits = ReturnType<typeof createCheckLimits>;

/** The gate with an account that is worth something and a price. */
async function aGate(options: { limits?: object; brake?: ActivityDependencies['entryBrake'] } = {}) {
  const world = await aHalting(database.db);
  const { db } = database;
  const limits = {
    ...paperLimits,
    symbolDeltaMax: decimal('1000'),
    portfolioDeltaMax: decimal('1000'),
    ...options.limits,
  };
  const wide = { ...limits, concentrationMax: decimal('1000'), correlatedExposureMax: decimal('1000') };
  await ensureAccount(db, {
    account: 'main',
    venue: 'paper',
    currency: 'USDT',
    limits: wide,
    actor: { type: 'system', id: 'test' },
    nowMs: world.nowMs(),
  });
  await saveBalances(db, {
    account: 'main',
    balances: [],
    equity: decimal('100000'),
    fault: null,
    nowMs: world.nowMs(),
  });
  const price = { price: decimal('100'), venueTradeId: 1, atMs: world.nowMs(), streamAgeMs: 0 } as LatestPrice;
  const room = world.deps.rooms.get('paper') as VenueRoom;
  const deps: ActivityDependencies = {
    ...world.deps,
    entryBrake: options.brake ?? (() => null),
    rooms: new Map([['paper', { ...room, prices: { ...room.prices, awaitPrice: async () => price } }]]),
  };
  const check = (tradeId: string, changed: object = {}) =>
    new MockActivityEnvironment({ activityType: 'checkLimits' }).run<[unknown, string], CheckedEntry, CheckLimits>(
      createCheckLimits(deps),
      aRequest({ tradeId, requestedAtMs: world.nowMs(), ...changed }),
      'run-1',
    );
  const codes = async (tradeId: string, changed?: object) =>
    (await check(tradeId, changed)).decision.reasons.map(({ code }) => code);
  return { world, deps, check, codes };
}

describe('F81: a strategy that sends the same entry a thousand times a minute', () => {
  test('is switched off after so many, and stays off until a person switches it on again', async () => {
    const throttle = { identicalMax: 20, windowMs: 60_000 };
    const { world, check, codes } = await aGate({ limits: { options: { throttle } } });
    let approved = 0;
    for (const tradeId of ids(1_000).slice(0, 60)) {
      if ((await check(tradeId)).outcome === 'approved') approved += 1;
      world.simulator.clock.shift(60);
    }
    expect(approved).toBe(20);
    const [hold] = await holdsInForce(database.db, world.nowMs());
    expect(hold).toMatchObject({ source: 'throttle', scope: { kind: 'strategy', id: 'ma-cross' } });
    expect(await codes('another', { strategy: 'another' })).toEqual([]);
    world.simulator.clock.shift(3_600_000);
    await saveBalances(database.db, {
      account: 'main',
      balances: [],
      equity: decimal('100000'),
      fault: null,
      nowMs: world.nowMs(),
    });
    expect(await codes('an-hour-later')).toEqual(['TRADING_STATE_BLOCKED']);
    const lifted = await resume(database.db, {
      scope: { kind: 'strategy', id: 'ma-cross' },
      source: 'throttle',
      actor: 'anna',
      reason: 'it was a bad loop',
      nowMs: world.nowMs(),
    });
    expect(lifted.outcome).toBe('lifted');
    world.simulator.clock.shift(1);
    expect(await codes('afterwards')).toEqual([]);
    await world.close();
  });

  test('is not what sends other quantities, symbols or sides', async () => {
    const { world, codes } = await aGate({ limits: { options: { throttle: { identicalMax: 1, windowMs: 60_000 } } } });
    const legs = (symbol: string, quantity: string) => ({
      legs: [{ symbol, side: 'BUY', quantity: decimal(quantity), unitDelta: decimal('1') }],
    });
    expect(await codes('one')).toEqual([]);
    expect(await codes('other-quantity', legs('BTC/USDT', '2'))).toEqual([]);
    expect(await codes('other-symbol', legs('ETH/USDT', '1'))).toEqual([]);
    expect(await codes('same', legs('BTC/USDT', '1'))).toEqual(['STRATEGY_THROTTLED']);
    await world.close();
  });

  test('the account has a rate of its own, over all strategies', async () => {
    const { world, codes } = await aGate({ limits: { options: { entryRate: { entriesMax: 2, windowMs: 1_000 } } } });
    expect(await codes('a', { strategy: 'one' })).toEqual([]);
    expect(await codes('b', { strategy: 'two' })).toEqual([]);
    expect(await codes('c', { strategy: 'three' })).toEqual(['ENTRY_RATE_EXCEEDED']);
    world.simulator.clock.shift(1_001);
    expect(await codes('d', { strategy: 'four' })).toEqual([]);
    await world.close();
  });
});

describe('F82: a worker whose event loop is late', () => {
  const lagging = () => ({ code: 'WORKER_LAGGING', note: 'its event loop ran 3000 ms late' }) as const;

  test('decides on no entry', async () => {
    const { world, codes } = await aGate({ brake: lagging });
    expect(await codes('late')).toEqual(['WORKER_LAGGING']);
    await world.close();
  });

  test('sends no entry that was approved, and asks to be called again', async () => {
    const world = await aHalting(database.db);
    await world.approve('approved');
    const sending = placedBy({ ...world.deps, entryBrake: lagging }, entryOf('approved'));
    await expect(sending).rejects.toMatchObject({ type: 'ORDER_NOT_PLACED', message: /WORKER_LAGGING/ });
    expect(placements(world)).toEqual([]);
    expect(await world.send('approved')).toMatchObject({ status: 'new' });
    await world.close();
  });
});

describe('F58: a storm of outcomes and pokes', () => {
  test('5,000 outcomes come to at most two messages to the breaker, and a halt among them is committed', async () => {
    const world = await aHalting(database.db);
    const { db } = database;
    const nowMs = world.nowMs();
    const storm = (async () => {
      for (let batch = 0; batch < 50; batch += 1) {
        await db.transaction().execute(async (tx) => {
          for (let n = 0; n < 100; n += 1) {
            const clientOrderId = `o-${batch}-${n}`;
            await addOutcome(tx, {
              account: 'main',
              kind: 'success',
              cause: 'filled',
              clientOrderId,
              nowMs: nowMs + n,
            });
          }
        });
      }
    })();
    const halted = await world.halt('entries-blocked');
    await storm;
    expect(await holdsInForce(db, nowMs)).toMatchObject([{ holdId: halted.holdId }]);
    const pokes = await db.selectFrom('outbox').select('message_id').where('signal_name', '=', 'poke').execute();
    // Two that are under way at the same moment, the storm's and the halt's, may both say it.
    expect(pokes.length).toBeLessThanOrEqual(2);
    expect(await db.selectFrom('breaker_outcome').select('outcome_id').execute()).toHaveLength(5_000);
    await world.close();
  });
});

describe('I11: an exit passes whatever keeps entries from passing', () => {
  const levels: readonly HoldLevel[] = ['entries-blocked', 'frozen', 'flatten'];
  const sources = ['operator', 'breaker', 'venue', 'reconciliation', 'throttle'] as const;
  const scopes = [
    everything,
    { kind: 'account', id: 'main' },
    { kind: 'strategy', id: 'ma-cross' },
    { kind: 'symbol', id: 'BTC/USDT' },
  ] as const;
  const obstacles: readonly { name: string; put: (world: Halting) => Promise<unknown> }[] = [
    ...levels.flatMap((level) =>
      sources.map((source) => ({
        name: `a hold ${level} by ${source} on all four scopes`,
        put: async (world: Halting) => {
          for (const scope of scopes) {
            await setHold(database.db, { scope, source, level, actor: 'x', reason: 'y', nowMs: world.nowMs() });
          }
        },
      })),
    ),
    { name: 'no limits at all', put: () => database.asOwner("update account set limits = '{}'") },
    { name: 'an equity that nobody knows', put: () => database.asOwner('update account set equity = null') },
    {
      name: 'an open circuit breaker',
      put: (world) =>
        database.asOwner(`insert into breaker (scope, state, version) values ('account-main',
          '{"status":"OPEN","openedAtMs":${world.nowMs()},"failures":[],"halfOpenSuccesses":0}', 1)`),
    },
    { name: 'a throttled strategy and a spent rate', put: () => setSpent() },
  ];
  const setSpent = () => {
    const options = { throttle: { identicalMax: 1, windowMs: 60_000 }, entryRate: { entriesMax: 1, windowMs: 60_000 } };
    return database.asOwner(`update account set limits = '${JSON.stringify({ ...paperLimits, options })}'`);
  };

  test.each(obstacles)('$name', async ({ put }) => {
    const world = await aHalting(database.db);
    await world.enter('held', { price: '101' });
    await put(world);
    const braked = { ...world.deps, entryBrake: () => ({ code: 'WORKER_LAGGING', note: 'late' }) as const };
    const exit = { tradeId: 'held', leg: 0, purpose: 'exit', generation: 1 } as const;
    const terms = {
      side: 'SELL',
      orderType: 'MARKET',
      quantity: decimal('0.999'),
      limitPrice: null,
      stopPrice: null,
    } as const;
    expect(await placedBy(braked, { ...exit, terms })).toMatchObject({ status: 'filled' });
    expect(clientOrderIdOf(exit)).toMatch(/^rtx-/);
    await world.close();
  });
});
