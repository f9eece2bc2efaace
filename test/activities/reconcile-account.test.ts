import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { soon } from '../venue/support/soon.ts';
import {
  alertsOf,
  begun,
  d,
  decide,
  driftOf,
  eventsIn,
  heldBy,
  kindsOf,
  moveByHand,
  orderByHand,
  placeOnly,
  reconcile,
  recorded,
} from './reconciling.ts';
import { aTheater, limitThatRests } from './stories.ts';

const theater = aTheater();
const aBench = async (watch = false) => begun(theater.db(), await theater.open({ watch }));
const standingOf = ({ account }: OrderBench) =>
  theater
    .db()
    .selectFrom('reconciliation')
    .select(['completed_at_ms', 'clean_at_ms'])
    .where('account_id', '=', account)
    .executeTakeFirstOrThrow();
const clean = { outcome: 'clean', found: 0, differences: [] };

describe('a comparison', () => {
  test('takes the balances of the beginning for what is expected, once', async () => {
    const bench = await theater.open({ watch: false });
    expect(await reconcile(bench)).toMatchObject(clean);
    await reconcile(bench);
    expect(await recorded(theater.db(), bench)).toEqual(['BaselineTaken']);
  });

  test('is not clean while fills keep the balances of the beginning from being taken', async () => {
    const bench = await theater.open({ watch: false });
    await bench.trade({ exits: false });
    const report = await reconcile(bench);
    expect(report).toMatchObject({ outcome: 'unavailable', differences: [] });
    expect(report.parts).toMatchObject({ orders: 'read', fills: 'read', positions: 'read' });
    expect(report.parts.balances).toContain('a moment without fills');
    expect(await standingOf(bench)).toEqual({ completed_at_ms: null, clean_at_ms: null });
    await bench.pass(10_000);
    expect(await reconcile(bench)).toMatchObject(clean);
    expect(await recorded(theater.db(), bench)).toEqual(['BaselineTaken']);
  });

  test('finds nothing while the product alone trades, whatever fills and fees did to the balances', async () => {
    const bench = await aBench();
    await bench.trade({ quantity: '1.5' });
    await bench.trade({ exits: false });
    await bench.pass(10_000);
    expect(await reconcile(bench)).toMatchObject(clean);
  });

  test('still knows what to expect once fills of hours ago are folded in', async () => {
    const bench = await aBench();
    await bench.trade({ quantity: '1.5' });
    await bench.pass(3 * 3_600_000);
    expect(await reconcile(bench)).toMatchObject(clean);
    await bench.trade();
    moveByHand(bench, 'USDT', '-7');
    await bench.pass(10_000);
    expect(driftOf(await reconcile(bench), 'USDT')).toBe('-7');
  });

  test('of a whole day looks further back than the runs between', async () => {
    const bench = await aBench();
    orderByHand(bench, { side: 'BUY', quantity: '1' });
    await bench.pass(11 * 3_600_000);
    await theater.db().updateTable('reconciliation').set({ completed_at_ms: bench.nowMs() }).execute();
    await bench.trade({ exits: false });
    expect(kindsOf(await reconcile(bench))).not.toContain('externalOrder');
    expect(kindsOf(await reconcile(bench, { isFullDay: true }))).toContain('externalOrder');
  });
});

describe('a balance', () => {
  test.each([
    { change: '-0.01', drifts: false },
    { change: '0.01', drifts: false },
    { change: '-0.011', drifts: true },
    { change: '0.011', drifts: true },
  ])('that somebody moved by $change USDT drifts: $drifts', async ({ change, drifts }) => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', change);
    const report = await reconcile(bench);
    expect(report.outcome).toBe(drifts ? 'differences' : 'clean');
    expect(driftOf(report, 'USDT')).toBe(drifts ? change : undefined);
    expect(await alertsOf(theater.db(), bench)).toEqual(drifts ? ['BALANCE_DRIFT'] : []);
    const [alert] = await theater
      .db()
      .selectFrom('alert')
      .select('context')
      .where('code', '=', 'BALANCE_DRIFT')
      .execute();
    if (drifts) expect(Object.keys(alert?.context ?? {}).sort()).toEqual(['account', 'asset', 'venue', 'what']);
  });

  test('that is off by less than the limit blocks nothing, by more it blocks entries', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-100');
    await reconcile(bench);
    expect(await heldBy(theater.db(), bench)).toEqual([]);
    moveByHand(bench, 'USDT', '-0.02');
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject({ changed: 1 });
    expect(await heldBy(theater.db(), bench)).toMatchObject([{ level: 'entries-blocked' }]);
    const refused = await bench.trade();
    expect(refused).toMatchObject({ decision: 'denied', codes: ['TRADING_STATE_BLOCKED'] });
  });

  test('that comes back by itself is a difference no more, and entries go on', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-500');
    await reconcile(bench);
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    moveByHand(bench, 'USDT', '500');
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean', gone: 1 });
    expect(await heldBy(theater.db(), bench)).toEqual([]);
    expect(await alertsOf(theater.db(), bench)).toEqual([]);
    const told = await recorded(theater.db(), bench);
    expect(told.slice(-4)).toEqual(['AlertResolved', 'DifferenceGone', 'ReconcileRun', 'ResumeApplied']);
  });

  test('that moved between the two looks, and back, is no difference', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-5');
    expect(await reconcile(bench, { meanwhile: () => moveByHand(bench, 'USDT', '5') })).toMatchObject(clean);
  });
});

describe('F76: a person trades the account by hand', () => {
  test('an order that works is found, blocks entries and never an exit', async () => {
    const bench = await aBench();
    const { tradeId } = await bench.trade({ exits: false });
    await bench.pass(10_000);
    orderByHand(bench, { side: 'BUY', quantity: '1', price: '90' });
    expect(kindsOf(await reconcile(bench))).toEqual(['externalOrder']);
    const told = await recorded(theater.db(), bench);
    expect(told.slice(-5)).toEqual([
      'AlertRaised',
      'ExternalOrderSeen',
      'DifferenceFound',
      'ReconcileRun',
      'HaltApplied',
    ]);
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    await bench.runner().run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    const next = await bench.runner().run('planExit', [{ tradeId, canceled: [] }]);
    expect(next.step).toBe('place');
    const { order, terms } = next as Extract<typeof next, { step: 'place' }>;
    expect(await bench.runner().run('placeOrder', [{ ...order, terms }])).toMatchObject({ status: 'filled' });
  });

  test('one that is canceled unfilled is gone, and so are its alert and its hold', async () => {
    const bench = await aBench();
    const orderId = orderByHand(bench, { side: 'BUY', quantity: '1', price: '90' });
    await reconcile(bench);
    bench.simulator.exchange.cancel(orderId, 'by-hand-too');
    await bench.pass(3_600_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean', gone: 1 });
    expect(await alertsOf(theater.db(), bench)).toEqual([]);
    expect(await heldBy(theater.db(), bench)).toEqual([]);
  });

  test('one at market is found with what it did to the balances, and lasts although no list has it any more', async () => {
    const bench = await aBench();
    orderByHand(bench, { side: 'BUY', quantity: '2' });
    const report = await reconcile(bench);
    expect(kindsOf(report)).toEqual(['balance', 'balance', 'externalOrder']);
    expect(driftOf(report, 'BTC')).toBe('1.998');
    await bench.pass(3_600_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'differences', found: 0, changed: 0, gone: 0 });
  });

  test('one that the stream has told already is one alert and one record', async () => {
    const bench = await aBench(true);
    orderByHand(bench, { side: 'BUY', quantity: '1', price: '90' });
    await soon(async () => {
      await bench.pass(1_000);
      expect(await alertsOf(theater.db(), bench)).toEqual(['EXTERNAL_ORDER']);
    });
    expect(kindsOf(await reconcile(bench))).toEqual(['externalOrder']);
    expect(await alertsOf(theater.db(), bench)).toEqual(['EXTERNAL_ORDER']);
    const told = await recorded(theater.db(), bench);
    expect(told.filter((type) => type === 'ExternalOrderSeen')).toHaveLength(1);
  });

  test('one that a person has taken note of is silent for good, whatever it does', async () => {
    const bench = await aBench(true);
    orderByHand(bench, { side: 'BUY', quantity: '1', price: '90' });
    expect(await decide(bench, await reconcile(bench), 'approved')).toMatchObject({ state: 'applied' });
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
    const before = await recorded(theater.db(), bench);
    const passing = { meanwhile: () => moveByHand(bench, 'USDT', '5') };
    moveByHand(bench, 'USDT', '-5');
    expect(await reconcile(bench, passing)).toMatchObject({ outcome: 'clean' });
    expect(await recorded(theater.db(), bench)).toEqual(before);
    bench.simulator.tick({ price: '89' });
    await bench.pass(20_000);
    // What it did to the balances is another matter.
    expect(kindsOf(await reconcile(bench))).toEqual(['balance', 'balance']);
    expect(await alertsOf(theater.db(), bench)).toEqual(['BALANCE_DRIFT', 'BALANCE_DRIFT']);
  });

  test('one that bears our mark without an intent is told as an orphan', async () => {
    const bench = await aBench();
    orderByHand(bench, { side: 'BUY', quantity: '1', price: '90', clientOrderId: `rte-${'a'.repeat(28)}` });
    const [found] = (await reconcile(bench)).differences;
    expect(found?.difference).toMatchObject({ kind: 'externalOrder', isOrphan: true });
  });
});

describe('I17: a second run', () => {
  test('that sees the same writes no record at all', async () => {
    const bench = await aBench();
    orderByHand(bench, { side: 'BUY', quantity: '2' });
    orderByHand(bench, { side: 'BUY', quantity: '1', price: '90', clientOrderId: 'another' });
    moveByHand(bench, 'USDT', '-3');
    const first = await reconcile(bench);
    const before = await eventsIn(theater.db());
    for (const isFullDay of [false, true]) {
      await bench.pass(20_000);
      expect(await reconcile(bench, { isFullDay })).toMatchObject({
        found: 0,
        changed: 0,
        gone: 0,
        differences: first.differences,
      });
    }
    expect(await eventsIn(theater.db())).toBe(before);
  });

  test('at the same moment finds nothing twice', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    await Promise.all([1, 2, 3].map(() => reconcile(bench)));
    const told = await recorded(theater.db(), bench);
    expect(told.filter((type) => type === 'DifferenceFound')).toHaveLength(1);
    expect(told.filter((type) => type === 'HaltApplied')).toHaveLength(1);
  });
});

const failing = (path: string, phase: FaultRule['phase'] = 'before_auth'): FaultRule => ({
  on: { method: 'GET', path, every: 1 },
  phase,
  do: { action: 'status', code: 500, body: {} },
});

describe('a failed fetch', () => {
  const paths = ['/api/v3/openOrders', '/api/v3/allOrders', '/api/v3/myTrades', '/api/v3/account'];

  test.each(paths)('of %s is no difference, and ends none', async (path) => {
    const bench = await aBench();
    const ref = await placeOnly(bench, { entry: limitThatRests });
    orderByHand(bench, { side: 'BUY', quantity: '2', price: '90' });
    moveByHand(bench, 'USDT', '-300');
    await bench.pass(60_000);
    const first = await reconcile(bench);
    expect(kindsOf(first)).toEqual(['balance', 'externalOrder']);
    bench.simulator.plan(failing(path));
    await bench.pass(20_000);
    const second = await reconcile(bench);
    expect(second).toMatchObject({ found: 0, changed: 0, gone: 0, differences: first.differences });
    expect(Object.values(second.parts)).toContainEqual(expect.stringContaining('VENUE_UNAVAILABLE'));
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    expect(await bench.runner().run('findOrder', [ref])).toMatchObject({ status: 'new' });
  });

  test.each(paths)('of %s without any difference is unavailable, not clean', async (path) => {
    const bench = await aBench();
    await placeOnly(bench, { entry: limitThatRests });
    bench.simulator.plan(failing(path));
    await bench.pass(60_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'unavailable', differences: [] });
    expect(await alertsOf(theater.db(), bench)).toEqual([]);
  });

  test('of the look-up of an order that no list has leaves it as it is', async () => {
    const bench = await aBench();
    await placeOnly(bench, { entry: limitThatRests });
    await bench.pass(60_000);
    bench.simulator.plan(nothingIn('/api/v3/openOrders'), nothingIn('/api/v3/allOrders'), failing('/api/v3/order'));
    const report = await reconcile(bench);
    expect(report).toMatchObject({ outcome: 'unavailable', differences: [] });
    expect(report.parts).toMatchObject({ fills: 'read', balances: 'read', positions: 'read' });
  });
});

const nothingIn = (path: string): FaultRule => ({
  on: { method: 'GET', path, every: 1 },
  phase: 'before_auth',
  do: { action: 'status', code: 200, body: [] },
});

describe('an order that works in the book', () => {
  test('and is in no list is asked for by its id: found, it is no difference', async () => {
    const bench = await aBench();
    await placeOnly(bench, { entry: limitThatRests });
    await bench.pass(60_000);
    bench.simulator.plan(nothingIn('/api/v3/openOrders'), nothingIn('/api/v3/allOrders'));
    expect(await reconcile(bench)).toMatchObject(clean);
  });

  test('F33: has filled without anybody hearing of it: its fills are collected, and nothing differs', async () => {
    const bench = await aBench();
    const ref = await placeOnly(bench, { entry: limitThatRests });
    bench.simulator.tick({ price: '98' });
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject(clean);
    expect(await bench.runner().run('findOrder', [ref])).toMatchObject({ status: 'filled', fillsComplete: true });
  });

  test('that the venue does not know any more is missing, and ends when a person says so', async () => {
    const bench = await aBench();
    const ref = await placeOnly(bench, { entry: limitThatRests });
    await bench.pass(60_000);
    const unknown = { action: 'status', code: 400, body: { code: -2013, msg: 'Order does not exist.' } } as const;
    bench.simulator.plan(nothingIn('/api/v3/openOrders'), nothingIn('/api/v3/allOrders'), {
      on: { method: 'GET', path: '/api/v3/order', every: 1 },
      phase: 'before_auth',
      do: unknown,
    });
    const report = await reconcile(bench);
    expect(kindsOf(report)).toEqual(['missingOrder']);
    expect(await decide(bench, report, 'approved')).toMatchObject({ state: 'applied', kind: 'endOrder' });
    expect(await bench.runner().run('findOrder', [ref])).toMatchObject({
      status: 'canceled',
      reasonCode: 'ORDER_DECLARED_DEAD',
    });
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test('F78: that ended long ago and is archived is closed, and is no difference', async () => {
    const bench = await aBench();
    const ref = await placeOnly(bench, { entry: limitThatRests });
    const { exchange } = bench.simulator;
    const [open] = [...exchange.books.openOrders.keys()];
    exchange.cancel(Number(open), 'by-hand');
    exchange.archive(Number(open));
    bench.simulator.plan(nothingIn('/api/v3/allOrders'));
    await bench.pass(60_000);
    expect(await reconcile(bench)).toMatchObject(clean);
    const order = await bench.runner().run('findOrder', [ref]);
    expect(order).toMatchObject({ filledQuantity: '0', fillsComplete: true });
    expect(['canceled', 'expired']).toContain(order.status);
  });
});

const lastFillOf = ({ account }: OrderBench) =>
  theater
    .db()
    .selectFrom('fill')
    .select('transacted_at_ms')
    .where('account_id', '=', account)
    .orderBy('transacted_at_ms', 'desc')
    .executeTakeFirstOrThrow();

/** A run compares what has happened since the ten minutes before the one that was complete last. */
const completedAt = ({ account }: OrderBench, completedAtMs: number) =>
  theater
    .db()
    .updateTable('reconciliation')
    .set({ completed_at_ms: completedAtMs })
    .where('account_id', '=', account)
    .execute();

describe('a fill', () => {
  test('that is on its way to the list while the balances have it is no difference', async () => {
    const bench = await aBench();
    await placeOnly(bench, { entry: limitThatRests });
    await bench.pass(20_000);
    bench.simulator.tick({ price: '98' });
    for (const path of ['/api/v3/openOrders', '/api/v3/allOrders', '/api/v3/myTrades']) {
      bench.simulator.plan({
        on: { method: 'GET', path, every: 1 },
        phase: 'before_accept',
        do: { action: 'lagQuery', ms: 2_000 },
      });
    }
    expect(await reconcile(bench)).toMatchObject(clean);
  });

  test('whose time at the venue is compared while that of its order here is just before is no difference', async () => {
    const bench = await aBench();
    await bench.trade();
    await bench.pass(60_000);
    const fill = await lastFillOf(bench);
    const sinceMs = fill.transacted_at_ms - 100;
    await theater
      .db()
      .updateTable('orders')
      .set({ updated_at_ms: sinceMs - 200 })
      .where('account_id', '=', bench.account)
      .execute();
    await completedAt(bench, sinceMs + 600_000);
    expect(await reconcile(bench)).toMatchObject(clean);
    expect(await heldBy(theater.db(), bench)).toEqual([]);
  });

  describe('F77: that the venue tells with other content on a later query', () => {
    const edited = async () => {
      const bench = await aBench();
      await bench.trade({ exits: false });
      const [fill] = bench.simulator.exchange.books.fills;
      if (fill === undefined) throw new Error('the entry has filled');
      const { exchange } = bench.simulator;
      exchange.editFill(fill, { ...fill, fee: d('0.002') });
      await bench.pass(20_000);
      return bench;
    };
    const feesOf = async (account: string) =>
      (await theater.db().selectFrom('fill').select('fee').where('account_id', '=', account).execute()).map(
        ({ fee }) => fee,
      );

    test('is kept as it was, recorded with both, and blocks nothing', async () => {
      const bench = await edited();
      expect(kindsOf(await reconcile(bench))).toEqual(['changedFill']);
      expect(await feesOf(bench.account)).toEqual(['0.001']);
      expect(await heldBy(theater.db(), bench)).toEqual([]);
      const before = await eventsIn(theater.db());
      await reconcile(bench, { isFullDay: true });
      expect(await eventsIn(theater.db())).toBe(before);
    });

    test('is silent once a person has taken note of it, also in the run over the whole day', async () => {
      const bench = await edited();
      await decide(bench, await reconcile(bench), 'approved');
      const before = await eventsIn(theater.db());
      expect(await reconcile(bench, { isFullDay: true })).toMatchObject({ outcome: 'clean' });
      expect(await eventsIn(theater.db())).toBe(before);
      expect(await alertsOf(theater.db(), bench)).toEqual([]);
    });
  });

  test('that the book has and the list of the venue lacks is missing there once no lag explains it', async () => {
    const bench = await aBench();
    await bench.trade({ exits: false });
    await bench.pass(10_000);
    bench.simulator.plan(nothingIn('/api/v3/myTrades'));
    expect(await reconcile(bench)).toMatchObject(clean);
    await bench.pass(30_000);
    expect(kindsOf(await reconcile(bench))).toEqual(['missingFill']);
    bench.simulator.clearPlan();
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean', gone: 1 });
  });
});

describe('CP15: a run whose process dies', () => {
  test('at any point is done again, finds everything once and says that it ran', async () => {
    const probe = await aBench();
    const points = await (async () => {
      moveByHand(probe, 'USDT', '-300');
      const runner = probe.runner();
      const input = { venue: 'paper', account: probe.account, isFullDay: false, askedBy: null };
      const first = await runner.run('reconcileAccount', [{ ...input, suspects: null }]);
      if (first.step !== 'look-again') throw new Error('something new is looked at twice');
      await runner.run('reconcileAccount', [{ ...input, suspects: first.suspects }]);
      return runner.passed['reconcileAccount']?.[1] ?? 0;
    })();
    expect(points).toBeGreaterThan(10);
    for (let point = 0; point < points; point += 1) {
      const bench = await aBench();
      moveByHand(bench, 'USDT', '-300');
      const strike = { activity: 'reconcileAccount', call: 2, point, kind: 'crash' } as const;
      await reconcile(bench, { strikes: [strike] });
      const told = await recorded(theater.db(), bench);
      expect({ point, told }).toEqual({
        point,
        told: ['BaselineTaken', 'AlertRaised', 'DifferenceFound', 'ReconcileRun', 'HaltApplied'],
      });
      const ran = await theater
        .db()
        .selectFrom('reconciliation')
        .select('last_run')
        .where('account_id', '=', bench.account)
        .executeTakeFirstOrThrow();
      expect(ran.last_run).toMatchObject({ outcome: 'differences' });
      await bench.close();
    }
  }, 120_000);
});
