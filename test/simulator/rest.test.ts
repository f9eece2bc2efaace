import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Simulator } from '../../src/simulator/server.ts';
import { aVenue, clientOf, closeAll, type Parameters, signatureOf } from './venue-client.ts';

let venue: Simulator;
let client: ReturnType<typeof clientOf>;

beforeAll(async () => {
  venue = await aVenue({
    markets: [
      { symbol: 'BTC/USDT', price: '46000' },
      { symbol: 'ETH/USDT', price: '1800' },
    ],
    deposits: { USDT: '1000000', BTC: '10', ETH: '10' },
    limits: { weightPerMinute: 1_000_000, ordersPer10s: 10_000 },
  });
  client = clientOf(venue);
});
afterAll(closeAll);

describe('public endpoints', () => {
  test('ping and time answer', async () => {
    expect((await client.get('/api/v3/ping')).body).toEqual({});
    const { body } = await client.get('/api/v3/time');
    expect(Math.abs(body.serverTime - Date.now())).toBeLessThan(60_000);
  });

  test('exchangeInfo shows limits and filters, of all symbols or of those asked for', async () => {
    const all = await client.get('/api/v3/exchangeInfo');
    expect(all.body.symbols.map(({ symbol }: { symbol: string }) => symbol)).toEqual(['BTCUSDT', 'ETHUSDT']);
    expect(all.body.rateLimits).toContainEqual({
      rateLimitType: 'REQUEST_WEIGHT',
      interval: 'MINUTE',
      intervalNum: 1,
      limit: 1_000_000,
    });
    const one = await client.get('/api/v3/exchangeInfo', { symbol: 'ETHUSDT' });
    expect(one.body.symbols).toHaveLength(1);
    expect(one.body.symbols[0]).toMatchObject({
      symbol: 'ETHUSDT',
      status: 'TRADING',
      baseAsset: 'ETH',
      quoteAsset: 'USDT',
    });
    expect(one.body.symbols[0].filters).toContainEqual({
      filterType: 'PRICE_FILTER',
      minPrice: '0.01000000',
      maxPrice: '90000000.00000000',
      tickSize: '0.01000000',
    });
    const several = await client.get('/api/v3/exchangeInfo', { symbols: '["BTCUSDT","ETHUSDT"]' });
    expect(several.body.symbols).toHaveLength(2);
  });

  test('quotes and depth show the synthetic book', async () => {
    const { body: quotes } = await client.get('/api/v3/ticker/bookTicker', { symbol: 'ETHUSDT' });
    expect(quotes).toEqual({
      symbol: 'ETHUSDT',
      bidPrice: '1799.99000000',
      bidQty: '50.00000000',
      askPrice: '1800.00000000',
      askQty: '50.00000000',
    });
    const { body: depth } = await client.get('/api/v3/depth', { symbol: 'ETHUSDT', limit: 2 });
    expect(depth).toMatchObject({
      bids: [
        ['1799.99000000', '50.00000000'],
        ['1799.98000000', '50.00000000'],
      ],
      asks: [
        ['1800.00000000', '50.00000000'],
        ['1800.01000000', '50.00000000'],
      ],
    });
    expect((await client.get('/api/v3/ticker/price')).body).toHaveLength(2);
    expect((await client.get('/api/v3/ticker/price', { symbol: 'ETHUSDT' })).body).toEqual({
      symbol: 'ETHUSDT',
      price: '1800.00000000',
    });
    expect((await client.get('/api/v3/avgPrice', { symbol: 'ETHUSDT' })).body).toMatchObject({
      mins: 5,
      price: '1800.00000000',
    });
  });

  test('trades come from the end, historical ones from an id', async () => {
    venue.tick({ symbol: 'ETH/USDT', price: '1801' }, { symbol: 'ETH/USDT', price: '1802' });
    const latest = await client.get('/api/v3/trades', { symbol: 'ETHUSDT', limit: 2 });
    expect(latest.body.map(({ id }: { id: number }) => id)).toEqual([2, 3]);
    const from = await client.get('/api/v3/historicalTrades', { symbol: 'ETHUSDT', fromId: 1, limit: 2 });
    expect(from.body.map(({ id, price }: { id: number; price: string }) => [id, price])).toEqual([
      [1, '1800.00000000'],
      [2, '1801.00000000'],
    ]);
  });
});

describe('the life of an order', () => {
  test('is told in full when it is placed, and found by either id', async () => {
    const { status, body } = await client.buy('0.5', { newClientOrderId: 'life-1' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      symbol: 'BTCUSDT',
      clientOrderId: 'life-1',
      status: 'FILLED',
      executedQty: '0.50000000',
      cummulativeQuoteQty: '23000.00000000',
    });
    expect(body.fills).toEqual([
      {
        price: '46000.00000000',
        qty: '0.50000000',
        commission: '0.00050000',
        commissionAsset: 'BTC',
        tradeId: expect.any(Number),
      },
    ]);
    const byClientId = await client.find({ origClientOrderId: 'life-1' });
    expect((await client.find({ orderId: body.orderId })).body).toEqual(byClientId.body);
    const trades = await client.signed('GET', '/api/v3/myTrades', { symbol: 'BTCUSDT', orderId: body.orderId });
    expect(trades.body).toMatchObject([
      { id: body.fills[0].tradeId, price: '46000.00000000', quoteQty: '23000.00000000', isBuyer: true, isMaker: false },
    ]);
  });

  test('says as much as newOrderRespType asks for', async () => {
    expect(Object.keys((await client.buy('0.01', { newOrderRespType: 'ACK' })).body)).not.toContain('status');
    const result = (await client.buy('0.01', { newOrderRespType: 'RESULT' })).body;
    expect(result).toMatchObject({ status: 'FILLED' });
    expect(result.fills).toBeUndefined();
  });

  test('an order rests, is open, is canceled, and is open no longer', async () => {
    const placed = await client.limit('BUY', '0.1', '40000', { newClientOrderId: 'rest-1' });
    expect(placed.body).toMatchObject({ status: 'NEW', fills: [] });
    const open = await client.signed('GET', '/api/v3/openOrders', { symbol: 'BTCUSDT' });
    expect(open.body.map(({ clientOrderId }: { clientOrderId: string }) => clientOrderId)).toEqual(['rest-1']);
    const canceled = await client.cancel({ origClientOrderId: 'rest-1', newClientOrderId: 'cancel-1' });
    expect(canceled.body).toMatchObject({ origClientOrderId: 'rest-1', clientOrderId: 'cancel-1', status: 'CANCELED' });
    expect((await client.signed('GET', '/api/v3/openOrders')).body).toEqual([]);
    expect((await client.cancel({ origClientOrderId: 'rest-1' })).body).toEqual({
      code: -2011,
      msg: 'Unknown order sent.',
    });
  });

  test('cancel-all takes one symbol at a time, and has nothing to say of none', async () => {
    for (const id of ['all-1', 'all-2']) await client.limit('BUY', '0.1', '40000', { newClientOrderId: id });
    const eth = {
      symbol: 'ETHUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '1',
      price: '1000',
      newClientOrderId: 'all-3',
    };
    await client.signed('POST', '/api/v3/order', eth);
    const gone = await client.signed('DELETE', '/api/v3/openOrders', { symbol: 'BTCUSDT' });
    expect(gone.body.map(({ origClientOrderId }: { origClientOrderId: string }) => origClientOrderId)).toEqual([
      'all-1',
      'all-2',
    ]);
    expect((await client.signed('DELETE', '/api/v3/openOrders', { symbol: 'BTCUSDT' })).body.code).toBe(-2011);
    expect((await client.signed('DELETE', '/api/v3/openOrders', { symbol: 'ETHUSDT' })).body).toHaveLength(1);
  });

  test('a closed id is taken again, and then names the latest order', async () => {
    const first = await client.buy('0.01', { newClientOrderId: 'again' });
    const second = await client.buy('0.02', { newClientOrderId: 'again' });
    expect(second.body.orderId).toBeGreaterThan(first.body.orderId);
    expect((await client.find({ origClientOrderId: 'again' })).body).toMatchObject({
      orderId: second.body.orderId,
      origQty: '0.02000000',
    });
  });

  test('a cancel may be restricted to what has not traded', async () => {
    await client.limit('SELL', '1', '47000', { newClientOrderId: 'part' });
    venue.tick({ symbol: 'BTC/USDT', price: '47000', quantity: '0.3' });
    const restricted = await client.cancel({ origClientOrderId: 'part', cancelRestrictions: 'ONLY_NEW' });
    expect(restricted.body).toEqual({ code: -2011, msg: 'Order was not canceled due to cancel restrictions.' });
    const canceled = await client.cancel({ origClientOrderId: 'part', cancelRestrictions: 'ONLY_PARTIALLY_FILLED' });
    expect(canceled.body).toMatchObject({ status: 'CANCELED', executedQty: '0.30000000' });
    venue.tick({ symbol: 'BTC/USDT', price: '46000' });
  });

  test('order/test checks and places nothing', async () => {
    const before = (await client.signed('GET', '/api/v3/allOrders', { symbol: 'BTCUSDT' })).body.length;
    const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.1' };
    expect((await client.signed('POST', '/api/v3/order/test', order)).body).toEqual({});
    expect((await client.signed('POST', '/api/v3/order/test', { ...order, quantity: '900' })).body.code).toBe(-2010);
    const rates = await client.signed('POST', '/api/v3/order/test', { ...order, computeCommissionRates: 'true' });
    expect(rates.body.standardCommissionForOrder).toEqual({ maker: '0.00100000', taker: '0.00100000' });
    expect((await client.signed('GET', '/api/v3/allOrders', { symbol: 'BTCUSDT' })).body).toHaveLength(before);
  });

  test('histories page from an id, from a time, or from the end', async () => {
    const all = (path: string, more: Parameters) =>
      client.signed('GET', `/api/v3/${path}`, { symbol: 'BTCUSDT', ...more });
    const orders = (await all('allOrders', {})).body;
    expect((await all('allOrders', { limit: 2 })).body).toEqual(orders.slice(-2));
    expect((await all('allOrders', { orderId: orders[1].orderId, limit: 2 })).body).toEqual(orders.slice(1, 3));
    expect((await all('allOrders', { startTime: orders[0].time, limit: 1 })).body).toEqual(orders.slice(0, 1));
    const trades = (await all('myTrades', {})).body;
    expect((await all('myTrades', { fromId: trades[1].id, limit: 2 })).body).toEqual(trades.slice(1, 3));
    expect((await all('myTrades', { startTime: 1, endTime: 86_400_002 })).body.code).toBe(-1127);
  });

  test('the account shows free and locked', async () => {
    await client.limit('SELL', '2', '90000', { newClientOrderId: 'lock' });
    const { body } = await client.signed('GET', '/api/v3/account', { omitZeroBalances: 'true' });
    expect(body).toMatchObject({ canTrade: true, canWithdraw: false, makerCommission: 10 });
    expect(body.balances).toContainEqual({ asset: 'BTC', free: expect.any(String), locked: '2.00000000' });
    await client.cancel({ origClientOrderId: 'lock' });
  });
});

describe('parameters', () => {
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
  const limit = { ...order, type: 'LIMIT', timeInForce: 'GTC', price: '40000' };
  const less = (parameters: Parameters, name: string): Parameters =>
    Object.fromEntries(Object.entries(parameters).filter(([key]) => key !== name));

  test.each([
    { name: 'a symbol that is not there', send: { ...order, symbol: 'DOGEUSDT' }, code: -1121, msg: 'Invalid symbol.' },
    {
      name: 'no side',
      send: less(order, 'side'),
      code: -1102,
      msg: "Mandatory parameter 'side' was not sent, was empty/null, or malformed.",
    },
    { name: 'a side of its own', send: { ...order, side: 'LONG' }, code: -1117, msg: 'Invalid side.' },
    { name: 'a type of its own', send: { ...order, type: 'LATER' }, code: -1116, msg: 'Invalid orderType.' },
    {
      name: 'no quantity',
      send: less(order, 'quantity'),
      code: -1102,
      msg: "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
    },
    {
      name: 'an empty id',
      send: { ...order, newClientOrderId: '' },
      code: -1105,
      msg: "Parameter 'newClientOrderId' was empty.",
    },
    {
      name: 'an id of other characters',
      send: { ...order, newClientOrderId: 'a b' },
      code: -1100,
      msg: "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    },
    {
      name: 'an id that is too long',
      send: { ...order, newClientOrderId: 'a'.repeat(37) },
      code: -1100,
      msg: "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    },
    {
      name: 'a quantity with an exponent',
      send: { ...order, quantity: '1e-2' },
      code: -1100,
      msg: "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    },
    {
      name: 'a negative quantity',
      send: { ...order, quantity: '-1' },
      code: -1100,
      msg: "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    },
    {
      name: 'nine decimals',
      send: { ...order, quantity: '0.000000001' },
      code: -1111,
      msg: "Parameter 'quantity' has too much precision.",
    },
    {
      name: 'a quantity of nothing',
      send: { ...order, quantity: '0' },
      code: -2010,
      msg: 'Price * QTY is zero or less.',
    },
    {
      name: 'a limit order without a price',
      send: less(limit, 'price'),
      code: -1102,
      msg: "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
    },
    {
      name: 'a limit order without a time in force',
      send: less(limit, 'timeInForce'),
      code: -1102,
      msg: "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
    },
    {
      name: 'a time in force of its own',
      send: { ...limit, timeInForce: 'GTD' },
      code: -1115,
      msg: 'Invalid timeInForce.',
    },
    {
      name: 'a market order with a price',
      send: { ...order, price: '1' },
      code: -1106,
      msg: "Parameter 'price' sent when not required.",
    },
    {
      name: 'a parameter that nobody reads',
      send: { ...order, colour: 'red' },
      code: -1104,
      msg: "Not all sent parameters were read; read '6' parameter(s) but was sent '7'.",
    },
    {
      name: 'a response type of its own',
      send: { ...order, newOrderRespType: 'LONG' },
      code: -1130,
      msg: "Data sent for parameter 'newOrderRespType' is not valid.",
    },
    {
      name: 'a stop order without its price',
      send: { ...order, type: 'STOP_LOSS' },
      code: -1102,
      msg: "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed.",
    },
    {
      name: 'a stop price where none belongs',
      send: { ...order, stopPrice: '1' },
      code: -1106,
      msg: "Parameter 'stopPrice' sent when not required.",
    },
    {
      name: 'a mode of self-trade prevention that the symbol does not allow',
      send: { ...order, selfTradePreventionMode: 'DECREMENT' },
      code: -1013,
      msg: 'This symbol does not allow the specified self-trade prevention mode.',
    },
    {
      name: 'a mode of self-trade prevention of its own',
      send: { ...order, selfTradePreventionMode: 'EXPIRE_NOBODY' },
      code: -1130,
      msg: "Data sent for parameter 'selfTradePreventionMode' is not valid.",
    },
    {
      name: 'a quantity in quote',
      send: { ...less(order, 'quantity'), quoteOrderQty: '100' },
      code: -2010,
      msg: 'Quote order qty market orders are not support for this symbol.',
    },
    {
      name: 'a trailing stop',
      send: { ...order, trailingDelta: '10' },
      code: -2010,
      msg: 'Trailing stop orders are not supported for this symbol.',
    },
    {
      name: 'an iceberg',
      send: { ...limit, icebergQty: '0.001' },
      code: -2010,
      msg: 'Iceberg orders are not supported for this symbol.',
    },
    {
      name: 'a window that is too long',
      send: { ...order, recvWindow: '60001' },
      code: -1131,
      msg: 'recvWindow must be less than 60000.',
    },
    { name: 'a filter', send: { ...limit, price: '40000.001' }, code: -1013, msg: 'Filter failure: PRICE_FILTER' },
  ])('$name is refused', async ({ send, code, msg }) => {
    const { status, body } = await client.signed('POST', '/api/v3/order', send);
    expect([status, body]).toEqual([400, { code, msg }]);
  });

  test.each([
    { name: 'neither id', send: {}, code: -1102 },
    { name: 'an id that never was', send: { origClientOrderId: 'never' }, code: -2013 },
    { name: 'an order id that never was', send: { orderId: 999_999 }, code: -2013 },
    { name: 'two ids that do not belong together', send: { orderId: 1, origClientOrderId: 'never' }, code: -2039 },
  ])('a look-up by $name is refused', async ({ send, code }) => {
    await client.buy('0.01');
    expect((await client.find(send)).body.code).toBe(code);
  });

  test('may stand in the query, in the body, or in both, and the query wins', async () => {
    const { apiKey, apiSecret } = venue.keys;
    const headers = { 'X-MBX-APIKEY': apiKey, 'Content-Type': 'application/x-www-form-urlencoded' };
    const rest = `side=BUY&type=MARKET&quantity=0.01&timestamp=${Date.now()}`;
    const inBody = `symbol=BTCUSDT&${rest}`;
    const body = await client.send('POST', '/api/v3/order', '', {
      headers,
      body: `${inBody}&signature=${signatureOf(apiSecret, inBody)}`,
    });
    expect(body.body.origQty).toBe('0.01000000');
    const query = 'symbol=BTCUSDT&quantity=0.02';
    const signature = signatureOf(apiSecret, query + rest);
    const mixed = await client.send('POST', '/api/v3/order', query, {
      headers,
      body: `${rest}&signature=${signature}`,
    });
    expect(mixed.body.origQty).toBe('0.02000000');
  });

  test('sent twice in one place are refused', async () => {
    expect((await client.send('GET', '/api/v3/depth', 'symbol=BTCUSDT&symbol=ETHUSDT')).body.code).toBe(-1101);
  });
});

describe('signatures and time', () => {
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
  const from = (distanceMs: number) => ({ ...order, timestamp: Date.now() + distanceMs });

  test.each([
    { name: 'from now', send: () => from(0), status: 200 },
    { name: 'in microseconds', send: () => ({ ...order, timestamp: Date.now() * 1_000 }), status: 200 },
    { name: 'within its window', send: () => ({ ...from(-30_000), recvWindow: 60_000 }), status: 200 },
    { name: 'with a window in fractions', send: () => ({ ...from(0), recvWindow: '4999.5' }), status: 200 },
    {
      name: 'from before its window',
      send: () => from(-6_000),
      status: 400,
      code: -1021,
      msg: 'Timestamp for this request is outside of the recvWindow.',
    },
    {
      name: 'from the future',
      send: () => from(5_000),
      status: 400,
      code: -1021,
      msg: "Timestamp for this request was 1000ms ahead of the server's time.",
    },
  ])('a request $name', async ({ send, status, code, msg }) => {
    const seen = await client.signed('POST', '/api/v3/order', send());
    expect(seen.status).toBe(status);
    if (code !== undefined) expect(seen.body).toEqual({ code, msg });
  });

  test.each([
    { name: 'no key', headers: {}, status: 401, code: -2014 },
    { name: 'another key', headers: { 'X-MBX-APIKEY': 'nobody' }, status: 401, code: -2015 },
  ])('$name is refused', async ({ headers, status, code }) => {
    const seen = await client.send('GET', '/api/v3/account', `timestamp=${Date.now()}&signature=0`, { headers });
    expect([seen.status, seen.body.code]).toEqual([status, code]);
    expect((await client.send('GET', '/api/v3/historicalTrades', 'symbol=BTCUSDT', { headers })).body.code).toBe(code);
  });

  test('a signature that is wrong or missing is refused', async () => {
    expect((await client.get('/api/v3/account', { timestamp: Date.now() })).body.code).toBe(-1102);
    expect((await client.get('/api/v3/account', { timestamp: Date.now(), signature: '00' })).body).toEqual({
      code: -1022,
      msg: 'Signature for this request is not valid.',
    });
  });

  test('an endpoint that is not there is not found', async () => {
    expect((await client.get('/api/v3/klines')).status).toBe(404);
  });
});

test('whatever is asked of whichever endpoint is answered in the dialect', async () => {
  const text = fc.constantFrom(
    ...['BTCUSDT', 'DOGEUSDT', 'BUY', 'SELL', 'LIMIT', 'MARKET', 'STOP_LOSS', 'TAKE_PROFIT_LIMIT', 'GTC', 'FOK', 'ACK'],
    ...[
      'STOP_ON_FAILURE',
      'ALLOW_FAILURE',
      'CANCEL_ONLY',
      'ONLY_NEW',
      'EXPIRE_BOTH',
      'NONE',
      'mine',
      '',
      '0',
      '1',
      '-1',
    ],
    ...['0.01', '46000', '40000', '50000', '99999999999999999999', '1e3', 'ü', '["BTCUSDT"]', '[1]', 'true'],
  );
  const names = [
    'symbol',
    'symbols',
    'side',
    'type',
    'timeInForce',
    'quantity',
    'price',
    'stopPrice',
    'orderId',
    'limit',
  ];
  const more = [
    'newClientOrderId',
    'origClientOrderId',
    'cancelOrigClientOrderId',
    'cancelOrderId',
    'cancelReplaceMode',
  ];
  const rest = [
    'cancelRestrictions',
    'newOrderRespType',
    'selfTradePreventionMode',
    'startTime',
    'fromId',
    'recvWindow',
  ];
  const parameters = fc.dictionary(fc.constantFrom(...names, ...more, ...rest), text, { maxKeys: 9 });
  const paths = [
    'order',
    'order/test',
    'order/cancelReplace',
    'openOrders',
    'allOrders',
    'myTrades',
    'myPreventedMatches',
  ];
  const path = fc.constantFrom(
    ...paths,
    'account',
    'account/commission',
    'myFilters',
    'depth',
    'exchangeInfo',
    'avgPrice',
  );
  const method = fc.constantFrom('GET', 'POST', 'DELETE');
  await fc.assert(
    fc.asyncProperty(method, path, parameters, async (verb, endpoint, given) => {
      const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', quantity: '0.01', price: '40000' };
      const seen = await client.signed(verb, `/api/v3/${endpoint}`, verb === 'POST' ? { ...order, ...given } : given);
      const isRefusal = typeof seen.body.code === 'number' && typeof seen.body.msg === 'string';
      expect([verb, endpoint, given, seen.status === 200 || isRefusal]).toEqual([verb, endpoint, given, true]);
    }),
    { numRuns: 400 },
  );
});
