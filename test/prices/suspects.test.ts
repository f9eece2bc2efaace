import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Decimal, decimal, multiply } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';
import { openTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import { createPriceHub, type PriceHub, type PriceHubEvent } from '../../src/prices/price-hub.ts';
import { createSymbolEyes } from '../../src/prices/symbol-eyes.ts';
import { systemClock } from '../../src/venue/clock.ts';
import type { MarketTrade } from '../../src/venue/venue.ts';
import { type FakeMarket, fakeMarket } from './fake-market.ts';

// Trades of the stream that parse and may yet be wrong. Nobody is shown one before the venue's own list, or the next
// trade, has said the same; the list is what is true.

const symbol = 'BTC/USDT';
let hubs: PriceHub[] = [];

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.close()));
  hubs = [];
  vi.useRealTimers();
});

const settle = (ms = 100): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A hub whose stream is up, with a watcher and a first price, 100, of trade 1. */
async function aWatchedHub(market: FakeMarket = fakeMarket()) {
  const events: PriceHubEvent[] = [];
  const logger = pino({ level: 'silent' });
  const hub = createPriceHub({ venue: market.venue, clock: systemClock, logger, onEvent: (each) => events.push(each) });
  hubs.push(hub);
  market.tradeUnseen(symbol, '100');
  const seen: string[] = [];
  hub.watch(symbol, ({ venueTradeId, price, late }) => seen.push(`${late ? 'late ' : ''}${venueTradeId} at ${price}`));
  await settle();
  const told = (type: PriceHubEvent['type']) => events.filter((event) => event.type === type);
  return { market, hub, seen, told };
}

/** The next trade, as the stream tells it and as the venue's list has it. */
function tradeToldAs(market: FakeMarket, told: string, truth: string): MarketTrade {
  const [trade] = market.tradeUnseen(symbol, truth);
  if (trade === undefined) throw new Error('a trade');
  market.stream({ ...trade, price: decimal(told) });
  return trade;
}

describe('F72: one bad tick', () => {
  test.each([
    ['ten times the last', '1000'],
    ['a hundredth of the last', '1'],
    ['a decimal shift', '10.0'],
    ['just beyond the limit up', '110.01'],
    ['just beyond the limit down', '89.99'],
  ])('of %s is never shown; the true one is, and the bad one is counted', async (_name, told) => {
    const { market, hub, seen, told: events } = await aWatchedHub();
    tradeToldAs(market, told, '101');
    expect(seen).toEqual(['1 at 100']);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 0 });
    await settle();
    expect(seen).toEqual(['1 at 100', '2 at 101']);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 1 });
    const of = { symbol, venueTradeId: 2, price: decimal(told) };
    expect(events('suspect')).toEqual([{ type: 'suspect', lastPrice: '100', ...of }]);
    expect(events('contradicted')).toEqual([{ type: 'contradicted', venuePrice: '101', ...of }]);
  });

  test('with an id that the venue does not have is set aside once its list has had time to catch up', async () => {
    const { market, hub, seen, told } = await aWatchedHub();
    market.stream({ symbol, venueTradeId: 2, price: decimal('1000'), quantity: decimal('1'), tradedAtMs: 2 });
    await settle(500);
    expect(told('contradicted')).toEqual([]);
    await settle(3000);
    expect(told('contradicted')).toMatchObject([{ venueTradeId: 2, venuePrice: null }]);
    market.trade(symbol, '101');
    expect(seen).toEqual(['1 at 100', '2 at 101']);
    expect(hub.latest(symbol)?.price).toBe('101');
  });

  test('before any other price is not believed either', async () => {
    const market = fakeMarket();
    market.world.answers = false;
    const { hub, seen } = await aWatchedHub(market);
    tradeToldAs(market, '1000', '100');
    await settle(3000);
    expect(seen).toEqual([]);
    market.world.answers = true;
    await settle(3000);
    expect(seen.at(0)).toBe('2 at 100');
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 1 });
  });

  test('and another one that says something else confirm nothing', async () => {
    const { market, hub, seen } = await aWatchedHub();
    market.world.answers = false;
    tradeToldAs(market, '1000', '100.5');
    tradeToldAs(market, '1', '101');
    await settle(5000);
    expect(seen).toEqual(['1 at 100']);
    market.world.answers = true;
    await settle(2000);
    expect(seen).toEqual(['1 at 100', '3 at 101', 'late 2 at 100.5']);
    expect(hub.stats()).toMatchObject({ suspects: 2, contradicted: 2 });
  });

  test('while the venue does not answer does not keep the good ones after it from counting', async () => {
    const { market, hub, seen } = await aWatchedHub();
    market.world.answers = false;
    tradeToldAs(market, '1000', '100.5');
    market.trade(symbol, '101', '102');
    expect(seen).toEqual(['1 at 100', '3 at 101', '4 at 102']);
    expect(await hub.awaitPrice(symbol, 0)).toMatchObject({ price: '102' });
    market.world.answers = true;
    await settle(3000);
    expect(seen.slice(3)).toEqual(['late 2 at 100.5']);
    expect(hub.stats().contradicted).toBe(1);
  });

  test('is not borne out by another one like it when a good one came between them', async () => {
    const { market, hub, seen } = await aWatchedHub();
    market.world.answers = false;
    tradeToldAs(market, '1000', '80');
    market.trade(symbol, '80');
    tradeToldAs(market, '1000', '80');
    expect(seen).toEqual(['1 at 100']);
    market.world.answers = true;
    await settle(1000);
    expect(seen).toEqual(['1 at 100', '4 at 80', 'late 2 at 80', 'late 3 at 80']);
    expect(hub.stats()).toMatchObject({ suspects: 3, contradicted: 2 });
  });

  test('repeated many times over is one suspect and one question at a time', async () => {
    const { market, hub, seen } = await aWatchedHub();
    market.marketTrades.mockClear();
    const [trade] = market.tradeUnseen(symbol, '101');
    for (let i = 0; i < 100; i += 1) market.stream({ ...(trade as MarketTrade), price: decimal('1000') });
    await settle();
    expect(seen).toEqual(['1 at 100', '2 at 101']);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 1 });
    expect(market.marketTrades).toHaveBeenCalledTimes(1);
  });

  test('after the other leaves the limits to the others: one question in five seconds goes before entries', async () => {
    const { market } = await aWatchedHub();
    market.marketTrades.mockClear();
    const lanes = () => market.marketTrades.mock.calls.map((call) => call[3]);
    for (let i = 0; i < 11; i += 1) {
      tradeToldAs(market, '1000', '100');
      await settle(500);
    }
    expect(lanes()).toEqual(['cancel', ...Array.from({ length: 9 }, () => 'report'), 'cancel']);
  });

  test('after the other fills no memory: of more than 64 the oldest counts as contradicted', async () => {
    const { market, hub } = await aWatchedHub();
    market.world.answers = false;
    for (let i = 1; i <= 100; i += 1) tradeToldAs(market, `1${'0'.repeat(i + 3)}`, '100');
    expect(hub.stats()).toMatchObject({ suspects: 100, contradicted: 36 });
  });
});

describe('F72: the price', () => {
  test('is unknown to an entry while it is in doubt, and known again with the verdict', async () => {
    const { market, hub } = await aWatchedHub();
    market.world.answers = false;
    tradeToldAs(market, '1000', '101');
    const denied = hub.awaitPrice(symbol, 400);
    await settle(400);
    expect(await denied).toBeNull();
    expect(hub.latest(symbol)?.price).toBe('100');
    const awaited = hub.awaitPrice(symbol, 5000);
    market.world.answers = true;
    await settle(1000);
    expect(await awaited).toMatchObject({ price: '101', venueTradeId: 2 });
  });

  test('of another symbol goes on while the venue leaves the question open', async () => {
    const { market, hub } = await aWatchedHub();
    market.tradeUnseen('ETH/USDT', '7');
    const others: string[] = [];
    hub.watch('ETH/USDT', ({ price }) => others.push(price));
    await settle();
    market.marketTrades.mockImplementation(() => new Promise(() => undefined));
    tradeToldAs(market, '1000', '101');
    market.trade('ETH/USDT', '7.1', '7.2');
    expect(others).toEqual(['7', '7.1', '7.2']);
    expect(await hub.awaitPrice('ETH/USDT', 0)).toMatchObject({ price: '7.2' });
  });

  test('that starts anew at a venue that was set back leaves no doubt behind', async () => {
    const { market, hub } = await aWatchedHub();
    market.trade(symbol, '100');
    market.world.answers = false;
    tradeToldAs(market, '1000', '101');
    market.reset(symbol);
    market.world.nowMs += 10;
    market.tradeUnseen(symbol, '50');
    market.world.answers = true;
    for (let i = 0; i < 14; i += 1) {
      market.beat();
      await settle(1000);
    }
    expect(await hub.awaitPrice(symbol, 0)).toMatchObject({ price: '50', venueTradeId: 1 });
  });
});

describe('F73: a true price far from the last', () => {
  test('counts as soon as the venue has it, too', async () => {
    const { market, hub, seen, told } = await aWatchedHub();
    market.trade(symbol, '80');
    expect(seen).toEqual(['1 at 100']);
    await settle(0);
    expect(seen).toEqual(['1 at 100', '2 at 80']);
    expect(told('confirmed')).toMatchObject([{ by: 'venue', venueTradeId: 2, price: '80' }]);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 0, gaps: 0, late: 0 });
  });

  test.each([
    ['the same', '80'],
    ['still lower', '73'],
    ['a little higher', '85'],
  ])('counts with the next one, %s, although the venue does not answer', async (_name, next) => {
    const { market, seen, told } = await aWatchedHub();
    market.world.answers = false;
    market.trade(symbol, '80');
    await settle(1000);
    expect(seen).toEqual(['1 at 100']);
    market.trade(symbol, next);
    expect(seen).toEqual(['1 at 100', '2 at 80', `3 at ${next}`]);
    expect(told('confirmed')).toMatchObject([{ by: 'stream', price: '80' }]);
  });

  test('counts although the stream has turned the two around', async () => {
    const { market, seen } = await aWatchedHub();
    market.world.answers = false;
    const [second, third] = market.tradeUnseen(symbol, '80', '79');
    market.stream(third as MarketTrade);
    market.stream(second as MarketTrade);
    expect(seen).toEqual(['1 at 100', '2 at 80', '3 at 79']);
  });

  test('is seen late rather than not at all when the market is back before the venue answers', async () => {
    const { market, seen, hub } = await aWatchedHub();
    market.world.answers = false;
    market.trade(symbol, '80', '100');
    expect(seen).toEqual(['1 at 100', '3 at 100']);
    market.world.answers = true;
    await settle(3000);
    expect(seen).toEqual(['1 at 100', '3 at 100', 'late 2 at 80']);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 0 });
  });
});

const rules: TrailingStopRules = {
  side: 'long',
  by: 'percent',
  distance: decimal('5'),
  activationPrice: null,
  tickSize: decimal('0.01'),
  minimumMovePercent: null,
  extremeFrom: 'activation',
};
const aTrailingStop = (): Guard => ({
  kind: 'trailingStop',
  terms: rules,
  state: openTrailingStop(rules, decimal('100')),
});

const factors = { tenfold: decimal('10'), shifted: decimal('0.01') };

test('I14 I15: whatever the stream makes of the prices, the eyes end as they would on the true ones alone', async () => {
  const tick = fc.record({
    // The true market: mostly a few ticks up or down, a crash or a leap now and then.
    movePercent: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -2, max: 2 }) }, fc.constantFrom(-20, 30)),
    lie: fc.option(fc.constantFrom('tenfold' as const, 'shifted' as const), { freq: 4 }),
    venueIsAway: fc.boolean(),
    passMs: fc.integer({ min: 0, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(tick, { minLength: 1, maxLength: 40 }), async (ticks) => {
      const { market, hub } = await aWatchedHub();
      const [eyes, truth] = [createSymbolEyes(), createSymbolEyes()];
      for (const each of [eyes, truth]) each.arm('stop', aTrailingStop(), 1);
      hub.watch(symbol, (trade) => void eyes.onTrade(trade));
      let price = 100;
      let lastLie: string | null = '';
      for (const { movePercent, lie, venueIsAway, passMs } of ticks) {
        market.world.answers = !venueIsAway;
        price = Math.min(300, Math.max(50, price * (1 + movePercent / 100)));
        const [trade] = market.tradeUnseen(symbol, price.toFixed(2));
        if (trade === undefined) throw new Error('a trade');
        truth.onTrade(trade);
        // Two of the same that follow each other would bear each other out, as two true ones do.
        const told: Decimal = lie === null || lie === lastLie ? trade.price : multiply(trade.price, factors[lie]);
        lastLie = told === trade.price ? '' : lie;
        market.stream({ ...trade, price: told });
        await settle(passMs);
      }
      market.world.answers = true;
      await settle(5000);
      const [stop, expected] = [eyes.find('stop'), truth.find('stop')];
      expect(stop?.state.status).toBe(expected?.state.status);
      // A live price may have hit the stop as it stood before a trade ahead of it was told.
      if (stop?.state.status !== 'triggered') expect(stop).toEqual(expected);
      expect(eyes.seenUpTo()).toBe(ticks.length + 1);
      expect(hub.stats().suspects).toBeGreaterThanOrEqual(hub.stats().contradicted);
      await hub.close();
    }),
    { numRuns: 60 },
  );
});
