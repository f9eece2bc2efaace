import { afterEach, describe, expect, test } from 'vitest';
import { aVenue, clientOf, closeAll, control, openStream, openUserStream } from './venue-client.ts';

afterEach(closeAll);

describe('the ledger', () => {
  test('tells every request with when it came, how far it got and what became of it', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    const client = clientOf(venue);
    await client.buy('0.01', { newClientOrderId: 'good' });
    await client.buy('0.01', { newClientOrderId: 'late', timestamp: 1 });
    await client.buy('900', { newClientOrderId: 'poor' });
    venue.plan({ on: { method: 'POST' }, phase: 'after_match', do: { action: 'drop' } });
    await client.buy('0.01', { newClientOrderId: 'lost' }).catch(() => undefined);
    const { body } = await control(venue, 'GET', '/__sim/ledger?kind=requests');
    expect(body.requests).toMatchObject([
      {
        receivedAtMs: 1_000_000,
        phase: 'matched',
        accepted: true,
        answered: true,
        httpStatus: 200,
        parameters: { newClientOrderId: 'good' },
      },
      { phase: 'received', accepted: false, answered: true, httpStatus: 400, code: -1021 },
      { phase: 'validated', accepted: false, answered: true, code: -2010 },
      { phase: 'matched', accepted: true, answered: false, httpStatus: null, faults: ['after_match drop'] },
    ]);
    // Neither a signature nor a key may be written down.
    expect(JSON.stringify(body)).not.toMatch(/signature|api-?key/i);
  });

  test('shows orders, fills and balances, the journal behind them, and its hash', async () => {
    const venue = await aVenue();
    await clientOf(venue).buy('0.01', { newClientOrderId: 'mine' });
    const { body } = await control(venue, 'GET', '/__sim/ledger');
    expect(body.orders).toMatchObject([
      { clientOrderId: 'mine', status: 'FILLED', origin: 'api', receivedAtMs: expect.any(Number) },
    ]);
    expect(body.fills).toMatchObject([
      { orderId: 1, price: '46000', quantity: '0.01', fee: '0.00001', feeAsset: 'BTC' },
    ]);
    expect(body.balances).toContainEqual({ asset: 'USDT', free: '99540', locked: '0' });
    const entries = await control(venue, 'GET', '/__sim/ledger?kind=entries');
    const kinds = entries.body.entries.flatMap((group: { entries: { kind: string }[] }) =>
      group.entries.map(({ kind }) => kind),
    );
    expect(kinds).toEqual(['market', 'balance', 'order', 'fill', 'request']);
    expect(entries.body.hash).toMatch(/^[0-9a-f]{64}$/);
    expect((await control(venue, 'GET', '/__sim/ledger?kind=secrets')).status).toBe(400);
  });
});

test('the state tells clock, symbols, quotes and the account', async () => {
  const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
  const { body } = await control(venue, 'GET', '/__sim/state');
  expect(body).toMatchObject({
    clock: { kind: 'virtual', nowMs: 1_000_000 },
    symbols: [
      {
        symbol: 'BTC/USDT',
        status: 'TRADING',
        quotes: { bid: '45999.99', ask: '46000', last: '46000' },
        lastTradeId: 1,
      },
    ],
    pricesEnded: false,
    replay: null,
    openOrders: 0,
    balances: [{ asset: 'USDT', free: '100000', locked: '0' }],
  });
});

describe('ticks', () => {
  test('move the market, one or several at a time', async () => {
    const venue = await aVenue();
    await control(venue, 'POST', '/__sim/tick', { price: '46001', quantity: '2', symbol: 'BTC/USDT' });
    await control(venue, 'POST', '/__sim/tick', {
      ticks: [{ price: '46002' }, { price: '46003', symbol: 'BTCUSDT', aggressor: 'SELL' }],
    });
    const prints = venue.exchange.venue('BTCUSDT').tape.from(2, 10);
    expect(prints.map(({ price, quantity, buyerIsMaker }) => [price, quantity, buyerIsMaker])).toEqual([
      ['46001', '2', false],
      ['46002', '1', false],
      ['46003', '1', true],
    ]);
  });

  test('that are no prices are refused, and sent as they are when they are given raw', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    for (const price of ['NaN', '0', '-1', 46_000, '1e5', null]) {
      expect((await control(venue, 'POST', '/__sim/tick', { price })).status).toBe(400);
    }
    expect((await control(venue, 'POST', '/__sim/tick', { price: '1', symbol: 'DOGEUSDT' })).status).toBe(400);
    expect(venue.exchange.venue('BTCUSDT').tape.lastTradeId).toBe(1);
    await control(venue, 'POST', '/__sim/tick', { raw: '{"e":"trade","p":"NaN"}' });
    expect((await stream.until(() => true)).p).toBe('NaN');
    stream.close();
  });
});

describe('plans', () => {
  test('are added, shown and cleared', async () => {
    const venue = await aVenue();
    const rule = { on: { path: '/api/v3/time' }, phase: 'before_auth', do: { action: 'status', code: 503 } };
    const planned = { ...rule, id: 'rule-1', matched: 0, struck: 0 };
    expect((await control(venue, 'POST', '/__sim/plan', [rule])).body).toEqual({ rules: [planned] });
    expect((await fetch(`${venue.url}/api/v3/time`)).status).toBe(503);
    expect((await control(venue, 'GET', '/__sim/plan')).body.rules).toEqual([{ ...planned, matched: 1, struck: 1 }]);
    expect((await control(venue, 'DELETE', '/__sim/plan')).status).toBe(200);
    expect((await fetch(`${venue.url}/api/v3/time`)).status).toBe(200);
  });

  test('with mistakes are refused, with every mistake', async () => {
    const venue = await aVenue();
    const { status, body } = await control(venue, 'POST', '/__sim/plan', { on: {}, phase: 'x', do: { action: 'y' } });
    expect(status).toBe(400);
    expect(body.mistakes).toHaveLength(2);
  });
});

describe('what a person does by hand', () => {
  test('an order is an order like any other, marked as external', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    const order = {
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.1',
      price: '40000',
    };
    const placed = await control(venue, 'POST', '/__sim/external', { type: 'order', order });
    expect(placed.body.order).toMatchObject({ origin: 'external', status: 'NEW', requestId: null });
    expect((await user.until(({ event }) => event?.x === 'NEW')).event.i).toBe(placed.body.order.orderId);
    const { orderId } = placed.body.order;
    expect((await control(venue, 'POST', '/__sim/external', { type: 'cancel', orderId })).body.order.status).toBe(
      'CANCELED',
    );
    expect((await control(venue, 'POST', '/__sim/external', { type: 'cancel', orderId })).status).toBe(400);
    user.close();
  });

  test('a refused order says why', async () => {
    const venue = await aVenue();
    const order = { symbol: 'BTCUSDT', side: 'SELL', type: 'MARKET', quantity: '1' };
    expect((await control(venue, 'POST', '/__sim/external', { type: 'order', order })).body.code).toBe(-2010);
    const unknown = { ...order, symbol: 'DOGEUSDT' };
    expect((await control(venue, 'POST', '/__sim/external', { type: 'order', order: unknown })).status).toBe(400);
  });

  test('a transfer changes the balance and is told', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    const moved = await control(venue, 'POST', '/__sim/external', { type: 'balance', asset: 'USDT', change: '-250.5' });
    expect(moved.body).toEqual({ balance: { asset: 'USDT', free: '99749.5', locked: '0' } });
    expect((await user.until(({ event }) => event?.e === 'balanceUpdate')).event).toMatchObject({
      a: 'USDT',
      d: '-250.50000000',
    });
    await user.until(({ event }) => event?.e === 'outboundAccountPosition');
    user.close();
  });
});

describe('the clock', () => {
  test('a virtual one is advanced and set, never back', async () => {
    const venue = await aVenue({ virtualClockAtMs: 1_000_000 });
    expect((await control(venue, 'POST', '/__sim/clock', { advanceMs: 500 })).body).toEqual({ nowMs: 1_000_500 });
    expect((await control(venue, 'POST', '/__sim/clock', { setAtMs: 2_000_000 })).body).toEqual({ nowMs: 2_000_000 });
    expect((await control(venue, 'POST', '/__sim/clock', { setAtMs: 1_999_999 })).status).toBe(400);
    expect((await clientOf(venue).get('/api/v3/time')).body.serverTime).toBe(2_000_000);
  });

  test('real time can be wrong, but not moved', async () => {
    const venue = await aVenue();
    expect((await control(venue, 'POST', '/__sim/clock', { advanceMs: 500 })).status).toBe(400);
    await control(venue, 'POST', '/__sim/clock', { skewMs: 3_600_000 });
    const client = clientOf(venue);
    expect((await client.buy('0.01', { timestamp: Date.now() })).body.code).toBe(-1021);
    expect((await client.buy('0.01')).status).toBe(200);
  });
});

describe('rules of a symbol', () => {
  test('change while the venue runs', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    await control(venue, 'POST', '/__sim/symbol', { symbol: 'BTC/USDT', rules: { status: 'HALT' } });
    expect((await client.buy('0.01')).body.msg).toBe('Market is closed.');
    await control(venue, 'POST', '/__sim/symbol', {
      symbol: 'BTC/USDT',
      rules: { status: 'TRADING', tickSize: '0.5', levelQuantity: '0.1', levelsMax: 2 },
    });
    expect((await client.limit('BUY', '0.01', '40000.01')).body.msg).toBe('Filter failure: PRICE_FILTER');
    expect((await client.buy('1')).body).toMatchObject({ status: 'EXPIRED', executedQty: '0.20000000' });
    const { body } = await client.get('/api/v3/exchangeInfo', { symbol: 'BTCUSDT' });
    expect(body.symbols[0].filters[0].tickSize).toBe('0.50000000');
  });

  test.each([
    { name: 'a symbol of elsewhere', body: { symbol: 'DOGEUSDT', rules: {} } },
    { name: 'a rule of its own', body: { symbol: 'BTCUSDT', rules: { colour: 'red' } } },
    { name: 'a rule of another type', body: { symbol: 'BTCUSDT', rules: { tickSize: 0.5 } } },
    { name: 'a status of its own', body: { symbol: 'BTCUSDT', rules: { status: 'ASLEEP' } } },
    { name: 'other assets', body: { symbol: 'BTCUSDT', rules: { baseAsset: 'ETH' } } },
  ])('$name is refused', async ({ body }) => {
    expect((await control(await aVenue(), 'POST', '/__sim/symbol', body)).status).toBe(400);
  });
});

describe('the port itself', () => {
  test('knows its commands and takes JSON alone', async () => {
    const venue = await aVenue();
    expect((await control(venue, 'GET', '/__sim/other')).body.commands).toContain('POST /__sim/tick');
    const text = await fetch(`${venue.controlUrl}/__sim/tick`, { method: 'POST', body: '{"price":"1"}' });
    expect(text.status).toBe(415);
    const broken = await fetch(`${venue.controlUrl}/__sim/tick`, {
      method: 'POST',
      body: '{',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(broken.status).toBe(400);
    expect((await control(venue, 'POST', '/__sim/replay', { action: 'pause' })).status).toBe(400);
  });
});
