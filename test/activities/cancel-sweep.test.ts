import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sweepOnce } from '../../activities/trading-state/cancel-sweep.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import { aHalting, everything, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let world: Halting;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  world = await aHalting(database.db);
});
afterEach(async () => {
  await world.close();
  await database.close();
  database = await aDatabase();
});

const entryOf = (tradeId: string) => clientOrderIdOf({ tradeId, leg: 0, purpose: 'entry', generation: 1 });
const statusOf = async (tradeId: string) =>
  (
    await database.db
      .selectFrom('orders')
      .select('status')
      .where('client_order_id', '=', entryOf(tradeId))
      .executeTakeFirstOrThrow()
  ).status;
const alerts = async () =>
  (await openAlerts(database.db)).map(({ code, context }) => ({ code, left: context['left'] }));
const sweepRecords = async () =>
  (
    await database.db
      .selectFrom('audit_event')
      .select('body')
      .where('event_type', '=', 'CancelSweep')
      .orderBy('insert_no')
      .execute()
  ).map(({ body }) => JSON.parse(body) as { left: string[]; outcome: string | null });

describe('a freeze', () => {
  test('cancels every entry order of its scope, books what became of each, and ends after two empty looks', async () => {
    for (const n of [1, 2, 3, 4]) await world.enter(`btc-${n}`);
    await world.enter('eth-1', { symbol: 'ETH/USDT' });
    const { holdVersion } = await world.halt('frozen');
    const seen = await world.sweep(holdVersion);
    expect(world.openAtVenue()).toEqual([]);
    for (const tradeId of ['btc-1', 'btc-2', 'btc-3', 'btc-4', 'eth-1'])
      expect(await statusOf(tradeId)).toBe('canceled');
    expect(seen.at(-1)).toMatchObject({ isEnded: true, outcome: 'clear', canceled: 5, left: [], looks: 3 });
    // The look that canceled, the first that saw nothing, and the one a window later.
    const looks = world.simulator.requests().filter(({ path }) => path === '/api/v3/openOrders');
    const reads = looks.filter(({ method }) => method === 'GET').map(({ receivedAtMs }) => receivedAtMs);
    expect((reads.at(-1) ?? 0) - (reads.at(-2) ?? 0)).toBeGreaterThanOrEqual(3_000);
    expect(await alerts()).toEqual([]);
    expect(await sweepRecords()).toMatchObject([{ outcome: 'clear', left: [] }]);
  });

  test('takes a whole symbol in one request where nothing else works in it', async () => {
    for (const n of [1, 2, 3, 4, 5]) await world.enter(`btc-${n}`);
    await world.sweep((await world.halt('frozen')).holdVersion);
    const cancels = world.simulator.requests().filter(({ method }) => method === 'DELETE');
    expect(cancels.map(({ path }) => path)).toEqual(['/api/v3/openOrders']);
  });

  test('I11: leaves exits alone', async () => {
    await world.enter('held', { price: '101' });
    await world.sendExit('held', {
      side: 'SELL',
      orderType: 'LIMIT',
      quantity: decimal('0.5'),
      limitPrice: decimal('500'),
      stopPrice: null,
    });
    for (const n of [1, 2, 3]) await world.enter(`btc-${n}`);
    const exit = clientOrderIdOf({ tradeId: 'held', leg: 0, purpose: 'exit', generation: 1 });
    expect(world.openAtVenue()).toContain(exit);
    await world.sweep((await world.halt('frozen')).holdVersion);
    expect(world.openAtVenue()).toEqual([exit]);
  });

  test.each([
    { name: 'a symbol', scope: { kind: 'symbol', id: 'ETH/USDT' } as const, left: ['btc'] },
    { name: 'a strategy', scope: { kind: 'strategy', id: 'other' } as const, left: ['btc'] },
    { name: 'an account that has none', scope: { kind: 'account', id: 'nobody' } as const, left: ['btc', 'eth'] },
  ])('of $name leaves all others', async ({ scope, left }) => {
    await world.enter('btc');
    await world.enter('eth', { symbol: 'ETH/USDT', strategy: 'other' });
    const { holdVersion } = await world.halt('frozen', scope);
    await world.sweep(holdVersion);
    expect(world.openAtVenue()).toEqual(left.map(entryOf).toSorted());
  });

  test('of the level entries-blocked cancels nothing', async () => {
    await world.enter('btc');
    const { holdVersion } = await world.halt('entries-blocked');
    expect(await world.look(holdVersion)).toMatchObject({ isEnded: true, looks: 0 });
    expect(world.openAtVenue()).toHaveLength(1);
  });

  test('ends when it is lifted, and leaves what it has not canceled', async () => {
    await world.enter('btc');
    const { holdVersion } = await world.halt('frozen');
    await resume(database.db, {
      scope: everything,
      source: 'operator',
      actor: 'ben',
      reason: 'a mistake',
      nowMs: world.nowMs(),
    });
    expect(await world.look(holdVersion)).toMatchObject({ isEnded: true, outcome: 'withdrawn', looks: 0 });
    expect(world.openAtVenue()).toHaveLength(1);
  });

  test('F44: that is set again goes on under its new epoch alone', async () => {
    await world.enter('btc');
    const first = await world.halt('frozen');
    const second = await world.halt('frozen');
    expect(second.holdId).toBe(first.holdId);
    expect(Number(second.holdVersion)).toBeGreaterThan(Number(first.holdVersion));
    expect(await world.look(first.holdVersion)).toMatchObject({ isEnded: true, outcome: 'withdrawn' });
    expect((await world.sweep(second.holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 1 });
  });

  test('is worked on by one process at a time', async () => {
    await world.enter('btc');
    const { holdVersion } = await world.halt('frozen');
    const others = [world.depsOf('worker-2'), world.depsOf('worker-3')];
    const key = { holdVersion, venue: 'paper' };
    await Promise.all([world.look(holdVersion), ...others.map((deps) => sweepOnce(deps, key))]);
    const reads = world.simulator
      .requests()
      .filter(({ path, method }) => path.endsWith('openOrders') && method === 'GET');
    expect(reads).toHaveLength(1);
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 1 });
  });
});

describe('F38: an order that is on its way while the sweep looks', () => {
  test('is caught by the second look, although it is accepted in the last millisecond of its window', async () => {
    await world.enter('seen');
    await world.approve('in-flight');
    world.plan({
      on: { method: 'POST', path: '/api/v3/order', match: { newClientOrderId: entryOf('in-flight') } },
      phase: 'before_accept',
      do: { action: 'delay', ms: 2_999 },
    });
    const sending = world.send('in-flight');
    await until('the venue has the request', async () =>
      world.simulator.requests().some(({ parameters }) => parameters['newClientOrderId'] === entryOf('in-flight')),
    );
    const { holdVersion } = await world.halt('frozen');
    const first = await world.look(holdVersion);
    expect(first).toMatchObject({ isEnded: false, canceled: 1 });
    expect(world.openAtVenue()).toEqual([]);
    world.simulator.clock.shift(250);
    expect(await world.look(holdVersion)).toMatchObject({ isEnded: false, looks: 2 });
    world.simulator.clock.shift(2_749);
    await sending;
    expect(world.openAtVenue()).toEqual([entryOf('in-flight')]);
    const seen = await world.sweep(holdVersion);
    expect(seen.at(-1)).toMatchObject({ isEnded: true, outcome: 'clear', canceled: 2 });
    expect(world.openAtVenue()).toEqual([]);
    expect(await statusOf('in-flight')).toBe('canceled');
  });

  test('is waited for although the first look finds nothing open, and taken back once it is', async () => {
    await world.approve('in-flight');
    world.plan({ on: { method: 'POST' }, phase: 'before_accept', do: { action: 'delay', ms: 2_999 } });
    const sending = world.send('in-flight');
    await until('the venue has the request', async () =>
      world.simulator.requests().some(({ method }) => method === 'POST'),
    );
    const { holdVersion } = await world.halt('frozen');
    const first = await world.look(holdVersion);
    world.simulator.clock.shift(2_999);
    await sending;
    expect(first).toMatchObject({ left: [], isEnded: false });
    expect(world.openAtVenue()).toEqual([entryOf('in-flight')]);
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 1 });
  });

  test('keeps the sweep open for as long as nobody knows whether it was accepted', async () => {
    await world.approve('lost');
    world.plan({ on: { method: 'POST' }, phase: 'before_accept', do: { action: 'drop' }, times: 1 });
    expect(await world.send('lost')).toMatchObject({ inDoubt: true });
    const { holdVersion } = await world.halt('frozen');
    expect((await world.sweep(holdVersion, 20_000)).at(-1)).toMatchObject({ isEnded: false, left: [] });
    await database.asOwner("update orders set in_doubt = false, status = 'canceled'");
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ isEnded: true, outcome: 'clear' });
  });
});

describe('F39: what can not be canceled', () => {
  test('is named, all of it and nothing else, within five seconds, and canceled once the venue lets it', async () => {
    for (const symbol of ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']) await world.enter(symbol.slice(0, 3), { symbol });
    await world.enter('stuck-2', { symbol: 'ETH/USDT' });
    world.plan({
      on: { method: 'DELETE', match: { symbol: 'ETHUSDT' } },
      phase: 'before_accept',
      do: { action: 'status', code: 503, body: { code: -1000, msg: 'unknown' } },
    });
    const { holdVersion } = await world.halt('frozen');
    const startedAtMs = world.nowMs();
    await world.look(holdVersion);
    expect(world.openAtVenue()).toEqual([entryOf('ETH'), entryOf('stuck-2')].toSorted());
    await world.sweep(holdVersion, 5_000);
    const left = world.openAtVenue().join(' ');
    expect(await alerts()).toEqual([{ code: 'CANCEL_SWEEP_INCOMPLETE', left }]);
    const [alert] = await openAlerts(database.db);
    expect((alert?.raisedAtMs ?? 0) - startedAtMs).toBeLessThanOrEqual(5_000);
    world.simulator.clearPlan();
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 4 });
    expect(world.openAtVenue()).toEqual([]);
    expect(await alerts()).toEqual([]);
  });

  test('is named anew when it gets less', async () => {
    await world.enter('stuck-1');
    await world.enter('stuck-2', { symbol: 'ETH/USDT' });
    const refuse = (symbol: string) =>
      ({
        id: symbol,
        on: { method: 'DELETE', match: { symbol } },
        phase: 'before_accept',
        do: { action: 'status', code: 503 },
      }) as const;
    world.plan(refuse('BTCUSDT'), refuse('ETHUSDT'));
    const { holdVersion } = await world.halt('frozen');
    await world.sweep(holdVersion, 6_000);
    expect(await alerts()).toMatchObject([{ left: [entryOf('stuck-1'), entryOf('stuck-2')].toSorted().join(' ') }]);
    world.simulator.clearPlan();
    world.plan(refuse('ETHUSDT'));
    await world.sweep(holdVersion, 6_000);
    expect(await alerts()).toMatchObject([{ left: entryOf('stuck-2') }]);
  });

  test('is what the book takes for working, where the venue does not even list it', async () => {
    await world.enter('unseen');
    world.plan({ on: { path: '/api/v3/openOrders' }, phase: 'before_accept', do: { action: 'status', code: 500 } });
    const { holdVersion } = await world.halt('frozen');
    await world.sweep(holdVersion, 5_000);
    expect(await alerts()).toEqual([{ code: 'CANCEL_SWEEP_INCOMPLETE', left: entryOf('unseen') }]);
  });
});

describe('F39: a venue that takes the cancels and never answers', () => {
  test('does not keep people from hearing within five seconds what is left', async () => {
    const hanging = await aHalting(database.db, { virtualClockAtMs: undefined as never });
    const trades = Array.from({ length: 30 }, (_, n) => `hanging-${n}`);
    await hanging.enter('held', { price: '101' });
    for (const tradeId of trades) await hanging.enter(tradeId);
    hanging.plan({ on: { method: 'DELETE' }, phase: 'before_accept', do: { action: 'hang', ms: 60_000 } });
    const { holdVersion } = await hanging.halt('frozen');
    const [hold] = await holdsInForce(database.db, hanging.nowMs());
    let seen = await hanging.look(holdVersion);
    while ((await alerts()).length === 0) {
      await setTimeout(Math.max(0, seen.nextLookAtMs - hanging.nowMs()));
      seen = await hanging.look(holdVersion);
    }
    const [alert] = await openAlerts(database.db);
    expect(alert?.context['left']).toBe(hanging.openAtVenue().join(' '));
    expect((alert?.raisedAtMs ?? 0) - (hold?.setAtMs ?? 0)).toBeLessThanOrEqual(5_000);
    await hanging.close();
  });
});

describe('F40: a venue that bans, or says wait', () => {
  test.each([
    { name: '418', code: 418, body: { code: -1003, msg: 'Way too much request weight used; IP banned.' } },
    { name: '429', code: 429, body: { code: -1003, msg: 'Too much request weight used.' } },
  ])('$name: is named at once, asked nothing until then, and swept afterwards', async ({ code, body }) => {
    await world.enter('btc');
    world.plan({
      on: { path: '/api/v3/openOrders' },
      phase: 'before_auth',
      do: { action: 'status', code, body, headers: { 'retry-after': '30' } },
      times: 1,
    });
    const { holdVersion } = await world.halt('frozen');
    const haltedAtMs = world.nowMs();
    const first = await world.look(holdVersion);
    expect(await alerts()).toEqual([{ code: 'CANCEL_SWEEP_INCOMPLETE', left: entryOf('btc') }]);
    expect(first.nextLookAtMs).toBeGreaterThanOrEqual(haltedAtMs + 30_000);
    const before = world.simulator.requests().length;
    world.simulator.clock.shift(29_000);
    await world.look(holdVersion);
    expect(world.simulator.requests()).toHaveLength(before);
    world.simulator.clock.shift(2_000);
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear', canceled: 1 });
    expect(world.openAtVenue()).toEqual([]);
    expect(await alerts()).toEqual([]);
  });
});

describe('a flatten', () => {
  test('asks for the exit of every trade in its scope, once, and is done when all are flat', async () => {
    await world.enter('held', { price: '101' });
    await world.enter('resting');
    await world.enter('elsewhere', { symbol: 'ETH/USDT', price: '101' });
    const { holdVersion } = await world.halt('flatten', { kind: 'symbol', id: 'BTC/USDT' });
    expect(await world.look(holdVersion)).toMatchObject({ isEnded: false, notFlat: ['held', 'resting'] });
    await world.look(holdVersion);
    const asked = await database.db
      .selectFrom('exit_request')
      .select(['trade_id', 'reason'])
      .orderBy('trade_id')
      .execute();
    // The resting one needs none where its cancel has ended it before.
    const held = { trade_id: 'held', reason: 'flatten' };
    expect([[held], [held, { trade_id: 'resting', reason: 'flatten' }]]).toContainEqual(asked);
    await database.asOwner("update trade set phase = 'closed' where trade_id <> 'elsewhere'");
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ isEnded: true, outcome: 'clear', notFlat: [] });
  });

  test('names the trades that are not flat after ten seconds, and no more once they are', async () => {
    await world.enter('held', { price: '101' });
    const { holdVersion } = await world.halt('flatten');
    await world.sweep(holdVersion, 12_000);
    expect(await alerts()).toEqual([{ code: 'FLATTEN_INCOMPLETE', left: 'held' }]);
    await database.asOwner("update trade set phase = 'closed'");
    expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear' });
    expect(await alerts()).toEqual([]);
  });
});

test('an order that has just filled is booked as filled, not canceled', async () => {
  await world.enter('filling', { symbol: 'SOL/USDT' });
  world.plan({ on: { method: 'DELETE' }, phase: 'before_accept', do: { action: 'fill' } });
  const { holdVersion } = await world.halt('frozen');
  expect((await world.sweep(holdVersion)).at(-1)).toMatchObject({ outcome: 'clear' });
  expect(await statusOf('filling')).toBe('filled');
});
