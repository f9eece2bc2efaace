import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import { systemClock } from '../../../src/venue/clock.ts';
import { createRateBudget, type RateBudget, type RatePause } from '../../../src/venue/rate-budget.ts';
import type { Lane, Venue } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import {
  aVenue,
  ok,
  type Received,
  type Reply,
  refuse,
  type ScriptedVenue,
  startScriptedVenue,
} from '../support/scripted-venue.ts';

type Script = Readonly<Record<string, (request: Received) => Reply>>;

const keep = keepUntilTheEnd();

async function scripted(script: Script): Promise<{ venue: Venue; server: ScriptedVenue }> {
  const server = await startScriptedVenue(script);
  const venue = aVenue({ url: server.url });
  keep(server);
  keep(venue);
  return { venue, server };
}

const rawOrder = (orderId: number, change: object = {}) => ({
  symbol: 'BTCUSDT',
  orderId,
  clientOrderId: `rte-${orderId}`,
  side: 'BUY',
  status: 'NEW',
  origQty: '0.5',
  executedQty: '0',
  cummulativeQuoteQty: '0',
  ...change,
});

const rawTrade = (id: number) => ({ id, price: '46000.10', qty: '0.25', time: 1_795_262_400_000 + id });

const symbolInfo = (baseAsset: string, quoteAsset: string, filters: object[] = [], status = 'TRADING') => ({
  symbol: baseAsset + quoteAsset,
  status,
  baseAsset,
  quoteAsset,
  filters,
});

const exchangeInfo = (...symbols: object[]) => ({ rateLimits: [], symbols });

describe('fillsSince', () => {
  const dayMs = 86_400_000;
  const rawFill = (id: number) => ({
    id,
    orderId: 28,
    price: '46000.00',
    qty: '0.5',
    quoteQty: '23000.00',
    commission: '0.0005',
    commissionAsset: 'BTC',
    time: 1_795_262_400_000 + id,
    isMaker: true,
  });

  test('asks day by day until there is a fill, and from there on by id', async () => {
    const firstPage = Array.from({ length: 1000 }, (_, id) => rawFill(id + 1));
    let days = 0;
    const { venue, server } = await scripted({
      'GET /api/v3/myTrades': ({ parameters }) => {
        if (parameters['fromId'] === '1001') return ok([rawFill(1001)]);
        days += 1;
        return ok(days === 3 ? firstPage : []);
      },
    });
    const fills = await venue.fillsSince('BTC/USDT', Date.now() - 5 * dayMs);
    expect(fills.map(({ venueTradeId }) => Number(venueTradeId))).toEqual(
      Array.from({ length: 1001 }, (_, id) => id + 1),
    );
    expect(fills[0]).toMatchObject({ symbol: 'BTC/USDT', venueOrderId: '28' });
    const asked = server.requestsTo('GET /api/v3/myTrades').map(({ parameters }) => parameters);
    expect(asked).toHaveLength(4);
    for (const { startTime, endTime, fromId } of asked.slice(0, 3)) {
      expect(Number(endTime) - Number(startTime)).toBeLessThan(dayMs);
      expect(fromId).toBeUndefined();
    }
    expect(asked[3]).toMatchObject({ symbol: 'BTCUSDT', fromId: '1001' });
    expect(asked[3]).not.toHaveProperty('startTime');
  });

  test('asks once where the last day has less than a page', async () => {
    const { venue, server } = await scripted({ 'GET /api/v3/myTrades': () => ok([rawFill(7)]) });
    expect(await venue.fillsSince('BTC/USDT', Date.now() - 1000)).toHaveLength(1);
    expect(server.requestsTo('GET /api/v3/myTrades')).toHaveLength(1);
  });

  test('is an error, and no empty list, where the venue does not answer', async () => {
    const { venue } = await scripted({ 'GET /api/v3/myTrades': () => refuse(503, -1001, 'Internal error') });
    await expect(venue.fillsSince('BTC/USDT', Date.now() - 1000)).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
  });
});

test('accountPermissions says what the key may do', async () => {
  const body = { canTrade: true, canWithdraw: false, balances: [] };
  const { venue } = await scripted({ 'GET /api/v3/account': () => ok(body) });
  expect(await venue.accountPermissions()).toEqual({ canTrade: true, canWithdraw: false });
});

describe('fillsOf', () => {
  const rawFill = (id: number) => ({
    id,
    orderId: 28,
    price: '46000.00',
    qty: '0.5',
    quoteQty: '23000.00',
    commission: '0.0005',
    commissionAsset: 'BTC',
    time: 1_795_262_400_200,
    isBuyer: true,
    isMaker: true,
  });

  test('reads fees, sides of the book and quote amounts as the venue states them', async () => {
    const { venue, server } = await scripted({ 'GET /api/v3/myTrades': () => ok([rawFill(57)]) });
    expect(await venue.fillsOf({ symbol: 'BTC/USDT', venueOrderId: '28' })).toEqual([
      {
        venueTradeId: '57',
        quantity: '0.5',
        price: '46000',
        quoteQuantity: '23000',
        fee: '0.0005',
        feeAsset: 'BTC',
        isMaker: true,
        transactedAtMs: 1_795_262_400_200,
      },
    ]);
    expect(server.requestsTo('GET /api/v3/myTrades')[0]?.parameters).toMatchObject({
      symbol: 'BTCUSDT',
      orderId: '28',
    });
  });

  test('goes on behind a full page', async () => {
    const all = Array.from({ length: 2300 }, (_, i) => rawFill(100 + i));
    const { venue, server } = await scripted({
      'GET /api/v3/myTrades': ({ parameters: { fromId = '0', limit } }) =>
        ok(all.filter(({ id }) => id >= Number(fromId)).slice(0, Number(limit))),
    });
    const fills = await venue.fillsOf({ symbol: 'BTC/USDT', venueOrderId: '28' });
    expect(fills.map(({ venueTradeId }) => venueTradeId)).toEqual(all.map(({ id }) => String(id)));
    expect(server.requestsTo('GET /api/v3/myTrades')).toHaveLength(3);
  });
});

describe('openOrders', () => {
  test('of one symbol need no list of symbols', async () => {
    const { venue } = await scripted({ 'GET /api/v3/openOrders': () => ok([rawOrder(1)]) });
    expect(await venue.openOrders('BTC/USDT')).toMatchObject([{ symbol: 'BTC/USDT', clientOrderId: 'rte-1' }]);
  });

  test('of all symbols carry the names that the venue gives them', async () => {
    const { venue, server } = await scripted({
      'GET /api/v3/openOrders': () =>
        ok([rawOrder(1), rawOrder(2, { symbol: 'XRPETH' }), rawOrder(3, { symbol: 'NEWONE' })]),
      'GET /api/v3/exchangeInfo': () => ok(exchangeInfo(symbolInfo('BTC', 'USDT'), symbolInfo('XRP', 'ETH'))),
    });
    const orders = await venue.openOrders();
    expect(orders.map(({ symbol }) => symbol)).toEqual(['BTC/USDT', 'XRP/ETH', 'NEWONE']);
    expect(server.requestsTo('GET /api/v3/openOrders')[0]?.parameters).not.toHaveProperty('symbol');
  });
});

test.each<[string, (venue: Venue, lane?: Lane) => Promise<unknown>, usual: Lane]>([
  ['all open orders', (venue, lane) => venue.openOrders(undefined, lane), 'cancel'],
  ['the open orders of a symbol', (venue, lane) => venue.openOrders('BTC/USDT', lane), 'cancel'],
  ['the orders since', (venue, lane) => venue.ordersSince('BTC/USDT', Date.now(), lane), 'report'],
])('%s are read in the lane that is named', async (_name, ask, usual) => {
  const script = { 'GET /api/v3/openOrders': () => ok([]), 'GET /api/v3/allOrders': () => ok([]) };
  const server = keep(await startScriptedVenue({ ...script, 'GET /api/v3/exchangeInfo': () => ok(exchangeInfo()) }));
  const lanes: Lane[] = [];
  const own = createRateBudget({ clock: systemClock });
  const budget: RateBudget = {
    ...own,
    take(request) {
      lanes.push(request.lane);
      return own.take(request);
    },
  };
  const venue = keep(aVenue({ url: server.url, budget }));
  await venue.clockOffsetMs();
  const laneOf = async (lane?: Lane) => {
    lanes.length = 0;
    await ask(venue, lane);
    return lanes[0];
  };
  expect([await laneOf(), await laneOf('report'), await laneOf('exit')]).toEqual([usual, 'report', 'exit']);
});

describe('ordersSince', () => {
  test('reads page after page, at most a day back', async () => {
    const all = Array.from({ length: 1500 }, (_, i) => rawOrder(10 + i));
    const { venue, server } = await scripted({
      'GET /api/v3/allOrders': ({ parameters: { orderId = '0', limit } }) =>
        ok(all.filter((order) => order.orderId >= Number(orderId)).slice(0, Number(limit))),
    });
    const orders = await venue.ordersSince('BTC/USDT', Date.now() - 3 * 86_400_000);
    expect(orders).toHaveLength(1500);
    const [first, second] = server.requestsTo('GET /api/v3/allOrders');
    expect(Math.abs(Number(first?.parameters['startTime']) - (Date.now() - 86_400_000))).toBeLessThan(60_000);
    expect(second?.parameters).toMatchObject({ orderId: '1010' });
    expect(second?.parameters).not.toHaveProperty('startTime');
  });
});

describe('filters', () => {
  const filters = [
    { filterType: 'PRICE_FILTER', minPrice: '0.01', maxPrice: '1000000.00', tickSize: '0.01' },
    { filterType: 'LOT_SIZE', minQty: '0.00001', maxQty: '9000', stepSize: '0.00001' },
    { filterType: 'MARKET_LOT_SIZE', minQty: '0', maxQty: '75.5', stepSize: '0' },
    {
      filterType: 'NOTIONAL',
      minNotional: '5',
      applyMinToMarket: true,
      maxNotional: '9000000',
      applyMaxToMarket: false,
    },
    { filterType: 'SOMETHING_NEW', anything: [1, 2] },
  ];

  test('are those of the symbol, in our words', async () => {
    const info = exchangeInfo(symbolInfo('BTC', 'USDT', filters));
    const { venue, server } = await scripted({ 'GET /api/v3/exchangeInfo': () => ok(info) });
    expect(await venue.filters('BTC/USDT')).toEqual({
      symbol: 'BTC/USDT',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      isTrading: true,
      tickSize: '0.01',
      stepSize: '0.00001',
      priceMin: '0.01',
      priceMax: '1000000',
      quantityMin: '0.00001',
      quantityMax: '9000',
      marketQuantityMax: '75.5',
      notionalMin: '5',
      notionalMinAppliesToMarket: true,
    });
    expect(server.requestsTo('GET /api/v3/exchangeInfo')[0]?.parameters).toEqual({ symbol: 'BTCUSDT' });
  });

  test.each([
    [
      'the older MIN_NOTIONAL counts',
      [{ filterType: 'MIN_NOTIONAL', minNotional: '10', applyToMarket: true }],
      { notionalMin: '10', notionalMinAppliesToMarket: true },
    ],
    [
      'the larger step counts',
      [
        { filterType: 'LOT_SIZE', minQty: '0.1', maxQty: '0', stepSize: '0.1' },
        { filterType: 'MARKET_LOT_SIZE', minQty: '1', maxQty: '0', stepSize: '0.5' },
      ],
      { stepSize: '0.5', quantityMin: '1', quantityMax: null, marketQuantityMax: null },
    ],
    [
      'without filters nothing is bounded',
      [],
      { tickSize: '0.00000001', stepSize: '0.00000001', priceMin: null, notionalMin: null },
    ],
  ] as const)('%s', async (_name, given, expected) => {
    const info = exchangeInfo(symbolInfo('BTC', 'USDT', [...given]));
    const { venue } = await scripted({ 'GET /api/v3/exchangeInfo': () => ok(info) });
    expect(await venue.filters('BTC/USDT')).toMatchObject(expected);
  });

  test.each(['HALT', 'BREAK', 'CANCEL_ONLY', 'END_OF_DAY'])(
    'say that a symbol in %s is not trading',
    async (status) => {
      const info = exchangeInfo(symbolInfo('BTC', 'USDT', filters, status));
      const { venue } = await scripted({ 'GET /api/v3/exchangeInfo': () => ok(info) });
      expect(await venue.filters('BTC/USDT')).toMatchObject({ isTrading: false });
    },
  );

  test.each([
    ['a symbol that the venue does not know', 'AAA/BBB', refuse(400, -1121, 'Invalid symbol.')],
    ['assets that are split in another place', 'BT/CUSDT', ok(exchangeInfo(symbolInfo('BTC', 'USDT')))],
    ['a symbol without a slash', 'BTCUSDT', ok(exchangeInfo(symbolInfo('BTC', 'USDT')))],
  ])('refuse %s', async (_name, symbol, reply) => {
    const { venue } = await scripted({ 'GET /api/v3/exchangeInfo': () => reply });
    await expect(venue.filters(symbol)).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
  });
});

describe('marketTrades', () => {
  const all = Array.from({ length: 2500 }, (_, i) => rawTrade(i + 1));
  const script: Script = {
    'GET /api/v3/trades': ({ parameters: { limit } }) => ok(all.slice(-Number(limit))),
    'GET /api/v3/historicalTrades': ({ parameters: { fromId, limit } }) =>
      ok(all.filter(({ id }) => id >= Number(fromId)).slice(0, Number(limit))),
  };

  test('are the latest ones when no id is given', async () => {
    const { venue, server } = await scripted(script);
    const [trade] = await venue.marketTrades('BTC/USDT', null, 1);
    expect(trade).toEqual({
      symbol: 'BTC/USDT',
      venueTradeId: 2500,
      price: '46000.1',
      quantity: '0.25',
      tradedAtMs: 1_795_262_402_500,
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('x-mbx-apikey');
  });

  test.each([
    { after: 2490, limit: 100, first: 2491, count: 10, requests: 1 },
    { after: 0, limit: 1000, first: 1, count: 1000, requests: 1 },
    { after: 100, limit: 5000, first: 101, count: 2400, requests: 3 },
    { after: 100, limit: 1500, first: 101, count: 1500, requests: 2 },
  ])('after $after, at most $limit, are $count', async ({ after, limit, first, count, requests }) => {
    const { venue, server } = await scripted(script);
    const trades = await venue.marketTrades('BTC/USDT', after, limit);
    expect(trades.map(({ venueTradeId }) => venueTradeId)).toEqual(Array.from({ length: count }, (_, i) => first + i));
    expect(server.requestsTo('GET /api/v3/historicalTrades')).toHaveLength(requests);
    expect(server.requests[0]?.headers['x-mbx-apikey']).toBe('key-canary');
  });

  test.each(['0', '-1', 'NaN', '1e5', ''])('with the price %j are no answer', async (price) => {
    const { venue } = await scripted({ 'GET /api/v3/trades': () => ok([{ ...rawTrade(1), price }]) });
    await expect(venue.marketTrades('BTC/USDT', null, 1)).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
  });
});

describe('balances', () => {
  test('are read as decimals', async () => {
    const body = { balances: [{ asset: 'USDT', free: '99999.10000000', locked: '0.90000000' }] };
    const { venue } = await scripted({ 'GET /api/v3/account': () => ok(body) });
    expect(await venue.balances()).toEqual([{ asset: 'USDT', free: '99999.1', locked: '0.9' }]);
  });

  test.each([
    ['a venue that fails', refuse(500, -1000, 'Unknown'), 'VENUE_UNAVAILABLE'],
    ['a page', ok('<html/>'), 'VENUE_UNAVAILABLE'],
    [
      'a key that is refused',
      refuse(401, -2015, 'Invalid API-key, IP, or permissions for action.'),
      'VENUE_KEY_REFUSED',
    ],
  ])('are not to be had from %s', async (_name, reply, code) => {
    const { venue } = await scripted({ 'GET /api/v3/account': () => reply });
    await expect(venue.balances()).rejects.toMatchObject({ code });
  });
});

describe('clockOffsetMs', () => {
  test("is the venue's clock minus ours, measured once for many", async () => {
    const { venue, server } = await scripted({ 'GET /api/v3/time': () => ok({ serverTime: Date.now() + 3_600_000 }) });
    const offsets = await Promise.all([1, 2, 3].map(() => venue.clockOffsetMs()));
    for (const offset of [...offsets, await venue.clockOffsetMs()]) expect(Math.round(offset / 60_000)).toBe(60);
    expect(server.requestsTo('GET /api/v3/time')).toHaveLength(1);
  });

  test('is measured anew once the venue has refused a timestamp, and signs what follows', async () => {
    let isSlow = false;
    const { venue, server } = await scripted({
      'GET /api/v3/time': () => ok({ serverTime: Date.now() + (isSlow ? 3_600_000 : 0) }),
      'GET /api/v3/order': ({ parameters: { timestamp } }) =>
        isSlow && Number(timestamp) < Date.now() + 3_000_000
          ? refuse(400, -1021, 'Timestamp for this request is outside of the recvWindow.')
          : refuse(400, -2013, 'Order does not exist.'),
    });
    const look = () => venue.findOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' });
    expect((await look()).outcome).toBe('absent');
    isSlow = true;
    expect((await look()).outcome).toBe('unavailable');
    expect((await look()).outcome).toBe('absent');
    expect(server.requestsTo('GET /api/v3/time')).toHaveLength(2);
  });

  test('is not known while the venue has never answered, and what needs it says so', async () => {
    const { venue, server } = await scripted({ 'GET /api/v3/time': () => refuse(500, -1000, 'Unknown') });
    await expect(venue.clockOffsetMs()).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
    const order = { symbol: 'BTC/USDT', clientOrderId: 'rte-a' };
    expect(await venue.cancelOrder(order)).toMatchObject({ outcome: 'NOT_SENT' });
    expect(await venue.findOrder(order)).toMatchObject({ outcome: 'unavailable' });
    expect(server.requests.every(({ path }) => path === '/api/v3/time')).toBe(true);
  });
});

describe('the rate budget', () => {
  const withBudget = async (script: Script) => {
    const pauses: RatePause[] = [];
    const server = await startScriptedVenue(script);
    // Stands still, so that no new minute begins in the middle of a test.
    const nowMs = Date.now();
    const budget = createRateBudget({
      limits: [{ kind: 'weight', windowMs: 60_000, max: 6000 }],
      clock: { nowMs: () => nowMs, monotonicMs: () => 0 },
      onPause: (pause) => pauses.push(pause),
    });
    const venue = aVenue({ url: server.url, budget });
    keep(server);
    keep(venue);
    await venue.clockOffsetMs();
    return { server, venue, budget, pauses };
  };
  const find = (venue: Venue) => venue.findOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' });
  const exit = (venue: Venue) =>
    venue.placeOrder(
      {
        clientOrderId: 'rtx-a',
        symbol: 'BTC/USDT',
        side: 'SELL',
        orderType: 'MARKET',
        timeInForce: null,
        quantity: decimal('1'),
        limitPrice: null,
        stopPrice: null,
        signedAtMs: Date.now(),
        recvWindowMs: 3000,
      },
      'exit',
    );

  test.each([
    ['a ban', refuse(418, -1003, 'banned', { 'retry-after': '120' }), true],
    ['a throttle', refuse(429, -1003, 'Too much', { 'retry-after': '120' }), false],
    ['the firewall', { status: 403, body: '<html/>' } as const, false],
  ])('lets nothing out after %s, exits included', async (_name, reply, isBan) => {
    const { server, venue, budget, pauses } = await withBudget({ 'GET /api/v3/order': () => reply });
    await find(venue);
    const before = server.requests.length;
    expect(await exit(venue)).toMatchObject({ outcome: 'THROTTLED', retryAtMs: pauses[0]?.untilMs });
    expect(await find(venue)).toMatchObject({ outcome: 'unavailable', retryAtMs: pauses[0]?.untilMs });
    await expect(venue.balances()).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
    expect(server.requests).toHaveLength(before);
    expect(budget.bannedUntilMs()).toBe(isBan ? pauses[0]?.untilMs : null);
    expect(pauses).toHaveLength(1);
  });

  test('holds placements alone after too many orders', async () => {
    const { server, venue } = await withBudget({
      'POST /api/v3/order': () => refuse(429, -1015, 'Too many new orders'),
      'GET /api/v3/order': () => refuse(400, -2013, 'Order does not exist.'),
    });
    await exit(venue);
    await exit(venue);
    expect(server.requestsTo('POST /api/v3/order')).toHaveLength(1);
    expect((await find(venue)).outcome).toBe('absent');
  });

  test('holds entries for a while after an overload, and no exit', async () => {
    const { server, venue, pauses } = await withBudget({
      'POST /api/v3/order': () => refuse(503, -1008, 'Server is currently overloaded'),
    });
    await exit(venue);
    await exit(venue);
    expect(server.requestsTo('POST /api/v3/order')).toHaveLength(2);
    expect(pauses[0]).toMatchObject({ scope: 'entries', isBan: false });
  });

  test("learns the venue's limits and its count of what others use", async () => {
    const { server, venue } = await withBudget({
      'GET /api/v3/exchangeInfo': () => ({
        status: 200,
        headers: { 'x-mbx-used-weight-1m': '930' },
        body: {
          rateLimits: [
            { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
            { rateLimitType: 'SOMETHING_NEW', interval: 'FORTNIGHT', intervalNum: 1, limit: 1 },
          ],
          symbols: [symbolInfo('BTC', 'USDT')],
        },
      }),
      'GET /api/v3/order': () => refuse(400, -2013, 'Order does not exist.'),
    });
    await venue.filters('BTC/USDT');
    // 80 % of 1,200 are 960, and 60 % is what reports may see used.
    await expect(venue.balances()).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
    expect(server.requestsTo('GET /api/v3/account')).toHaveLength(0);
  });
});
