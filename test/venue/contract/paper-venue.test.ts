import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Decimal, decimal, sum } from '../../../src/domain/decimal.ts';
import { createPriceHub } from '../../../src/prices/price-hub.ts';
import type { FaultAction, FaultPhase } from '../../../src/simulator/faults/faults.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/server.ts';
import { createBinanceVenue } from '../../../src/venue/binance/adapter.ts';
import { createCcxtVenue } from '../../../src/venue/ccxt/adapter.ts';
import { systemClock } from '../../../src/venue/clock.ts';
import { createRateBudget } from '../../../src/venue/rate-budget.ts';
import type { MarketDataEvent, SignedOrder, UserDataEvent, Venue, VenueFill } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { anOrder as restingOrder } from '../support/paper-venue.ts';
import { aVenue, type VenueSettings } from '../support/scripted-venue.ts';
import { soon } from '../support/soon.ts';

// The adapters against the paper venue over real sockets. The two sides share no code of the dialect, so that what one of
// them gets wrong shows here.

describe.each([
  ['our own adapter', createBinanceVenue],
  ['the ccxt adapter', createCcxtVenue],
])('%s', (_adapter, create) => {
  const symbol = 'BTC/USDT';
  const keep = keepUntilTheEnd();
  let simulator: Simulator;
  let venue: Venue;

  const connect = (settings: Partial<VenueSettings> = {}): Venue => {
    return keep(aVenue({ url: simulator.url, wsUrl: simulator.wsUrl, keys: simulator.keys, create, ...settings }));
  };

  beforeEach(async () => {
    simulator = keep(
      await startSimulator({
        replay: 'manual',
        markets: [
          { symbol, price: '46000', tradeQuantity: '0.01' },
          { symbol: 'XRP/ETH', price: '0.00123', tickSize: '0.00000001', stepSize: '0.01' },
        ],
        deposits: { USDT: '100000', BTC: '1' },
      }),
    );
    venue = connect();
  });

  const anOrder = (change: Partial<SignedOrder> = {}) => restingOrder(venue, { simulator }, change);

  const market = { orderType: 'MARKET', timeInForce: null, limitPrice: null } as const;
  const plan = (path: string, method: string, phase: FaultPhase, action: FaultAction): void =>
    simulator.plan({ on: { method, path, nth: 1 }, phase, do: action });

  const total = (fills: readonly VenueFill[], of: 'quantity' | 'quoteQuantity'): Decimal =>
    sum(fills.map((fill) => fill[of]));

  describe('an order', () => {
    test('rests, is found, is listed, and is canceled', async () => {
      const order = await anOrder();
      const placed = await venue.placeOrder(order, 'entry');
      expect(placed).toMatchObject({ outcome: 'ACCEPTED', order: { report: { status: 'new', filledQuantity: '0' } } });
      expect(await venue.findOrder(order)).toMatchObject({
        outcome: 'found',
        order: { venueOrderId: placed.order?.venueOrderId, quantity: '0.01', side: 'BUY', symbol },
      });
      expect(await venue.openOrders(symbol)).toMatchObject([{ clientOrderId: order.clientOrderId }]);
      expect(await venue.openOrders()).toMatchObject([{ clientOrderId: order.clientOrderId, symbol }]);
      expect(await venue.cancelOrder(order)).toMatchObject({
        outcome: 'ACCEPTED',
        order: { clientOrderId: order.clientOrderId, report: { status: 'canceled' } },
      });
      expect(await venue.openOrders()).toEqual([]);
      expect(await venue.findOrder(order)).toMatchObject({ order: { report: { status: 'canceled' } } });
      expect(await venue.cancelOrder(order)).toMatchObject({ outcome: 'UNKNOWN', venueCode: -2011 });
      const since = await venue.ordersSince(symbol, order.signedAtMs - 1000);
      expect(since.map(({ clientOrderId }) => clientOrderId)).toEqual([order.clientOrderId]);
    });

    test('fills at once, and says the same about its fills in every way there is to ask', async () => {
      const events: UserDataEvent[] = [];
      venue.streamUserData((event) => events.push(event));
      await soon(() => expect(events).toContainEqual({ type: 'connected' }));

      const order = await anOrder({ ...market, quantity: decimal('0.9') });
      const { outcome, order: placed } = await venue.placeOrder(order, 'entry');
      expect(outcome).toBe('ACCEPTED');
      if (placed === undefined) throw new Error('accepted orders are there');
      expect(placed.report).toMatchObject({ status: 'filled', filledQuantity: '0.9' });
      // More than one price of the book, so that the sums mean something.
      expect(placed.fills.length).toBeGreaterThan(1);
      expect(total(placed.fills, 'quantity')).toBe('0.9');
      expect(total(placed.fills, 'quoteQuantity')).toBe(placed.report.filledQuote);

      const listed = await venue.fillsOf({ symbol, venueOrderId: placed.venueOrderId });
      expect(listed).toEqual(placed.fills);
      const streamed = () => events.flatMap((event) => (event.type === 'order' ? event.order.fills : []));
      await soon(() => expect(streamed()).toHaveLength(placed.fills.length));
      expect(streamed()).toEqual(placed.fills);
      expect(await venue.findOrder(order)).toMatchObject({ order: { report: placed.report } });
    });

    test('in a pair of fine prices says the same about its fills, too', async () => {
      simulator.exchange.changeBalance('ETH', decimal('10'), 'deposit');
      const order = await anOrder({ ...market, symbol: 'XRP/ETH', quantity: decimal('77.77') });
      const { order: placed } = await venue.placeOrder(order, 'entry');
      expect(placed?.report.status).toBe('filled');
      const listed = await venue.fillsOf({ symbol: 'XRP/ETH', venueOrderId: placed?.venueOrderId ?? '' });
      expect(total(listed, 'quantity')).toBe('77.77');
      for (const fill of placed?.fills ?? []) expect(listed).toContainEqual(fill);
    });

    test.each([
      ['too small a quantity', { quantity: decimal('0.00000001') }, 'REJECTED', -1013],
      ['more than the balance', { quantity: decimal('5'), limitPrice: decimal('45000') }, 'REJECTED', -2010],
      ['a symbol nobody trades', { symbol: 'AAA/BBB' }, 'REJECTED', -1121],
      ['a timestamp that is over', { signedAtMs: Date.now() - 60_000 }, 'NOT_SENT', -1021],
    ] as const)('with %s is refused', async (_name, change, outcome, venueCode) => {
      expect(await venue.placeOrder(await anOrder(change), 'entry')).toMatchObject({ outcome, venueCode });
      expect(await venue.openOrders()).toEqual([]);
    });

    test('sent again while it is open is in doubt, and not there twice', async () => {
      const order = await anOrder();
      await venue.placeOrder(order, 'entry');
      expect(await venue.placeOrder(order, 'entry')).toMatchObject({ outcome: 'UNKNOWN', venueCode: -2010 });
      expect(await venue.openOrders()).toHaveLength(1);
    });

    test('that adds risk goes itself where it would trade with an exit of ours', async () => {
      const exit = await anOrder({ side: 'SELL', limitPrice: decimal('46000') });
      await venue.placeOrder(exit, 'exit');
      expect(await venue.placeOrder(await anOrder({ ...market, quantity: decimal('0.05') }), 'entry')).toMatchObject({
        outcome: 'ACCEPTED',
        order: { report: { status: 'expired' } },
      });
      expect(await venue.openOrders()).toMatchObject([{ clientOrderId: exit.clientOrderId }]);
    });

    test('that is an exit gets through, and an entry of ours in its way goes', async () => {
      await venue.placeOrder(await anOrder({ limitPrice: decimal('45999.99') }), 'entry');
      expect(await venue.placeOrder(await anOrder({ ...market, side: 'SELL' }), 'exit')).toMatchObject({
        outcome: 'ACCEPTED',
        order: { report: { status: 'filled' } },
      });
      expect(await venue.openOrders()).toEqual([]);
    });

    test('with a key that is wrong halts the venue', async () => {
      const stranger = connect({ keys: { ...simulator.keys, apiSecret: 'wrong' } });
      expect(await stranger.placeOrder(await anOrder(), 'entry')).toMatchObject({
        outcome: 'FATAL_CONFIG',
        venueCode: -1022,
      });
      const nobody = connect({ keys: { apiKey: 'nobody', apiSecret: 'wrong' } });
      expect(await nobody.placeOrder(await anOrder(), 'entry')).toMatchObject({ outcome: 'FATAL_CONFIG' });
    });
  });

  describe('an answer that is lost', () => {
    const faults: readonly (readonly [name: string, phase: FaultPhase, action: FaultAction])[] = [
      ['dropped', 'after_accept', { action: 'drop' }],
      ['reset', 'after_match', { action: 'reset' }],
      ['too late', 'before_response', { action: 'hang' }],
      ['cut in half', 'mid_response', { action: 'truncate', bytes: 40 }],
      ['garbage', 'before_response', { action: 'garbage' }],
      ['504 -1007', 'before_response', { action: 'status', code: 504, body: { code: -1007, msg: 'Timeout' } }],
      ['503 -1008', 'before_response', { action: 'status', code: 503, body: { code: -1008, msg: 'Overloaded' } }],
      ['502 with a page', 'before_response', { action: 'status', code: 502, body: '<html/>' }],
    ];
    test.each(faults)('(%s) leaves the order in doubt, and a look-up finds it', async (_name, phase, action) => {
      const impatient = connect({ requestTimeoutMs: 500 });
      const order = await anOrder();
      plan('/api/v3/order', 'POST', phase, action);
      expect((await impatient.placeOrder(order, 'entry')).outcome).toBe('UNKNOWN');
      expect(await impatient.findOrder(order)).toMatchObject({ outcome: 'found' });
      expect(await impatient.openOrders()).toHaveLength(1);
    });

    test('before the order was accepted leaves it in doubt all the same, and absent', async () => {
      const order = await anOrder();
      plan('/api/v3/order', 'POST', 'before_accept', { action: 'drop' });
      expect((await venue.placeOrder(order, 'entry')).outcome).toBe('UNKNOWN');
      expect(await venue.findOrder(order)).toEqual({ outcome: 'absent' });
    });

    test('to a cancel leaves the order in doubt, and a look-up tells', async () => {
      const order = await anOrder();
      await venue.placeOrder(order, 'entry');
      plan('/api/v3/order', 'DELETE', 'before_response', { action: 'drop' });
      expect((await venue.cancelOrder(order)).outcome).toBe('UNKNOWN');
      expect(await venue.findOrder(order)).toMatchObject({ order: { report: { status: 'canceled' } } });
    });

    test('is absent from a look-up that lags', async () => {
      const order = await anOrder();
      await venue.placeOrder(order, 'entry');
      plan('/api/v3/order', 'GET', 'before_response', { action: 'lagQuery', ms: 60_000 });
      expect(await venue.findOrder(order)).toEqual({ outcome: 'absent' });
      expect(await venue.findOrder(order)).toMatchObject({ outcome: 'found' });
    });
  });

  describe('reads', () => {
    test('give balances, filters, trades and the time', async () => {
      expect(await venue.balances()).toContainEqual({ asset: 'USDT', free: '100000', locked: '0' });
      expect(await venue.filters(symbol)).toMatchObject({
        symbol,
        baseAsset: 'BTC',
        tickSize: '0.01',
        stepSize: '0.00001',
      });
      await expect(venue.filters('AAA/BBB')).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
      simulator.tick({ symbol, price: '46001' }, { symbol, price: '46002' });
      const [latest] = await venue.marketTrades(symbol, null, 1);
      expect(latest).toMatchObject({ symbol, price: '46002' });
      const lastId = latest?.venueTradeId ?? 0;
      const after = await venue.marketTrades(symbol, lastId - 2, 1000);
      expect(after.map(({ venueTradeId, price }) => [venueTradeId, price])).toEqual([
        [lastId - 1, '46001'],
        [lastId, '46002'],
      ]);
      expect(Math.abs(await venue.clockOffsetMs())).toBeLessThan(1000);
    });

    test("follow the venue's clock when it is wrong", async () => {
      simulator.clock.shift(3_600_000);
      const early = connect();
      expect(await early.clockOffsetMs()).toBeGreaterThan(3_590_000);
      expect(await early.findOrder(await anOrder())).toEqual({ outcome: 'absent' });
      // The first adapter measured before the clock jumped: it is refused once and then knows.
      await venue.openOrders().catch(() => undefined);
      expect(await venue.openOrders()).toEqual([]);
    });
  });

  describe('the account stream', () => {
    test('reports fills of resting orders, cancels and balances', async () => {
      const events: UserDataEvent[] = [];
      venue.streamUserData((event) => events.push(event));
      await soon(() => expect(events).toContainEqual({ type: 'connected' }));
      const order = await anOrder({ quantity: decimal('0.02') });
      await venue.placeOrder(order, 'entry');
      simulator.tick({ symbol, price: '45000', quantity: '0.005' });
      const reports = () => events.flatMap((event) => (event.type === 'order' ? [event.order] : []));
      await soon(() => expect(reports()).toHaveLength(2));
      expect(reports()[1]).toMatchObject({
        clientOrderId: order.clientOrderId,
        report: { status: 'partiallyFilled', filledQuantity: '0.005', filledQuote: '225' },
        fills: [{ quantity: '0.005', price: '45000', isMaker: true }],
      });
      await venue.cancelOrder(order);
      await soon(() => expect(reports()).toHaveLength(3));
      expect(reports()[2]).toMatchObject({
        clientOrderId: order.clientOrderId,
        report: { status: 'canceled', filledQuantity: '0.005' },
        fills: [],
      });
      expect(events.filter(({ type }) => type === 'balances').length).toBeGreaterThan(0);
    });

    test('comes back after a cut, and says so', async () => {
      const events: UserDataEvent[] = [];
      simulator.plan({
        on: { path: '/ws-api/v3', match: { e: 'executionReport' }, nth: 1 },
        phase: 'stream',
        do: { action: 'close', code: 1008 },
      });
      venue.streamUserData((event) => events.push(event));
      await soon(() => expect(events).toContainEqual({ type: 'connected' }));
      await venue.placeOrder(await anOrder(), 'entry');
      const types = () => events.map(({ type }) => type).filter((type) => type !== 'balances');
      await soon(() => expect(types()).toEqual(['connected', 'disconnected', 'connected']));
      await venue.placeOrder(await anOrder(), 'entry');
      await soon(() => expect(types().at(-1)).toBe('order'));
    });
  });

  describe('prices', () => {
    const aHub = () => {
      return keep(
        createPriceHub({
          venue,
          clock: systemClock,
          logger: pino({ level: 'silent' }),
          timings: { settleMs: 5, pollMs: 50, quietMs: 150, staleMs: 300 },
        }),
      );
    };
    const streaming = async (hub: ReturnType<typeof aHub>): Promise<number[]> => {
      const seen: number[] = [];
      const connected: MarketDataEvent[] = [];
      venue.streamMarket([symbol], (event) => connected.push(event));
      hub.watch(symbol, ({ venueTradeId }) => seen.push(venueTradeId));
      await soon(() => expect(seen).toHaveLength(1));
      await soon(() => expect(connected[0]).toEqual({ type: 'connected' }));
      await soon(() => expect(hub.latest(symbol)?.streamAgeMs).toBeLessThan(50));
      return seen;
    };

    test('come through the stream, and bad ones do not', async () => {
      const hub = aHub();
      const seen = await streaming(hub);
      simulator.sendRaw('{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":99,"p":"NaN","q":"1","T":1}}');
      simulator.sendRaw('{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":99,"p":"0","q":"1","T":1}}');
      simulator.tick({ symbol, price: '46010' });
      await soon(() => expect(hub.latest(symbol)?.price).toBe('46010'));
      expect(hub.stats().malformed).toBe(2);
      expect(seen).toEqual([1, 2]);
    });

    test.each<[string, FaultAction]>([
      ['lost', { action: 'drop' }],
      ['repeated', { action: 'dup' }],
      ['garbled', { action: 'garbage' }],
      ['cut off', { action: 'close', code: 1001 }],
      ['reordered', { action: 'reorder', frames: 2 }],
    ])('are complete after a frame was %s', async (_name, action) => {
      const hub = aHub();
      const seen = await streaming(hub);
      simulator.plan({ on: { path: '/stream', match: { e: 'trade' }, nth: 3 }, phase: 'stream', do: action });
      for (let i = 0; i < 6; i += 1) simulator.tick({ symbol, price: `4601${i}` });
      await soon(() => expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]));
      expect(hub.latest(symbol)?.price).toBe('46015');
    });
  });

  test("a ban by the venue is kept to by the budget that the worker's venues share", async () => {
    const budget = createRateBudget({
      limits: [{ kind: 'weight', windowMs: 60_000, max: 6000 }],
      clock: systemClock,
    });
    const banned = connect({ budget });
    await banned.clockOffsetMs();
    plan('/api/v3/order', 'GET', 'before_auth', {
      action: 'status',
      code: 418,
      body: { code: -1003, msg: `Way too much request weight used; IP banned until ${Date.now() + 60_000}.` },
    });
    await banned.findOrder(await anOrder());
    expect(budget.bannedUntilMs()).toBeGreaterThan(Date.now() + 50_000);
    const before = simulator.requests().length;
    expect(await banned.placeOrder(await anOrder(), 'exit')).toMatchObject({ outcome: 'THROTTLED' });
    expect(simulator.requests()).toHaveLength(before);
  });
});
