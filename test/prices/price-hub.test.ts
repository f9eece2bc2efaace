import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import type { WatchedTrade } from '../../src/prices/audience.ts';
import { createPriceHub, type PriceHub, type PriceHubEvent } from '../../src/prices/price-hub.ts';
import { systemClock } from '../../src/venue/clock.ts';
import { type FakeMarket, fakeMarket } from './fake-market.ts';

const symbol = 'BTC/USDT';
let hubs: PriceHub[] = [];

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.close()));
  hubs = [];
  vi.useRealTimers();
});

function aHub(market: FakeMarket = fakeMarket()) {
  const events: PriceHubEvent[] = [];
  const hub = createPriceHub({
    venue: market.venue,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    onEvent: (event) => events.push(event),
  });
  hubs.push(hub);
  const told = (type: PriceHubEvent['type']) => events.filter((event) => event.type === type);
  return { market, hub, events, told };
}

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Time passes, and the stream goes on being heard. */
async function pass(market: FakeMarket, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    market.beat();
    await settle(1000);
  }
}

/** A hub whose stream is up, with a watcher and a first price, 100, of trade 1. */
async function aWatchedHub() {
  const { market, hub, events, told } = aHub();
  market.tradeUnseen(symbol, '100');
  const seen: WatchedTrade[] = [];
  const stop = hub.watch(symbol, (trade) => seen.push(trade));
  await settle();
  const ids = () => seen.map(({ venueTradeId, late }) => (late ? `late ${venueTradeId}` : String(venueTradeId)));
  return { market, hub, events, told, seen, ids, stop };
}

describe('watch', () => {
  test('brings the present price at once and then every trade', async () => {
    const { market, ids, seen } = await aWatchedHub();
    expect(ids()).toEqual(['1']);
    market.trade(symbol, '101', '102');
    expect(ids()).toEqual(['1', '2', '3']);
    expect(seen.at(-1)).toMatchObject({ symbol, price: '102', late: false });
  });

  test('brings the present price at once although the market is quiet and others know it already', async () => {
    const { market, hub } = await aWatchedHub();
    market.trade(symbol, '94');
    const seen: WatchedTrade[] = [];
    hub.watch(symbol, (trade) => seen.push(trade));
    expect(seen).toMatchObject([{ venueTradeId: 2, price: '94', late: false }]);
  });

  test('ends when it is stopped', async () => {
    const { market, ids, stop } = await aWatchedHub();
    stop();
    market.trade(symbol, '101');
    await settle();
    expect(ids()).toEqual(['1']);
  });

  test('serves many with one connection', async () => {
    const { market, hub } = aHub();
    const watched = ['BTC/USDT', 'ETH/USDT', 'XRP/ETH'];
    for (const each of watched) for (let i = 0; i < 100; i += 1) hub.watch(each, () => undefined);
    await settle();
    expect(market.connections.map(({ symbols }) => symbols)).toEqual([watched]);
  });

  test('of another symbol goes over to a new connection without a gap', async () => {
    const { market, hub, ids } = await aWatchedHub();
    market.world.connects = false;
    hub.watch('ETH/USDT', () => undefined);
    await settle();
    market.trade(symbol, '101');
    expect(ids()).toEqual(['1', '2']);
    market.connections[1]?.send({ type: 'connected' });
    market.trade(symbol, '102');
    expect(ids()).toEqual(['1', '2', '3']);
    expect(market.openConnections().map(({ symbols }) => symbols)).toEqual([[symbol, 'ETH/USDT']]);
  });

  test('from behind a trade brings what came after it', async () => {
    const { market, hub, ids } = await aWatchedHub();
    market.trade(symbol, '101', '102', '103');
    const later: string[] = [];
    hub.watch(symbol, ({ venueTradeId, late }) => later.push(late ? `late ${venueTradeId}` : `${venueTradeId}`), 2);
    await settle();
    market.trade(symbol, '104');
    expect(later).toEqual(['4', 'late 3', '5']);
    expect(ids()).toEqual(['1', '2', '3', '4', '5']);
  });

  test('from behind a trade, on a hub without a price yet, brings the live price first', async () => {
    const { market, hub } = aHub();
    market.tradeUnseen(symbol, ...Array.from({ length: 2500 }, () => '100'));
    const seen: number[] = [];
    hub.watch(symbol, ({ venueTradeId }) => seen.push(venueTradeId), 100);
    await settle();
    expect(seen[0]).toBe(2500);
    expect(seen.slice(1)).toEqual(Array.from({ length: 2399 }, (_, i) => 101 + i));
  });
});

describe('F70: a gap', () => {
  test('lets the live price through at once; the missing trades follow, oldest first', async () => {
    const { market, ids, told, hub } = await aWatchedHub();
    market.tradeUnseen(symbol, '101', '102', '103');
    market.trade(symbol, '104');
    expect(ids()).toEqual(['1', '5']);
    expect(told('gap')).toEqual([{ type: 'gap', symbol, fromTradeId: 2, toTradeId: 4 }]);
    await settle();
    expect(ids()).toEqual(['1', '5', 'late 2', 'late 3', 'late 4']);
    expect(hub.stats()).toMatchObject({ gaps: 1, late: 3, missing: 0 });
  });

  test('is asked for until the venue answers', async () => {
    const { market, ids } = await aWatchedHub();
    market.tradeUnseen(symbol, '101');
    market.world.answers = false;
    market.trade(symbol, '102');
    await pass(market, 5000);
    expect(ids()).toEqual(['1', '3']);
    market.world.answers = true;
    await pass(market, 2000);
    expect(ids()).toEqual(['1', '3', 'late 2']);
  });

  test('that the venue can not fill either is counted and left', async () => {
    const { market, ids, hub } = await aWatchedHub();
    const lost = market.tradeUnseen(symbol, '101', '102', '103');
    market.marketTrades.mockImplementation(async () => lost.slice(1, 2));
    market.trade(symbol, '104');
    await settle();
    market.marketTrades.mockImplementation(async () => []);
    await pass(market, 3000);
    expect(ids()).toEqual(['1', '5', 'late 3']);
    expect(hub.stats().missing).toBe(2);
  });

  test('is asked for again when the list lags behind the stream', async () => {
    const { market, ids, hub } = await aWatchedHub();
    market.tradeUnseen(symbol, '101', '102');
    market.marketTrades.mockImplementationOnce(async () => []).mockImplementationOnce(async () => []);
    market.trade(symbol, '103');
    await pass(market, 3000);
    expect(ids()).toEqual(['1', '4', 'late 2', 'late 3']);
    expect(hub.stats()).toMatchObject({ gaps: 1, late: 2, missing: 0 });
  });

  test('of a reconnect is closed even when the market is quiet after it', async () => {
    const { market, ids, hub } = await aWatchedHub();
    market.broadcast({ type: 'disconnected', detail: 'test' });
    market.tradeUnseen(symbol, '101', '102', '103');
    market.broadcast({ type: 'connected' });
    await settle();
    expect(ids()).toEqual(['1', '4', 'late 2', 'late 3']);
    expect(hub.stats().disconnects).toBe(1);
  });

  test('longer than a page is filled page by page', async () => {
    const { market, seen } = await aWatchedHub();
    market.tradeUnseen(symbol, ...Array.from({ length: 3200 }, () => '101'));
    market.trade(symbol, '102');
    await settle();
    expect(seen).toHaveLength(3202);
    expect(seen.slice(2).map(({ venueTradeId }) => venueTradeId)).toEqual(
      Array.from({ length: 3200 }, (_, i) => i + 2),
    );
  });
});

test('a watcher that is ahead of the hub is not told again what it knows, unless the venue counts anew', async () => {
  const { market, hub } = await aWatchedHub();
  const ahead: number[] = [];
  hub.watch(symbol, ({ venueTradeId }) => ahead.push(venueTradeId), 3);
  market.trade(symbol, '101', '102', '103');
  expect(ahead).toEqual([4]);
  market.reset(symbol);
  market.trade(symbol, '50');
  await pass(market, 12_000);
  market.trade(symbol, '51');
  expect(ahead).toEqual([4, 1, 2]);
});

test('a connection that was replaced is not heard any more', async () => {
  const { market, hub, ids } = await aWatchedHub();
  hub.subscribe('ETH/USDT');
  await settle();
  const [old] = market.connections;
  const [trade] = market.tradeUnseen(symbol, '101');
  old?.send({ type: 'trade', trade: trade ?? expect.unreachable() });
  old?.send({ type: 'disconnected', detail: 'closed' });
  expect(ids()).toEqual(['1']);
  expect(hub.stats().disconnects).toBe(0);
});

test('F71: duplicates and trades that were overtaken are dropped and counted', async () => {
  const { market, hub, ids, told } = await aWatchedHub();
  const [second, third] = market.tradeUnseen(symbol, '101', '102');
  if (second === undefined || third === undefined) throw new Error('two trades');
  for (const trade of [third, second, third, third]) market.stream(trade);
  await settle();
  expect(ids()).toEqual(['1', '3', 'late 2']);
  expect(hub.stats()).toMatchObject({ duplicates: 3, trades: 3 });
  expect(told('outOfSequence')).toEqual([{ type: 'outOfSequence', symbol, venueTradeId: 2, price: '101' }]);
});

test('a known trade that comes again with another price moves nothing and is told', async () => {
  const { market, ids, told } = await aWatchedHub();
  market.trade(symbol, '101');
  market.stream({ symbol, venueTradeId: 2, price: decimal('50'), quantity: decimal('1'), tradedAtMs: 2 });
  expect(ids()).toEqual(['1', '2']);
  expect(told('outOfSequence')).toEqual([{ type: 'outOfSequence', symbol, venueTradeId: 2, price: '50' }]);
});

test('a message that is no price moves nothing and is counted', async () => {
  const { market, hub, ids, told } = await aWatchedHub();
  market.broadcast({ type: 'malformed', detail: 'p: NaN' });
  expect(ids()).toEqual(['1']);
  expect(hub.latest(symbol)?.price).toBe('100');
  expect(hub.stats().malformed).toBe(1);
  expect(told('quarantined')).toEqual([{ type: 'quarantined', detail: 'p: NaN' }]);
});

test('a venue that counts anew is followed', async () => {
  const { market, hub, ids, told } = await aWatchedHub();
  market.trade(symbol, '101', '102');
  market.reset(symbol);
  market.trade(symbol, '50');
  expect(hub.latest(symbol)?.price).toBe('102');
  await pass(market, 12_000);
  expect(told('restarted')).toHaveLength(1);
  expect(hub.latest(symbol)).toMatchObject({ price: '50', venueTradeId: 1 });
  market.trade(symbol, '51');
  expect(ids()).toEqual(['1', '2', '3', '1', '2']);
});

test('a list that lags behind the stream is not taken for a venue that counts anew', async () => {
  const { market, hub, ids, told } = await aWatchedHub();
  const old = market.tradeUnseen(symbol, '101');
  market.stream(old[0] ?? expect.unreachable());
  market.trade(symbol, '102');
  market.marketTrades.mockImplementation(async () => old);
  await pass(market, 12_000);
  expect(told('restarted')).toEqual([]);
  expect(hub.latest(symbol)?.price).toBe('102');
  expect(ids()).toEqual(['1', '2', '3']);
});

describe('F69: staleness', () => {
  test('begins when nothing was heard for more than five seconds, and ends with anything', async () => {
    const { market, hub, told } = await aWatchedHub();
    market.world.answers = false;
    market.beat();
    await settle(5000);
    expect(told('stale')).toHaveLength(0);
    await settle(500);
    expect(told('stale')).toHaveLength(1);
    expect(hub.stats().isStale).toBe(true);
    expect(hub.latest(symbol)?.streamAgeMs).toBeGreaterThan(5000);
    market.beat();
    expect(told('recovered')).toHaveLength(1);
    expect(hub.latest(symbol)?.streamAgeMs).toBe(0);
  });

  test('does not come of a quiet market', async () => {
    const { market, hub, told } = await aWatchedHub();
    await pass(market, 3_600_000);
    expect(told('stale')).toEqual([]);
    expect(hub.latest(symbol)).toMatchObject({ price: '100' });
    expect(hub.latest(symbol)?.streamAgeMs).toBeLessThanOrEqual(1000);
  });

  test.each([
    [
      'a connection that is down',
      (market: FakeMarket) => market.broadcast({ type: 'disconnected', detail: 'test' }),
      1000,
    ],
    ['a connection that is silent', () => undefined, 6000],
  ])('of %s turns to polling every second, which brings every trade in order', async (_name, end, withinMs) => {
    const { market, hub, ids } = await aWatchedHub();
    end(market);
    await settle(withinMs);
    const polls = market.marketTrades.mock.calls.length;
    market.tradeUnseen(symbol, '101', '102', '103');
    await settle(1000);
    expect(ids()).toEqual(['1', '4', 'late 2', 'late 3']);
    await settle(9000);
    const asked = market.marketTrades.mock.calls.slice(polls);
    expect(asked).toHaveLength(10);
    // Not behind entries: guards see by nothing else.
    expect(asked.map((call) => call[3])).toEqual(asked.map(() => 'cancel'));
    expect(hub.latest(symbol)?.streamAgeMs).toBeLessThanOrEqual(1000);
  });

  test('ends polling when the stream is back', async () => {
    const { market } = await aWatchedHub();
    market.broadcast({ type: 'disconnected', detail: 'test' });
    await settle(8000);
    market.broadcast({ type: 'connected' });
    await settle(100);
    const polls = market.marketTrades.mock.calls.length;
    await pass(market, 8000);
    expect(market.marketTrades.mock.calls.length).toBe(polls);
  });

  test('polls several symbols in turn', async () => {
    const { market, hub } = aHub();
    for (const each of ['A/B', 'C/D', 'E/F']) hub.subscribe(each);
    await settle();
    market.broadcast({ type: 'disconnected', detail: 'test' });
    await settle(6000);
    market.marketTrades.mockClear();
    await settle(6000);
    const asked = market.marketTrades.mock.calls.map(([each]) => each);
    expect(asked).toHaveLength(6);
    for (const each of ['A/B', 'C/D', 'E/F']) expect(asked.filter((one) => one === each)).toHaveLength(2);
  });

  test('does not end with a connection alone: what was missed before it must be known first', async () => {
    const { market, hub } = await aWatchedHub();
    market.world.answers = false;
    market.broadcast({ type: 'disconnected', detail: 'test' });
    market.tradeUnseen(symbol, '50');
    await settle(60_000);
    market.broadcast({ type: 'connected' });
    market.beat();
    await settle();
    expect(hub.latest(symbol)).toMatchObject({ price: '100' });
    expect(hub.latest(symbol)?.streamAgeMs).toBeGreaterThan(60_000);
    market.world.answers = true;
    await pass(market, 2000);
    expect(hub.latest(symbol)).toMatchObject({ price: '50' });
    expect(hub.latest(symbol)?.streamAgeMs).toBeLessThan(2000);
  });

  test('is not claimed of a symbol that the connection does not carry yet', async () => {
    const { market, hub } = await aWatchedHub();
    market.world.connects = false;
    market.tradeUnseen('ETH/USDT', '7');
    hub.subscribe('ETH/USDT');
    await settle(4000);
    market.beat();
    expect(hub.latest(symbol)?.streamAgeMs).toBe(0);
    expect(hub.latest('ETH/USDT')?.streamAgeMs).toBeGreaterThanOrEqual(4000);
  });
});

test('a stream that is up and loses a symbol is found out and replaced', async () => {
  const { market, hub, ids } = await aWatchedHub();
  for (let i = 0; i < 4; i += 1) {
    market.tradeUnseen(symbol, '101');
    await pass(market, 10_000);
  }
  expect(ids()[1]).toBe('2');
  expect(market.connections.length).toBeGreaterThan(1);
  expect(market.openConnections()).toHaveLength(1);
  expect(hub.latest(symbol)?.venueTradeId).toBe(5);
});

describe('awaitPrice', () => {
  test('asks the venue for a symbol that is new', async () => {
    const { market, hub } = aHub();
    market.world.connects = false;
    market.tradeUnseen(symbol, '100', '101');
    expect(await hub.awaitPrice(symbol, 1000)).toMatchObject({ price: '101', venueTradeId: 2, streamAgeMs: 0 });
    expect(market.marketTrades).toHaveBeenCalledTimes(1);
  });

  test('answers at once while the price is fresh', async () => {
    const { market, hub } = await aWatchedHub();
    const asked = market.marketTrades.mock.calls.length;
    expect(await hub.awaitPrice(symbol, 0)).toMatchObject({ price: '100' });
    expect(market.marketTrades.mock.calls.length).toBe(asked);
  });

  test('asks again for a price that has become stale', async () => {
    const { market, hub } = await aWatchedHub();
    market.world.answers = false;
    await settle(20_000);
    market.world.answers = true;
    market.tradeUnseen(symbol, '90');
    expect(await hub.awaitPrice(symbol, 1000)).toMatchObject({ price: '90', streamAgeMs: 0 });
  });

  test.each(['AAA/BBB', 'BTCUSDT'])(
    'gives up at once on %s, which the venue does not know, and forgets it',
    async (unknown) => {
      const { market, hub } = await aWatchedHub();
      market.marketTrades.mockRejectedValue(new RatchetError('SYMBOL_UNKNOWN', { symbol: unknown }));
      expect(await hub.awaitPrice(unknown, 1_000_000)).toBeNull();
      await settle();
      expect(hub.stats().symbols).toBe(1);
      expect(market.connections.map(({ symbols }) => symbols)).toEqual([[symbol]]);
    },
  );

  test.each([
    ['does not answer', false],
    ['has no trades', true],
  ])('has nothing to say when the venue %s', async (_name, answers) => {
    const { market, hub } = aHub();
    market.world.answers = answers;
    const answer = hub.awaitPrice(symbol, 1000);
    await settle(1000);
    expect(await answer).toBeNull();
  });
});

test('F71: whatever the stream loses, repeats and reorders, every trade comes once, and live prices only go forward', async () => {
  const delivery = fc.array(fc.record({ lost: fc.boolean(), repeats: fc.nat(2), held: fc.nat(3) }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(delivery, async (plan) => {
      const { market, hub, seen } = await aWatchedHub();
      const held: (() => void)[] = [];
      for (const { lost, repeats, held: heldBack } of plan) {
        const [trade] = market.tradeUnseen(symbol, '100');
        if (trade === undefined || lost) continue;
        for (let i = 0; i <= repeats; i += 1) {
          const bring = () => market.stream(trade);
          if (heldBack > 0) held.push(bring);
          else bring();
        }
        while (held.length > heldBack) held.shift()?.();
        await settle(10);
      }
      market.trade(symbol, '100');
      await settle();
      const ids = seen.map(({ venueTradeId }) => venueTradeId);
      expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: plan.length + 2 }, (_, i) => i + 1));
      const live = seen.filter(({ late }) => !late).map(({ venueTradeId }) => venueTradeId);
      expect(live).toEqual([...live].sort((a, b) => a - b));
      await hub.close();
    }),
    { numRuns: 50 },
  );
});
