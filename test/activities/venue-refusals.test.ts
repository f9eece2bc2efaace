import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import { recordSend } from '../../src/store/orders/orders.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, limitThatRests, market, placements, placing, reservationOf, status } from './stories.ts';

const theater = aTheater();

const holdsOf = async (account: string) =>
  theater
    .db()
    .selectFrom('hold')
    .select(['source', 'level', 'reason', 'lifted_at_ms'])
    .where('scope_id', '=', account)
    .execute();

/** A refusal of every request that is signed, as long as the rule is in the plan. */
const signedRequests = (action: FaultRule['do'], phase: FaultRule['phase'] = 'before_auth'): readonly FaultRule[] =>
  ['order', 'openOrders', 'allOrders', 'myTrades', 'account'].map((path) => ({
    on: { path: `/api/v3/${path}` },
    phase,
    do: action,
  }));

const until = async (bench: OrderBench, is: () => Promise<boolean>, withinMs: number): Promise<number> => {
  const startedAtMs = bench.nowMs();
  while (!(await is())) {
    if (bench.nowMs() > startedAtMs + withinMs) throw new Error(`not within ${withinMs} ms`);
    await bench.pass(250);
  }
  return bench.nowMs() - startedAtMs;
};

const alertsOf = async (bench: OrderBench, code: string) =>
  (await bench.evidence()).alerts.filter(
    (alert) =>
      alert.code === code &&
      (alert.context['account'] === bench.account || String(alert.context['tradeId']).startsWith(`${bench.account}-`)),
  );

describe('F10: the network sends an order twice', () => {
  test('and the venue knows the first one: one order, and no more', async () => {
    const bench = await theater.open();
    const { entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      faults: [placing('before_response', { action: 'dup' })],
    });
    expect(entry).toMatchObject({ status: 'canceled' });
    const evidence = await bench.evidence();
    expect(evidence.ledger.orders).toHaveLength(1);
    expect(judgeBench(evidence, 'I7')).toEqual([]);
  });

  test('and the venue has filled the first one: it takes a second, and people are told', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({
      entry: market,
      faults: [placing('before_response', { action: 'dup' })],
      exits: false,
    });
    await bench.settle();
    const evidence = await bench.evidence();
    expect(evidence.ledger.orders.filter(({ side }) => side === 'BUY')).toHaveLength(2);
    expect(evidence.positions).toMatchObject([{ entry_quantity: '1' }]);
    const [alert] = evidence.alerts.filter(
      ({ code, context }) => code === 'ORDER_REPORT_ILLEGAL' && context['reason'] === 'misdescribed',
    );
    expect(alert).toMatchObject({ severity: 'CRITICAL' });
    expect(evidence.trades).toMatchObject([{ trade_id: tradeId, phase: 'open' }]);
  });
});

describe('F21: the clock', () => {
  test.each([-10_000, -3_000, -1_100, -900, 900, 1_100, 3_000, 10_000])(
    "is wrong by %d ms from the start: orders are signed by the venue's clock and taken",
    async (skewMs) => {
      const bench = await theater.open();
      bench.skew(skewMs);
      const { entry, closed } = await bench.trade();
      expect(entry).toMatchObject({ status: 'filled' });
      expect(closed).not.toBeNull();
      const evidence = await bench.evidence();
      expect(placements(evidence).every(({ code }) => code === null)).toBe(true);
      // Records state our own, wrong time.
      expect(judgeBench(evidence, 'I7')).toEqual([]);
    },
  );

  test.each([-10_000, -3_000, 3_000, 10_000])(
    'jumps by %d ms in between: measured anew, and nothing is placed twice',
    async (skewMs) => {
      const bench = await theater.open();
      await bench.trade();
      bench.skew(skewMs);
      const { entry, closed } = await bench.trade({ validForMs: 60_000 });
      expect(entry).toMatchObject({ status: 'filled' });
      expect(closed).not.toBeNull();
      expect(judgeBench(await bench.evidence(), 'I7')).toEqual([]);
    },
  );

  test('an unknown order is not given up before its fence by a clock that is an hour ahead', async () => {
    const bench = await theater.open();
    bench.skew(3_600_000);
    const { entry, tookMs } = await bench.trade({
      faults: [
        placing('before_response', { action: 'drop' }),
        { on: { method: 'GET', path: '/api/v3/*' }, phase: 'before_accept', do: { action: 'lagQuery', ms: 20_000 } },
      ],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'filled' });
    expect(tookMs).toBeLessThan(60_000);
  });

  test('timestamps that are refused again and again block entries, page, and pass', async () => {
    const bench = await theater.open();
    const held = await bench.trade({ exits: false });
    bench.simulator.plan(
      ...signedRequests(status(400, { code: -1021, msg: 'Timestamp for this request is outside of the recvWindow.' })),
    );
    const { entry } = await bench.trade({ validForMs: 60_000 });
    expect(entry).toMatchObject({ status: 'denied', reasonCode: 'TRADING_STATE_BLOCKED' });
    const evidence = await bench.evidence();
    const refused = placements(evidence).filter(
      ({ parameters }) => parameters['newClientOrderId'] === entry?.clientOrderId,
    );
    // The first, and three more that were each signed by a new measurement; other requests are refused and count, too.
    expect(refused.length).toBeGreaterThan(1);
    expect(refused.length).toBeLessThanOrEqual(4);
    expect(await holdsOf(bench.account)).toMatchObject([
      { source: 'venue', level: 'entries-blocked', lifted_at_ms: null },
    ]);
    expect(await alertsOf(bench, 'VENUE_CLOCK_REFUSED')).toMatchObject([
      { severity: 'CRITICAL', resolved_at_ms: null },
    ]);
    expect((await bench.trade()).codes).toContain('TRADING_STATE_BLOCKED');

    bench.simulator.clearPlan();
    await until(bench, async () => (await holdsOf(bench.account))[0]?.lifted_at_ms !== null, 30_000);
    expect(await alertsOf(bench, 'VENUE_CLOCK_REFUSED')).toMatchObject([{ resolved_at_ms: expect.anything() }]);
    expect((await bench.trade()).entry).toMatchObject({ status: 'filled' });
    expect(held.entry).toMatchObject({ status: 'filled' });
  });
});

describe('F23: the filters changed', () => {
  test('the order is refused, its reservation given back, and the next one keeps to them', async () => {
    const bench = await theater.open();
    await bench.trade();
    await bench.control('symbol', { symbol: 'BTC/USDT', rules: { stepSize: '0.1' } });
    const { entry } = await bench.trade({ quantity: '1.234' });
    expect(entry).toMatchObject({ status: 'rejected', reasonCode: 'ORDER_REJECTED' });
    expect(entry?.reason).toContain('LOT_SIZE');
    const asked = bench.simulator.requests().filter(({ path }) => path === '/api/v3/exchangeInfo').length;
    const next = await bench.trade({ quantity: '1.234' });
    expect(next.entry).toMatchObject({ status: 'filled', filledQuantity: '1.2' });
    expect(bench.simulator.requests().filter(({ path }) => path === '/api/v3/exchangeInfo')).toHaveLength(asked + 1);
    const evidence = await bench.evidence();
    expect(evidence.reservations).toContainEqual(
      expect.objectContaining({ posted_quantity: '0', voided_quantity: '1.234' }),
    );
    // What a coarser step leaves unsold is more than this judge's dust.
    expect(judgeBench(evidence, 'I13')).toEqual([]);
  });
});

describe('F24: the balance does not suffice', () => {
  test('the order is refused, definitely, and its reservation given back', async () => {
    const bench = await theater.open({ simulator: { deposits: { USDT: '95', BTC: '10' } } });
    const { entry } = await bench.trade();
    const evidence = await bench.evidence();
    expect(entry).toMatchObject({ status: 'rejected', reasonCode: 'ORDER_REJECTED' });
    expect(entry?.reason).toContain('insufficient balance');
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(evidence.trades).toMatchObject([{ phase: 'unfilled' }]);
    expect(placements(evidence)).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F25: the symbol does not trade while a position is held', () => {
  test.each(['HALT', 'BREAK', 'CANCEL_ONLY'])(
    '%s: the exit tries on, people know, and it goes out in the end',
    async (state) => {
      const bench = await theater.open();
      const { tradeId } = await bench.trade({ exits: false });
      await bench.control('symbol', { symbol: 'BTC/USDT', rules: { status: state } });
      const closed = await bench.exit(tradeId, [
        ...Array.from({ length: 6 }, () => () => undefined),
        () => bench.control('symbol', { symbol: 'BTC/USDT', rules: { status: 'TRADING' } }),
      ]);
      expect(closed).toMatchObject({ exitQuantity: '0.999' });
      const evidence = await bench.evidence();
      const exits = evidence.orders.filter(({ purpose }) => purpose === 'exit');
      expect(exits.slice(0, -1).every(({ status: each }) => each === 'rejected')).toBe(true);
      expect(exits.length).toBeGreaterThan(2);
      expect(await alertsOf(bench, 'EXIT_REFUSED')).toMatchObject([
        { severity: 'CRITICAL', resolved_at_ms: expect.anything() },
      ]);
      expect(judgeBench(evidence)).toEqual([]);
    },
  );

  test('and no entry is sent', async () => {
    const bench = await theater.open();
    await bench.trade();
    await bench.control('symbol', { symbol: 'BTC/USDT', rules: { status: 'HALT' } });
    const { entry, decision } = await bench.trade();
    expect(decision === 'denied' || entry?.status === 'rejected').toBe(true);
    expect((await bench.trade()).decision).toBe('denied');
  });
});

describe('F26: the key or the account is refused', () => {
  test.each([
    [401, -2015, 'Invalid API-key, IP, or permissions for action.'],
    [401, -2014, 'API-key format invalid.'],
    [400, -1022, 'Signature for this request is not valid.'],
    [401, -1002, 'You are not authorized to execute this request.'],
    [400, -2010, 'This action is disabled on this account.'],
    [400, -2010, 'This account may not place or cancel orders.'],
  ])('%d %d "%s": entries are blocked, people paged, exits go on trying', async (http, code, msg) => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    bench.simulator.plan(...signedRequests(status(http, { code, msg })));
    const { entry } = await bench.trade();
    expect(entry).toMatchObject({ status: 'rejected', reasonCode: 'VENUE_KEY_REFUSED' });
    expect(await holdsOf(bench.account)).toMatchObject([{ source: 'venue', lifted_at_ms: null }]);
    expect(await alertsOf(bench, 'VENUE_KEY_REFUSED')).toMatchObject([{ severity: 'CRITICAL', resolved_at_ms: null }]);
    expect((await bench.trade()).codes).toContain('TRADING_STATE_BLOCKED');

    const closed = await bench.exit(tradeId, [
      ...Array.from({ length: 5 }, () => () => undefined),
      () => bench.simulator.clearPlan(),
    ]);
    expect(closed).toMatchObject({ exitQuantity: '0.999' });
    const refusedExits = (await bench.evidence()).orders.filter(
      ({ purpose, status: each }) => purpose === 'exit' && each === 'rejected',
    );
    expect(refusedExits.length).toBeGreaterThan(1);
    await until(bench, async () => (await holdsOf(bench.account))[0]?.lifted_at_ms !== null, 30_000);
    expect((await bench.trade()).entry).toMatchObject({ status: 'filled' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F27: the answer is about another order', () => {
  test.each([
    ['id', { clientOrderId: 'somebody-else' }],
    ['symbol', { symbol: 'ETHUSDT' }],
    ['side', { side: 'SELL' }],
    ['quantity', { origQty: '7.00000000' }],
  ])('by its %s: it is unknown, looked up and adopted, and people are told', async (_name, fields) => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({ faults: [placing('before_response', { action: 'lie', fields })] });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1' });
    const evidence = await bench.evidence();
    expect(evidence.sends).toContainEqual(
      expect.objectContaining({ client_order_id: entry?.clientOrderId, outcome: 'UNKNOWN' }),
    );
    const alerts = evidence.alerts.filter(
      ({ code, context }) => code === 'ORDER_ANSWER_MALFORMED' && context['clientOrderId'] === entry?.clientOrderId,
    );
    expect(alerts).toHaveLength(1);
    expect(evidence.trades).toMatchObject([{ trade_id: tradeId, phase: 'closed' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F18: a ban, as far as orders are concerned', () => {
  test('is told within a second, with its end and the positions that nobody can manage', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    await bench.control('ban', { ms: 120_000 });
    const bannedAtMs = bench.nowMs();
    const { entry } = await bench.trade();
    expect(entry).toMatchObject({ status: 'denied' });
    const [alert] = await alertsOf(bench, 'VENUE_BANNED');
    expect(alert).toMatchObject({ severity: 'CRITICAL' });
    expect(Date.parse(String(alert?.context['endsAt']))).toBeGreaterThanOrEqual(bannedAtMs + 119_000);
    expect(alert?.context['unmanagedByRest']).toContain(`${tradeId}: long 0.999 BTC/USDT`);
    const before = bench.simulator.requests().length;
    const closed = await bench.exit(tradeId);
    expect(closed).not.toBeNull();
    const first = bench.simulator.requests()[before];
    expect(first?.receivedAtMs).toBeGreaterThanOrEqual(bannedAtMs + 120_000);
    await until(bench, async () => (await alertsOf(bench, 'VENUE_BANNED'))[0]?.resolved_at_ms !== null, 30_000);
  });
});

describe('the circuit breaker', () => {
  const failuresOf = async (account: string) =>
    (
      await theater
        .db()
        .selectFrom('breaker_outcome')
        .select(['kind', 'cause'])
        .where('scope', '=', `account-${account}`)
        .execute()
    ).filter(({ kind }) => kind === 'failure');

  test.each([
    [429, { code: -1003, msg: 'Too much request weight used.' }],
    [418, { code: -1003, msg: 'Way too much request weight used; IP banned until 1.' }],
    [429, { code: -1015, msg: 'Too many new orders.' }],
    [503, { code: -1001, msg: 'Internal error.' }],
  ])('counts a %d by its status', async (http, body) => {
    const bench = await theater.open();
    await bench.trade({ faults: [placing('before_auth', status(http, body, { 'Retry-After': '1' }))] });
    expect((await failuresOf(bench.account)).length).toBeGreaterThan(0);
  });

  test.each(['order 1500 was refused', 'Filter failure: 429', 'error 418 in line 503'])(
    'does not count a refusal because of numbers in its text: "%s"',
    async (msg) => {
      const bench = await theater.open();
      await bench.trade({ faults: [placing('before_auth', status(400, { code: -1013, msg }))] });
      expect(await failuresOf(bench.account)).toEqual([]);
    },
  );
});

const stopOf = (tradeId: string, generation = 1, stopPrice = '90') =>
  ({
    tradeId,
    leg: 0,
    purpose: 'stop',
    generation,
    terms: {
      side: 'SELL',
      orderType: 'STOP_LIMIT',
      quantity: decimal('0.999'),
      limitPrice: decimal('80'),
      stopPrice: decimal(stopPrice),
    },
  }) as const;

describe('F74: our own stop has locked what the exit sells', () => {
  test('it is canceled first, and the exit goes out', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    const stop = await bench.runner().run('placeOrder', [stopOf(tradeId)]);
    expect(stop).toMatchObject({ status: 'new', purpose: 'stop' });
    expect(stop.clientOrderId).toMatch(/^rts-/);
    const closed = await bench.exit(tradeId);
    expect(closed).toMatchObject({ exitQuantity: '0.999' });
    const evidence = await bench.evidence();
    expect(evidence.orders.map(({ purpose, status: each }) => `${purpose} ${each}`).sort()).toEqual([
      'entry filled',
      'exit filled',
      'stop canceled',
    ]);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('somebody else has locked it: the exit is refused, tried again and told, and goes out when it is free', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    const lock = { symbol: 'BTCUSDT', side: 'SELL', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.9', price: '200' };
    const { order } = (await bench.control('external', { type: 'order', order: lock })) as {
      order: { orderId: number };
    };
    const closed = await bench.exit(tradeId, [
      ...Array.from({ length: 5 }, () => () => undefined),
      () => bench.control('external', { type: 'cancel', orderId: order.orderId }),
    ]);
    expect(closed).toMatchObject({ dust: '0' });
    expect((await alertsOf(bench, 'EXIT_REFUSED')).length).toBeGreaterThan(0);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('the stop is hit while it is canceled: nothing is sold twice', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    await bench.runner().run('placeOrder', [stopOf(tradeId)]);
    bench.simulator.plan({
      on: { method: 'DELETE', path: '/api/v3/order', nth: 1 },
      phase: 'before_auth',
      do: { action: 'drop' },
    });
    bench.simulator.tick({ price: '89.5' });
    const closed = await bench.exit(tradeId);
    expect(closed).toMatchObject({ exitQuantity: '0.999' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F79: the venue is down for half an hour', () => {
  test('an order that rested fills meanwhile: the book has it once the venue is back', async () => {
    const bench = await theater.open();
    const { entry, closed } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 3_600_000 },
      market: [
        () => bench.control('blackout', { ms: 1_800_000 }),
        () => bench.simulator.tick({ price: '98' }),
        ...Array.from({ length: 30 }, () => () => bench.pass(60_000)),
      ],
    });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1' });
    expect(closed).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('an entry whose answer was lost is told of within a minute, and settled by what the venue says then', async () => {
    const bench = await theater.open({ watch: false });
    // So that the venue's rules and clock are known.
    await bench.trade();
    const { entry } = await bench.trade({
      faults: [
        placing('before_response', { action: 'drop' }),
        {
          on: { method: 'GET', path: '/api/v3/*' },
          phase: 'before_auth',
          do: status(503, { code: -1001, msg: 'Internal error.' }),
          untilMs: bench.nowMs() + 600_000,
        },
      ],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'filled' });
    const evidence = await bench.evidence();
    const named = evidence.alerts.filter(({ context }) => context['clientOrderId'] === entry?.clientOrderId);
    expect(named).toMatchObject([{ code: 'ORDER_UNRESOLVED', resolved_at_ms: expect.anything() }]);
    // Nobody could be asked for ten minutes: that the alert came within one is what is promised then.
    expect(judgeBench(evidence, 'I12')).toEqual([]);
  });
});

describe('F86: a later send is refused definitely, the first one is unknown', () => {
  test.each<[string, OutcomeClass, number, number]>([
    ['the balance', 'REJECTED', 400, -2010],
    ['the timestamp', 'NOT_SENT', 400, -1021],
    ['a filter', 'REJECTED', 400, -1013],
    ['too many requests', 'THROTTLED', 429, -1003],
    ['the key', 'FATAL_CONFIG', 401, -2015],
  ])(
    'for %s: the unknown weighs more, the order is adopted, its reservation kept',
    async (_name, outcome, httpStatus, venueCode) => {
      const bench = await theater.open({ watch: false });
      const runner = bench.runner();
      await bench.trade();
      const request = bench.request();
      await runner.run('checkLimits', [request, 'run-1']);
      bench.simulator.plan(placing('before_response', { action: 'drop' }));
      const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
      const { clientOrderId, inDoubt } = await runner.run('placeOrder', [ref]);
      expect(inDoubt).toBe(true);

      const db = theater.db();
      // No path of ours sends a second time; another one's mistake must not undo the first.
      await db
        .insertInto('order_send')
        .values({ client_order_id: clientOrderId, send_epoch: 2, signed_at_ms: bench.nowMs() })
        .execute();
      const send = { epoch: 2, outcome, httpStatus, venueCode, detail: 'refused' };
      const after = await recordSend(db, { clientOrderId, send, nowMs: bench.nowMs() });
      expect(after).toMatchObject({ status: 'pendingNew', inDoubt: true });
      expect(reservationOf(await bench.evidence(), request.tradeId)).toMatchObject({
        posted_quantity: '0',
        voided_quantity: '0',
      });

      const found = await runner.run('findOrder', [ref]);
      expect(found).toMatchObject({ status: 'filled', inDoubt: false, filledQuantity: '1' });
      expect(reservationOf(await bench.evidence(), request.tradeId)).toMatchObject({
        posted_quantity: '1',
        voided_quantity: '0',
      });
      expect(judgeBench(await bench.evidence())).toEqual([]);
    },
  );
});
