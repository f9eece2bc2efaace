import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { isNegative } from '../../src/domain/decimal.ts';
import { virtualClock } from '../../src/simulator/clock.ts';
import { createTroubles } from '../../src/simulator/control/stage.ts';
import type { Simulator } from '../../src/simulator/server.ts';
import { aVenue, clientOf, closeAll, control, openStream, openUserStream } from './venue-client.ts';

afterEach(closeAll);

const post = (venue: Simulator, command: string, body?: unknown) => control(venue, 'POST', `/__sim/${command}`, body);
const time = (venue: Simulator) => fetch(`${venue.url}/api/v3/time`);
const virtual = { virtualClockAtMs: 1_000_000 };

describe('a trouble', () => {
  const aTrouble = () => {
    const clock = virtualClock(1_000);
    const troubles = createTroubles(clock);
    const log: string[] = [];
    const start = (name: string) => () => {
      log.push(`${name} on`);
      return () => log.push(`${name} off`);
    };
    return { clock, troubles, log, start };
  };

  test('ends by itself when its time is over, or when it is told to, and once', () => {
    const { clock, troubles, log, start } = aTrouble();
    troubles.begin('a', 100, start('a'));
    troubles.begin('b', null, start('b'));
    expect(troubles.list()).toEqual([
      { name: 'a', sinceMs: 1_000, untilMs: 1_100 },
      { name: 'b', sinceMs: 1_000, untilMs: null },
    ]);
    clock.shift(1_000);
    troubles.end('b');
    troubles.end('b');
    expect(log).toEqual(['a on', 'b on', 'a off', 'b off']);
    expect(troubles.list()).toEqual([]);
  });

  test('takes the place of one of its name, which does not end it later', () => {
    const { clock, troubles, log, start } = aTrouble();
    troubles.begin('a', 100, start('first'));
    clock.shift(50);
    troubles.begin('a', 100, start('second'));
    clock.shift(99);
    expect(log).toEqual(['first on', 'first off', 'second on']);
  });

  test('ends with all others, the last first', () => {
    const { troubles, log, start } = aTrouble();
    troubles.begin('a', null, start('a'));
    troubles.begin('b', null, start('b'));
    troubles.endAll();
    expect(log).toEqual(['a on', 'b on', 'b off', 'a off']);
  });
});

describe('the venue as a whole', () => {
  test('bans the address for its time', async () => {
    const venue = await aVenue(virtual);
    await post(venue, 'ban', { ms: 60_000 });
    const refused = await time(venue);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([418, '60']);
    expect(await refused.json()).toMatchObject({ code: -1003, msg: expect.stringContaining('banned until 1060000') });
    venue.clock.shift(60_000);
    expect((await time(venue)).status).toBe(200);
    await post(venue, 'ban', { ms: 60_000 });
    await post(venue, 'ban', { ms: 0 });
    expect((await time(venue)).status).toBe(200);
  });

  test('stands behind a firewall that answers with a page', async () => {
    const venue = await aVenue(virtual);
    await post(venue, 'waf', { ms: 1_000 });
    const seen = await time(venue);
    expect([seen.status, seen.headers.get('content-type')]).toEqual([403, 'text/html']);
    expect(venue.requests().at(-1)).toMatchObject({ phase: 'received', accepted: false, faults: ['firewall'] });
    venue.clock.shift(1_000);
    expect((await time(venue)).status).toBe(200);
  });

  test('is away: no answers, no streams, while the market goes on and orders fill inside', async () => {
    const venue = await aVenue(virtual);
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'inside' });
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const closed = once(stream.socket, 'close');
    await post(venue, 'blackout', { ms: 60_000 });
    await closed;
    expect((await time(venue)).status).toBe(503);
    await expect(openStream(`${venue.wsUrl}/ws/btcusdt@trade`)).rejects.toThrow('503');
    venue.tick({ price: '45000' });
    venue.clock.shift(60_000);
    expect((await client.find({ origClientOrderId: 'inside' })).body.status).toBe('FILLED');
    (await openStream(`${venue.wsUrl}/ws/btcusdt@trade`)).close();
  });

  test('takes the key back and gives it again', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    await post(venue, 'key', { revoked: true });
    await user.until(({ event }) => event?.e === 'eventStreamTerminated');
    const refused = await clientOf(venue).buy('0.01');
    expect([refused.status, refused.body.code]).toEqual([401, -2015]);
    user.send({
      id: 2,
      method: 'userDataStream.subscribe.signature',
      params: { apiKey: venue.keys.apiKey, signature: '0' },
    });
    expect(await user.until(({ id }) => id === 2)).toMatchObject({ status: 401, error: { code: -2015 } });
    expect((await time(venue)).status).toBe(200);
    await post(venue, 'key', { revoked: false });
    expect((await clientOf(venue).buy('0.01')).status).toBe(200);
    user.close();
  });

  test('changes its limits, and has used up its minute', async () => {
    const venue = await aVenue(virtual);
    expect((await post(venue, 'limits', { ordersPer10s: 1 })).body.limits).toMatchObject({ ordersPer10s: 1 });
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '45000');
    expect((await client.limit('BUY', '0.01', '45000')).body.code).toBe(-1015);
    expect((await client.get('/api/v3/exchangeInfo')).body.rateLimits[1]).toMatchObject({ limit: 1 });
    await post(venue, 'limits', { exhaust: true });
    expect((await time(venue)).status).toBe(429);
  });
});

describe('streams', () => {
  test('say nothing while they are silent, new ones neither, and nobody else', async () => {
    const venue = await aVenue(virtual);
    const old = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const user = await openUserStream(venue);
    await post(venue, 'silence', { streams: 'market', ms: 1_000 });
    const young = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    venue.tick({ price: '46001' });
    await clientOf(venue).buy('0.01');
    await user.until(({ event }) => event?.x === 'TRADE');
    venue.clock.shift(1_000);
    venue.tick({ price: '46002' });
    for (const stream of [old, young]) {
      expect((await stream.until(() => true)).t).toBe(4);
      stream.close();
    }
    user.close();
  });

  test('end their subscriptions, or are shut down, or just closed', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    await post(venue, 'terminate', { how: 'subscription' });
    await user.until(({ event }) => event?.e === 'eventStreamTerminated');
    expect(user.socket.readyState).toBe(user.socket.OPEN);
    const market = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const ended = [user, market].map(({ socket }) => once(socket, 'close').then(([code]) => code as number));
    await post(venue, 'terminate', { how: 'shutdown', streams: 'user' });
    expect(await ended[0]).toBe(1001);
    expect(user.frames.at(-1)).toMatchObject({ event: { e: 'serverShutdown' } });
    expect(market.socket.readyState).toBe(market.socket.OPEN);
    await post(venue, 'terminate', { how: 'close', code: 1012 });
    expect(await ended[1]).toBe(1012);
  });
});

describe('what the venue tells of the past', () => {
  test('a fill is told otherwise when it is asked again, and the truth stays in the ledger', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    const { body } = await client.buy('0.01', { newClientOrderId: 'edited' });
    const [{ tradeId }] = body.fills;
    expect((await post(venue, 'editFill', { tradeId, price: '45000.5', fee: '0.2', feeAsset: 'USDT' })).status).toBe(
      200,
    );
    const trades = await client.signed('GET', '/api/v3/myTrades', { symbol: 'BTCUSDT', orderId: 1 });
    expect(trades.body).toMatchObject([
      { price: '45000.50000000', quoteQty: '450.00500000', commission: '0.20000000', commissionAsset: 'USDT' },
    ]);
    expect((await client.find({ orderId: 1 })).body).toMatchObject({ cummulativeQuoteQty: '450.00500000' });
    expect(venue.exchange.books.fills).toMatchObject([{ price: '46000', feeAsset: 'BTC' }]);
    expect(venue.exchange.books.balance('USDT').free).toBe('99540');
    await post(venue, 'editFill', { tradeId, quantity: '0.02' });
    expect((await client.find({ orderId: 1 })).body).toMatchObject({ executedQty: '0.02000000' });
  });

  test('an archived order is answered with -2026, and is not in the list', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '40000', { newClientOrderId: 'old' });
    expect((await post(venue, 'archive', { clientOrderId: 'old' })).status).toBe(400);
    await client.cancel({ origClientOrderId: 'old' });
    await post(venue, 'archive', { clientOrderId: 'old' });
    expect((await client.find({ origClientOrderId: 'old' })).body.code).toBe(-2026);
    expect((await client.signed('GET', '/api/v3/allOrders', { symbol: 'BTCUSDT' })).body).toEqual([]);
  });

  test('an order that traded is not archived', async () => {
    const venue = await aVenue();
    await clientOf(venue).buy('0.01', { newClientOrderId: 'filled' });
    expect((await post(venue, 'archive', { clientOrderId: 'filled' })).status).toBe(400);
  });
});

describe('a thin book', () => {
  test('lets a market order end EXPIRED with a part, and gets its depth back', async () => {
    const venue = await aVenue(virtual);
    await post(venue, 'thinBook', { levels: 2, quantity: '0.001', ms: 1_000 });
    expect((await clientOf(venue).buy('0.01')).body).toMatchObject({
      status: 'EXPIRED',
      executedQty: '0.00200000',
      expiryReason: 'INSUFFICIENT_LIQUIDITY',
    });
    venue.clock.shift(1_000);
    expect((await clientOf(venue).buy('0.01')).body.status).toBe('FILLED');
    await post(venue, 'thinBook', { levels: 0 });
    await post(venue, 'thinBook', { end: true });
    expect((await clientOf(venue).buy('0.01')).body.status).toBe('FILLED');
  });
});

test('one resting order is filled at its price, as far as there is something left, and no other is', async () => {
  const venue = await aVenue();
  const client = clientOf(venue);
  await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'one' });
  await client.limit('BUY', '0.01', '45500', { newClientOrderId: 'other' });
  await post(venue, 'fill', { clientOrderId: 'one', quantity: '0.004' });
  await post(venue, 'fill', { orderId: 1, quantity: '9' });
  expect(venue.exchange.books.fills.map(({ orderId, quantity, price }) => [orderId, quantity, price])).toEqual([
    [1, '0.004', '45000'],
    [1, '0.006', '45000'],
  ]);
  expect((await post(venue, 'fill', { orderId: 1 })).status).toBe(400);
  expect((await client.find({ origClientOrderId: 'other' })).body.status).toBe('NEW');
});

test('everything that is wrong ends at once', async () => {
  const venue = await aVenue();
  for (const [command, body] of [
    ['ban', { ms: 60_000 }],
    ['waf', {}],
    ['blackout', {}],
    ['silence', {}],
    ['key', { revoked: true }],
    ['thinBook', {}],
    ['plan', { on: {}, phase: 'before_auth', do: { action: 'drop' } }],
  ] as const) {
    expect((await post(venue, command, body)).status).toBe(200);
  }
  const names = (await control(venue, 'GET', '/__sim/state')).body.troubles.map(({ name }: { name: string }) => name);
  expect(names).toEqual(['ban', 'blackout', 'silence', 'key-revoked', 'thin-book']);
  expect((await post(venue, 'clear')).body).toEqual({ troubles: [], rules: [] });
  expect((await clientOf(venue).buy('1')).body.status).toBe('FILLED');
});

test('a venue that is closed leaves nothing to wait for', async () => {
  const venue = await aVenue();
  await post(venue, 'waf', { ms: 600_000 });
  await venue.close();
  const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const other = await aVenue();
  await post(other, 'waf', { ms: 600_000 });
  await other.close();
  expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length).toBeLessThanOrEqual(
    timers,
  );
});

test.each([
  ['ban', {}],
  ['ban', { ms: -1 }],
  ['waf', { ms: 'long' }],
  ['blackout', { ms: -5 }],
  ['key', { revoked: 'yes' }],
  ['limits', { ordersPer10s: 1.5 }],
  ['limits', { speed: 3 }],
  ['limits', { exhaust: 'all' }],
  ['silence', { streams: 'both' }],
  ['terminate', { how: 'gently' }],
  ['terminate', { how: 'close', code: 1 }],
  ['fill', { clientOrderId: 'never' }],
  ['editFill', { tradeId: 99, price: '1' }],
  ['archive', { orderId: 99 }],
  ['thinBook', { levels: -1 }],
  ['thinBook', { symbol: 'DOGE/USDT' }],
  ['trigger', { name: 'ban', forMs: 0 }],
] as const)('%s with %j is refused with what it takes', async (command, body) => {
  const seen = await post(await aVenue(), command, body);
  expect([seen.status, typeof seen.body.problem]).toEqual([400, 'string']);
});

test('whatever is sent to whichever command is answered, and the venue goes on', async () => {
  const venue = await aVirtualVenueWithOrder();
  const { commands } = (await control(venue, 'GET', '/__sim/nothing')).body as { commands: readonly string[] };
  const value = fc.oneof(
    fc.constantFrom('BTC/USDT', 'all', 'third', 'close', 'order', 'resting', 'ban', 'thin-book', '1', '-1', '1e9', ''),
    fc.constantFrom(0, 1, -1, 1.5, 1_000, 1e300, null, true, [], {}, { asset: 'BNB' }, { status: 'HALT' }),
  );
  const names = ['ms', 'symbol', 'price', 'quantity', 'orderId', 'clientOrderId', 'tradeId', 'type', 'order', 'asset'];
  const more = [
    'change',
    'rules',
    'levels',
    'paidIn',
    'third',
    'revoked',
    'streams',
    'how',
    'code',
    'name',
    'ticks',
    'on',
  ];
  const body = fc.dictionary(fc.constantFrom(...names, ...more), value, { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...commands), body, async (command, given) => {
      const [method = '', path = ''] = command.split(' ');
      const seen = await control(venue, method, path, method === 'GET' ? undefined : given);
      expect([command, given, [200, 400, 404].includes(seen.status)]).toEqual([command, given, true]);
    }),
    { numRuns: 300 },
  );
  await post(venue, 'clear');
  await post(venue, 'symbol', { symbol: 'BTC/USDT', rules: { status: 'TRADING' } });
  await post(venue, 'limits', { ordersPer10s: 50 });
  await post(venue, 'external', { type: 'balance', asset: 'USDT', change: '100000' });
  await post(venue, 'tick', { price: '46000' });
  expect((await clientOf(venue).buy('0.01')).status).toBe(200);
  for (const { free, locked } of venue.exchange.books.balances()) {
    expect(isNegative(free) || isNegative(locked)).toBe(false);
  }
});

async function aVirtualVenueWithOrder(): Promise<Simulator> {
  const venue = await aVenue(virtual);
  await clientOf(venue).limit('BUY', '0.01', '40000', { newClientOrderId: 'resting' });
  return venue;
}

test('a rule that is not there can not be removed', async () => {
  expect((await control(await aVenue(), 'DELETE', '/__sim/plan?id=never')).status).toBe(404);
});
