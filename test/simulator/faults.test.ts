import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { virtualClock } from '../../src/simulator/clock.ts';
import { readPlan } from '../../src/simulator/faults/fault-plan.ts';
import { createFaults, type FaultAction, type FaultPhase, type FaultRule } from '../../src/simulator/faults/faults.ts';
import type { Simulator } from '../../src/simulator/server.ts';
import { aVenue, clientOf, closeAll, control, openStream, openUserStream } from './venue-client.ts';

afterEach(closeAll);

const onOrder = { method: 'POST', path: '/api/v3/order' };
const target = { method: 'POST', path: '/api/v3/order', fields: { side: 'BUY', newClientOrderId: 'a-1' } };
const drop: FaultAction = { action: 'drop' };

/** How a request ended for its client: the status of an answer, or how the connection failed. */
async function endOf(request: Promise<{ status: number }>): Promise<string> {
  try {
    return String((await request).status);
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    return cause?.code ?? (error instanceof Error ? error.name : 'unknown');
  }
}

const truthOf = (venue: Simulator) =>
  [...venue.exchange.books.orders.values()].map(({ clientOrderId, status }) => `${clientOrderId} ${status}`);

describe('a plan picks its targets', () => {
  test.each([
    { name: 'by method', on: { method: 'GET' }, strikes: false },
    { name: 'by path', on: { path: '/api/v3/order' }, strikes: true },
    { name: 'by the beginning of a path', on: { path: '/api/v3/o*' }, strikes: true },
    { name: 'by another path', on: { path: '/api/v3/account' }, strikes: false },
    { name: 'by a parameter', on: { match: { side: 'BUY' } }, strikes: true },
    { name: 'by a pattern over the whole of it', on: { match: { newClientOrderId: 'a-\\d' } }, strikes: true },
    { name: 'not by a part of it', on: { match: { newClientOrderId: 'a' } }, strikes: false },
    { name: 'by a parameter that is not there', on: { match: { price: '.+' } }, strikes: false },
  ])('$name', ({ on, strikes }) => {
    const faults = createFaults(1, virtualClock(1_000_000));
    faults.add([{ on, phase: 'before_auth', do: drop }]);
    expect(faults.strike(target)).toHaveLength(strikes ? 1 : 0);
  });

  test.each([
    { name: 'the third', on: { nth: 3 }, struck: [3] },
    { name: 'every third', on: { every: 3 }, struck: [3, 6, 9] },
    { name: 'all', on: {}, struck: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  ])('by count: $name', ({ on, struck }) => {
    const faults = createFaults(1, virtualClock(1_000_000));
    faults.add([{ on, phase: 'before_auth', do: drop }]);
    const hits = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter(() => faults.strike(target).length > 0);
    expect(hits).toEqual(struck);
  });

  test('by chance: the same seed strikes the same, at about the rate that was asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const hits = () => {
          const faults = createFaults(seed, virtualClock(1_000_000));
          faults.add([{ on: { p: 0.3 }, phase: 'before_auth', do: drop }]);
          return Array.from({ length: 400 }, () => faults.strike(target).length);
        };
        const first = hits();
        expect(hits()).toEqual(first);
        const rate = first.filter((count) => count === 1).length / 400;
        expect(rate).toBeGreaterThan(0.15);
        expect(rate).toBeLessThan(0.45);
      }),
    );
  });

  test('at most so many times, and none from a time on', () => {
    const clock = virtualClock(1_000_000);
    const faults = createFaults(1, clock);
    faults.add([{ id: 'twice', on: {}, phase: 'before_auth', do: drop, times: 2 }]);
    expect([1, 2, 3].map(() => faults.strike(target).length)).toEqual([1, 1, 0]);
    faults.add([{ id: 'timed', on: {}, phase: 'before_auth', do: drop, untilMs: 1_000_100 }]);
    clock.shift(99);
    expect(faults.strike(target)).toHaveLength(1);
    clock.shift(1);
    expect(faults.strike(target)).toHaveLength(0);
    expect(faults.rules()).toMatchObject([
      { id: 'twice', matched: 5, struck: 2 },
      { id: 'timed', matched: 1, struck: 1 },
    ]);
  });

  test('a rule goes by its id, and another takes its place', () => {
    const faults = createFaults(1, virtualClock(1_000_000));
    faults.add([
      { id: 'a', on: { nth: 1 }, phase: 'before_auth', do: drop },
      { on: { method: 'GET' }, phase: 'before_auth', do: drop },
    ]);
    faults.strike(target);
    faults.add([{ id: 'a', on: { nth: 1 }, phase: 'before_auth', do: { action: 'garbage' } }]);
    expect(faults.strike(target)).toMatchObject([{ do: { action: 'garbage' } }]);
    expect(faults.rules().map(({ id }) => id)).toEqual(['rule-2', 'a']);
    expect([faults.remove('a'), faults.remove('a')]).toEqual([true, false]);
    expect(faults.rules().map(({ id }) => id)).toEqual(['rule-2']);
  });

  test('a cleared plan strikes nothing', () => {
    const faults = createFaults(1, virtualClock(1_000_000));
    faults.add([{ on: {}, phase: 'before_auth', do: drop }]);
    faults.clear();
    expect(faults.strike(target)).toEqual([]);
  });
});

describe('what a fault does to an order', () => {
  type Case = {
    readonly phase: FaultPhase;
    readonly do: FaultAction;
    readonly client: RegExp;
    readonly taken: boolean;
  };
  const answer: FaultAction = { action: 'status', code: 504, body: { code: -1007, msg: 'Timeout' } };

  test.each<Case>([
    { phase: 'before_auth', do: { action: 'drop' }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: false },
    { phase: 'before_accept', do: { action: 'drop' }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: false },
    { phase: 'after_accept', do: { action: 'drop' }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: true },
    { phase: 'after_match', do: { action: 'reset' }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: true },
    { phase: 'before_accept', do: { action: 'reset' }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: false },
    { phase: 'before_accept', do: answer, client: /^504$/, taken: false },
    { phase: 'after_accept', do: answer, client: /^504$/, taken: true },
    { phase: 'before_response', do: answer, client: /^504$/, taken: true },
    { phase: 'before_accept', do: { action: 'garbage' }, client: /SyntaxError/, taken: false },
    { phase: 'before_response', do: { action: 'garbage' }, client: /SyntaxError/, taken: true },
    {
      phase: 'mid_response',
      do: { action: 'truncate', bytes: 20 },
      client: /UND_ERR_SOCKET|ECONNRESET|TypeError/,
      taken: true,
    },
    { phase: 'before_auth', do: { action: 'hang', ms: 20 }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: false },
    { phase: 'after_accept', do: { action: 'hang', ms: 20 }, client: /UND_ERR_SOCKET|ECONNRESET/, taken: true },
    { phase: 'before_response', do: { action: 'delay', ms: 20 }, client: /^200$/, taken: true },
  ])('$do.action in $phase', async ({ phase, do: action, client, taken }) => {
    const venue = await aVenue();
    venue.plan({ on: { ...onOrder, nth: 1 }, phase, do: action });
    expect(await endOf(clientOf(venue).buy('0.01', { newClientOrderId: 'x' }))).toMatch(client);
    expect(truthOf(venue)).toEqual(taken ? ['x FILLED'] : []);
    expect(venue.requests().at(-1)).toMatchObject({ accepted: taken, faults: [`${phase} ${action.action}`] });
    expect(await endOf(clientOf(venue).buy('0.02', { newClientOrderId: 'y' }))).toBe('200');
  });

  const phases: readonly FaultPhase[] = [
    'before_auth',
    'before_accept',
    'after_accept',
    'after_match',
    'before_response',
    'mid_response',
  ];
  const replacing: readonly FaultAction[] = [
    { action: 'drop' },
    { action: 'reset' },
    { action: 'hang', ms: 1 },
    { action: 'garbage' },
    { action: 'status', code: 503 },
  ];
  const letting: readonly FaultAction[] = [
    { action: 'truncate', bytes: 9 },
    { action: 'slow', everyMs: 1, bytes: 200 },
    { action: 'lie', fields: { status: 'X' } },
    { action: 'delay', ms: 1 },
    { action: 'lagQuery', ms: 1 },
  ];

  test.each(phases)('in %s each does to orders and to cancels what the document says', async (phase) => {
    const venue = await aVenue();
    const client = clientOf(venue);
    const isDone = phases.indexOf(phase) >= phases.indexOf('after_accept');
    for (const [action, taken] of [
      ...replacing.map((each) => [each, isDone] as const),
      ...letting.map((each) => [each, true] as const),
    ]) {
      const id = `${action.action}-${phase}`;
      const during = async (request: () => Promise<{ status: number }>, method: string) => {
        venue.plan({ id: 'this', on: { method }, phase, do: action });
        await endOf(request());
        venue.clearPlan();
        return venue.requests().at(-1);
      };
      const placed = await during(() => client.limit('BUY', '0.001', '40000', { newClientOrderId: id }), 'POST');
      const order = venue.exchange.books.findByClientId('BTCUSDT', id);
      const whole = action.action === 'delay' || action.action === 'lagQuery';
      expect([id, order !== undefined, placed]).toMatchObject([id, taken, { accepted: taken, answered: whole }]);
      if (!order) continue;
      await during(() => client.cancel({ orderId: order.orderId }), 'DELETE');
      expect([id, venue.exchange.books.openOrders.has(order.orderId)]).toEqual([id, !taken]);
    }
  });

  test('status sends its body and headers as they are', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    venue.plan({
      on: { ...onOrder },
      phase: 'before_accept',
      do: { action: 'status', code: 429, headers: { 'Retry-After': '7' }, body: { code: -1003 } },
    });
    const seen = await client.buy('0.01');
    expect([seen.status, seen.headers.get('retry-after'), seen.body]).toEqual([429, '7', { code: -1003 }]);
    venue.clearPlan();
    venue.plan({ on: {}, phase: 'before_auth', do: { action: 'status', code: 403, body: '<html>no</html>' } });
    const page = await fetch(`${venue.url}/api/v3/time`);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      403,
      'text/html',
      '<html>no</html>',
    ]);
  });

  test('truncate sends the beginning of the true answer', async () => {
    const venue = await aVenue();
    venue.plan({ on: { path: '/api/v3/time' }, phase: 'mid_response', do: { action: 'truncate', bytes: 5 } });
    const response = await fetch(`${venue.url}/api/v3/time`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toBe('{"ser');
    await expect(reader?.read()).rejects.toThrow();
  });

  test('a delay before acceptance lets the window pass', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const client = clientOf(venue);
    venue.plan({ on: { ...onOrder }, phase: 'before_accept', do: { action: 'delay', ms: 4_000 } });
    const [inTime, tooLate] = [client.buy('0.01', { recvWindow: 4_000 }), client.buy('0.01', { recvWindow: 3_999 })];
    await expect.poll(() => venue.requests().filter(({ phase }) => phase === 'authenticated').length).toBe(2);
    venue.clock.shift(4_000);
    expect((await inTime).status).toBe(200);
    expect((await tooLate).body.code).toBe(-1021);
  });

  test('a delay between acceptance and match finds the order open, and another price', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const client = clientOf(venue);
    venue.plan({ on: { ...onOrder }, phase: 'after_accept', do: { action: 'delay', ms: 500 } });
    const placed = client.limit('BUY', '1', '47000', { newClientOrderId: 'slow' });
    await expect.poll(() => truthOf(venue)).toEqual(['slow NEW']);
    expect((await client.find({ origClientOrderId: 'slow' })).body.status).toBe('NEW');
    venue.tick({ price: '46500' });
    venue.clock.shift(500);
    expect((await placed).body).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '46500.00000000' });
  });

  test('a request that the network repeats is done twice', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    venue.plan({ on: { ...onOrder }, phase: 'before_accept', do: { action: 'dup' } });
    expect((await client.buy('0.01', { newClientOrderId: 'twice' })).status).toBe(200);
    expect(truthOf(venue)).toEqual(['twice FILLED', 'twice FILLED']);
    expect((await client.limit('BUY', '0.01', '40000', { newClientOrderId: 'rests' })).status).toBe(200);
    expect(truthOf(venue)).toEqual(['twice FILLED', 'twice FILLED', 'rests NEW']);
  });

  test('a request that the network repeats later is a request of its own, and may come too late', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const client = clientOf(venue);
    venue.plan({ on: { ...onOrder, nth: 1 }, phase: 'before_accept', do: { action: 'dup', ms: 4_000 } });
    venue.plan({ on: { ...onOrder, nth: 2 }, phase: 'before_accept', do: { action: 'dup', ms: 2_000 } });
    await client.buy('0.01', { newClientOrderId: 'late', recvWindow: 3_000 });
    await client.buy('0.01', { newClientOrderId: 'in-time', recvWindow: 3_000 });
    expect(truthOf(venue)).toEqual(['late FILLED', 'in-time FILLED']);
    venue.clock.shift(2_000);
    await expect.poll(() => truthOf(venue)).toEqual(['late FILLED', 'in-time FILLED', 'in-time FILLED']);
    venue.clock.shift(2_000);
    await expect.poll(() => venue.requests().at(-1)?.code).toBe(-1021);
    const repeated = venue.requests().filter(({ faults }) => faults.includes('repeated by the network'));
    expect(repeated.map(({ parameters, accepted, code }) => [parameters['newClientOrderId'], accepted, code])).toEqual([
      ['in-time', true, null],
      ['late', false, -1021],
    ]);
  });

  test('a lie changes fields of the true answer, in every row of a list', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    const lie = { action: 'lie', fields: { clientOrderId: 'somebody', origQty: '9' } } as const;
    venue.plan({ on: onOrder, phase: 'before_response', do: lie });
    venue.plan({ on: { path: '/api/v3/openOrders' }, phase: 'before_response', do: lie });
    const placed = await client.limit('BUY', '0.01', '40000', { newClientOrderId: 'true' });
    expect([placed.status, placed.body]).toMatchObject([
      200,
      { clientOrderId: 'somebody', origQty: '9', status: 'NEW' },
    ]);
    await client.limit('BUY', '0.01', '40000');
    const { body } = await client.signed('GET', '/api/v3/openOrders', { symbol: 'BTCUSDT' });
    expect(body).toMatchObject([{ clientOrderId: 'somebody' }, { clientOrderId: 'somebody' }]);
    expect(truthOf(venue)[0]).toBe('true NEW');
    expect(venue.requests()[0]).toMatchObject({ accepted: true, answered: false });
  });

  test('a slow answer comes in pieces, and whole in the end', async () => {
    const venue = await aVenue();
    const path = '/api/v3/time';
    venue.plan({ on: { path }, phase: 'mid_response', do: { action: 'slow', everyMs: 5, bytes: 10 } });
    const response = await fetch(`${venue.url}${path}`);
    const reader = response.body?.getReader();
    const pieces: string[] = [];
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      pieces.push(new TextDecoder().decode(read.value));
    }
    expect(pieces.length).toBeGreaterThan(1);
    expect(JSON.parse(pieces.join(''))).toEqual({ serverTime: expect.any(Number) });
  });

  test('a slow answer stops when the client goes', async () => {
    const venue = await aVenue();
    venue.plan({ on: { path: '/api/v3/time' }, phase: 'mid_response', do: { action: 'slow', everyMs: 20 } });
    const given = fetch(`${venue.url}/api/v3/time`, { signal: AbortSignal.timeout(60) }).then((answer) =>
      answer.text(),
    );
    await expect(given).rejects.toThrow();
    venue.clearPlan();
    expect((await fetch(`${venue.url}/api/v3/time`)).status).toBe(200);
  });

  test.each([
    { name: 'whole', quantity: undefined, cancel: { status: 400, code: -2011 }, order: 'FILLED', filled: '0.01' },
    {
      name: 'in part',
      quantity: '0.004',
      cancel: { status: 200, code: undefined },
      order: 'CANCELED',
      filled: '0.004',
    },
  ])('a fill that a cancel races, $name', async ({ quantity, cancel, order, filled }) => {
    const venue = await aVenue();
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'raced' });
    const fill = { action: 'fill', ...(quantity === undefined ? {} : { quantity }) } as const;
    venue.plan({ on: { method: 'DELETE' }, phase: 'before_accept', do: fill });
    const seen = await client.cancel({ origClientOrderId: 'raced' });
    expect({ status: seen.status, code: seen.body.code }).toEqual(cancel);
    expect(venue.exchange.books.order(1)).toMatchObject({ status: order, filledQuantity: filled });
    expect(venue.exchange.venue('BTCUSDT').quotes?.last).toBe('46000');
  });

  test('a lagging query does not see young orders, and sees them later', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const client = clientOf(venue);
    venue.plan({ on: { method: 'GET' }, phase: 'before_response', do: { action: 'lagQuery', ms: 5_000 } });
    await client.limit('BUY', '0.01', '40000', { newClientOrderId: 'young' });
    const seen = async () => [
      (await client.find({ origClientOrderId: 'young' })).status,
      (await client.signed('GET', '/api/v3/openOrders', { symbol: 'BTCUSDT' })).body.length,
      (await client.signed('GET', '/api/v3/allOrders', { symbol: 'BTCUSDT' })).body.length,
    ];
    venue.clock.shift(4_999);
    expect(await seen()).toEqual([400, 0, 0]);
    venue.clock.shift(1);
    expect(await seen()).toEqual([200, 1, 1]);
  });
});

describe('what a fault does to a stream', () => {
  const onTrades = (rule: Partial<FaultRule['on']>, action: FaultAction): FaultRule => ({
    on: { match: { e: 'trade' }, ...rule },
    phase: 'stream',
    do: action,
  });

  test.each([
    { name: 'drop loses the frame', rule: onTrades({ nth: 2 }, { action: 'drop' }), ids: [2, 4, 5] },
    { name: 'dup repeats it', rule: onTrades({ nth: 2 }, { action: 'dup' }), ids: [2, 3, 3, 4, 5] },
    { name: 'reorder turns frames round', rule: onTrades({}, { action: 'reorder', frames: 2 }), ids: [3, 2, 5, 4] },
    { name: 'delay lets others pass', rule: onTrades({ nth: 1 }, { action: 'delay', ms: 30 }), ids: [3, 4, 5, 2] },
    {
      name: 'reorder lets go what it held by its time',
      rule: onTrades({ nth: 4 }, { action: 'reorder', frames: 9, ms: 20 }),
      ids: [2, 3, 4, 5],
    },
    {
      name: 'reorder of one holds those behind it',
      rule: onTrades({ nth: 2 }, { action: 'reorder', frames: 3 }),
      ids: [2, 5, 4, 3],
    },
    { name: 'garbage is no JSON', rule: onTrades({ nth: 2 }, { action: 'garbage' }), ids: [2, null, 4, 5] },
    {
      name: 'a fault of another path does nothing',
      rule: onTrades({ path: '/ws-api/v3' }, { action: 'drop' }),
      ids: [2, 3, 4, 5],
    },
  ])('$name', async ({ rule, ids }) => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    venue.plan(rule);
    for (const price of ['46001', '46002', '46003', '46004']) venue.tick({ price });
    await expect.poll(() => stream.frames.length).toBe(ids.length);
    expect(stream.frames.map((frame) => frame?.t ?? null)).toEqual(ids);
    stream.close();
  });

  test('lie changes the event inside the frame, and several rules strike one frame', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/stream?streams=btcusdt@trade`);
    venue.plan(onTrades({}, { action: 'lie', fields: { p: 'NaN' } }), onTrades({}, { action: 'dup' }));
    venue.tick({ price: '46001' });
    venue.clearPlan();
    venue.plan(onTrades({}, { action: 'garbage' }), onTrades({}, { action: 'lie', fields: { p: 'NaN' } }));
    venue.tick({ price: '46002' });
    await expect.poll(() => stream.frames.length).toBe(3);
    expect(stream.frames).toMatchObject([
      { stream: 'btcusdt@trade', data: { p: 'NaN', t: 2 } },
      { data: { p: 'NaN', t: 2 } },
      null,
    ]);
    stream.close();
  });

  test('silence stops frames and pings for its time', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    venue.plan(onTrades({ nth: 1 }, { action: 'silence', ms: 1_000 }));
    venue.tick({ price: '46001' }, { price: '46002' });
    venue.clock.shift(1_000);
    venue.tick({ price: '46003' });
    expect((await stream.until(() => true)).t).toBe(4);
    stream.close();
  });

  test('silence leaves the pings of the client unanswered for its time', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const answered: string[] = [];
    stream.socket.on('pong', (data) => answered.push(data.toString()));
    venue.plan(onTrades({ nth: 1 }, { action: 'silence', ms: 1_000 }));
    venue.tick({ price: '46001' });
    stream.socket.ping('during');
    // By the time that the venue has answered requests it has read what came before them.
    for (let i = 0; i < 3; i += 1) await control(venue, 'GET', '/__sim/state');
    venue.clock.shift(1_000);
    stream.socket.ping('after');
    await once(stream.socket, 'pong');
    expect(answered).toEqual(['after']);
    stream.close();
  });

  test.each([
    { action: { action: 'close', code: 1012 } as const, code: 1012 },
    { action: { action: 'reset' } as const, code: 1006 },
  ])('$action.action ends the connection', async ({ action, code }) => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const closed = once(stream.socket, 'close');
    venue.plan(onTrades({}, action));
    venue.tick({ price: '46001' });
    expect((await closed)[0]).toBe(code);
  });

  test('the user stream can lose just the fills, while REST knows them', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    venue.plan({
      on: { path: '/ws-api/v3', match: { e: 'executionReport', x: 'TRADE' } },
      phase: 'stream',
      do: { action: 'drop' },
    });
    await clientOf(venue).buy('0.01', { newClientOrderId: 'lost' });
    await user.until(({ event }) => event?.e === 'outboundAccountPosition');
    expect(user.frames.filter(({ event }) => event?.e === 'executionReport').map(({ event }) => event.x)).toEqual([
      'NEW',
    ]);
    expect((await clientOf(venue).find({ origClientOrderId: 'lost' })).body.status).toBe('FILLED');
    user.close();
  });
});

describe('a plan with mistakes', () => {
  const rule = { on: {}, phase: 'before_auth', do: { action: 'drop' } };

  test.each([
    { name: 'no rule at all', plan: 'drop', mistake: 'rule 1: it is no object' },
    { name: 'a phase of its own', plan: { ...rule, phase: 'later' }, mistake: 'rule 1: phase is one of ' },
    {
      name: 'an action of its own',
      plan: [rule, { ...rule, do: { action: 'explode' } }],
      mistake: 'rule 2: do.action is one of ',
    },
    {
      name: 'an action without its number',
      plan: { ...rule, do: { action: 'delay' } },
      mistake: 'rule 1: do.ms is a number',
    },
    {
      name: 'a field that is unknown',
      plan: { ...rule, do: { action: 'drop', ms: 1 } },
      mistake: 'rule 1: do.ms is unknown',
    },
    {
      name: 'a selector that is unknown',
      plan: { rules: [{ ...rule, on: { url: '/' } }] },
      mistake: 'rule 1: on.url is unknown',
    },
    {
      name: 'a pattern that is none',
      plan: { ...rule, on: { match: { side: '(' } } },
      mistake: 'rule 1: on.match is a ',
    },
    { name: 'an addition', plan: { ...rule, when: 'now' }, mistake: 'rule 1: when is unknown' },
    {
      name: 'what cannot happen to a frame',
      plan: { ...rule, phase: 'stream', do: { action: 'truncate', bytes: 1 } },
      mistake: 'rule 1: truncate is nothing that happens to a frame',
    },
    {
      name: 'what cannot happen to a request',
      plan: { ...rule, do: { action: 'close', code: 1012 } },
      mistake: 'rule 1: close is nothing that happens to a request',
    },
    {
      name: 'a fill that comes too late',
      plan: { ...rule, phase: 'after_match', do: { action: 'fill' } },
      mistake: 'rule 1: fill strikes in before_accept alone',
    },
    {
      name: 'an answer that is none',
      plan: { ...rule, do: { action: 'status', code: 20 } },
      mistake: 'rule 1: do.code is a HTTP status',
    },
    {
      name: 'a close that no socket can do',
      plan: { ...rule, phase: 'stream', do: { action: 'close', code: 1006 } },
      mistake: 'rule 1: do.code is a close code',
    },
    {
      name: 'a fill of nothing',
      plan: { ...rule, phase: 'before_accept', do: { action: 'fill', quantity: '0' } },
      mistake: 'rule 1: do.quantity is a decimal',
    },
  ])('$name is refused', ({ plan, mistake }) => {
    const read = readPlan(plan);
    expect('mistakes' in read && read.mistakes[0]).toContain(mistake);
  });

  test('rules without mistakes come through as they are', () => {
    const plan = [
      rule,
      {
        on: { method: 'POST', path: '/api/v3/*', match: { side: 'BUY' }, nth: 2 },
        phase: 'before_accept',
        id: 'mine',
        times: 3,
        untilMs: 9,
        do: { action: 'status', code: 500, headers: { a: 'b' } },
      },
    ];
    expect(readPlan(plan)).toEqual({ rules: plan });
    expect(readPlan({ rules: plan })).toEqual({ rules: plan });
    expect(readPlan(rule)).toEqual({ rules: [rule] });
  });
});
