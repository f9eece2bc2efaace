import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';
import { openTrailingStop } from '../../src/domain/trailing-stop.ts';
import { createPriceHub, type PriceHub, type PriceHubEvent } from '../../src/prices/price-hub.ts';
import { createSymbolEyes, type Seen, type SymbolEyes } from '../../src/prices/symbol-eyes.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { systemClock } from '../../src/venue/clock.ts';
import { createRateBudget } from '../../src/venue/rate-budget.ts';
import { keepUntilTheEnd } from '../venue/support/closing.ts';
import { aVenue } from '../venue/support/scripted-venue.ts';
import { soon } from '../venue/support/soon.ts';

// What the paper venue plays, through the real adapter and real sockets, up to the guards of a position at 100.

const symbol = 'BTC/USDT';
const keep = keepUntilTheEnd();
let simulator: Simulator;
let hub: PriceHub;
let eyes: SymbolEyes;
let events: PriceHubEvent[];
let seen: Seen[];

const price = decimal;
const guards: Readonly<Record<string, Guard>> = {
  stopLoss: { kind: 'stopLoss', terms: { side: 'long', price: price('90') }, state: { status: 'armed' } },
  takeProfit: { kind: 'takeProfit', terms: { side: 'long', price: price('200') }, state: { status: 'armed' } },
  trailingStop: aTrailingStop(),
};

function aTrailingStop(): Guard {
  const terms = {
    side: 'long',
    by: 'percent',
    distance: price('5'),
    activationPrice: null,
    tickSize: price('0.01'),
    minimumMovePercent: null,
    extremeFrom: 'activation',
  } as const;
  return { kind: 'trailingStop', terms, state: openTrailingStop(terms, price('100')) };
}

const told = (type: PriceHubEvent['type']) => events.filter((event) => event.type === type);
const triggered = () => seen.filter(({ action }) => action === 'triggered');
const tick = (...prices: readonly string[]) => simulator.tick(...prices.map((each) => ({ symbol, price: each })));

async function play(name: string, parameters: object = {}): Promise<void> {
  const response = await fetch(`${simulator.controlUrl}/__sim/trigger`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...parameters }),
  });
  expect(response.status).toBe(200);
}

beforeEach(async () => {
  events = [];
  seen = [];
  simulator = keep(await startSimulator({ replay: 'manual', markets: [{ symbol, price: '100', tradeQuantity: '1' }] }));
  const venue = keep(aVenue({ url: simulator.url, wsUrl: simulator.wsUrl, keys: simulator.keys }));
  const logger = pino({ level: 'silent' });
  hub = keep(createPriceHub({ venue, clock: systemClock, logger, onEvent: (event) => events.push(event) }));
  eyes = createSymbolEyes();
  hub.watch(symbol, (trade) => seen.push(...eyes.onTrade(trade)));
  await soon(() => expect(hub.latest(symbol)?.streamAgeMs).toBeLessThan(1000));
  for (const [id, guard] of Object.entries(guards)) eyes.arm(id, guard, hub.latest(symbol)?.venueTradeId ?? 0);
  // The first tick that comes by the stream says that it is up.
  await soon(async () => {
    tick('100');
    await soon(() => expect(hub.latest(symbol)?.venueTradeId).toBe(lastTradeId()));
    expect(hub.stats().polls).toBeLessThan(10);
  });
});

const lastTradeId = () => simulator.exchange.venues.get('BTCUSDT')?.tape.lastTradeId;

test('F72: of the scenario of bad ticks none triggers or moves anything, six are counted, and the next good price counts', async () => {
  await play('bad-ticks');
  tick('100.1', '100.2', '100.3', '100.4', '100.5', '100.6');
  await soon(() => expect(eyes.seenUpTo()).toBe(lastTradeId()));
  await soon(() => expect(hub.stats()).toMatchObject({ malformed: 4, suspects: 2, contradicted: 2 }));
  expect(told('contradicted')).toMatchObject([
    { price: '1000', venuePrice: '100.5' },
    { price: '1', venuePrice: '100.6' },
  ]);
  expect(triggered()).toEqual([]);
  expect(eyes.find('trailingStop')?.state).toMatchObject({ extreme: '100.6', stopPrice: '95.57' });
  tick('100.7');
  await soon(() => expect(hub.latest(symbol)?.price).toBe('100.7'));
});

describe('F73: a flash crash by a fifth in one tick', () => {
  test('triggers every stop on that very trade, at its true price', async () => {
    await play('flash-crash', { percent: 20 });
    await soon(() => expect(triggered()).toHaveLength(2));
    const crash = { venueTradeId: lastTradeId(), price: '80' };
    expect(
      triggered()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['stopLoss', 'trailingStop']);
    expect(triggered()).toMatchObject([{ trade: crash }, { trade: crash }]);
    expect(hub.stats()).toMatchObject({ suspects: 1, contradicted: 0 });
  });

  test('is confirmed at once although all that may be asked for reports is used up', async () => {
    const budget = createRateBudget({ clock: systemClock });
    const venue = keep(aVenue({ url: simulator.url, wsUrl: simulator.wsUrl, keys: simulator.keys, budget }));
    budget.learnLimits([{ kind: 'weight', windowMs: 60_000, max: 200 }]);
    const confirmed: PriceHubEvent[] = [];
    const onEvent = (event: PriceHubEvent) => {
      if (event.type === 'confirmed') confirmed.push(event);
    };
    const strained = keep(createPriceHub({ venue, clock: systemClock, logger: pino({ level: 'silent' }), onEvent }));
    const prices: string[] = [];
    strained.watch(symbol, (trade) => prices.push(trade.price));
    await soon(async () => {
      tick('100');
      await soon(() => expect(strained.latest(symbol)?.venueTradeId).toBe(lastTradeId()));
      expect(prices.length).toBeGreaterThan(1);
    });
    for (let i = 0; i < 10; i += 1) await venue.marketTrades(symbol, null, 1).catch(() => undefined);
    await expect(venue.marketTrades(symbol, null, 1)).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
    await play('flash-crash', { percent: 20 });
    await soon(() => expect(confirmed).toMatchObject([{ by: 'venue', price: '80' }]));
    expect(prices.at(-1)).toBe('80');
  });

  test('triggers them with the next trade while the venue answers no question', async () => {
    simulator.plan({
      on: { method: 'GET', path: '/api/v3/historicalTrades' },
      phase: 'before_auth',
      do: { action: 'status', code: 503 },
    });
    await play('flash-crash', { percent: 20 });
    await soon(() => expect(told('suspect')).toHaveLength(1));
    expect(triggered()).toEqual([]);
    tick('79');
    await soon(() => expect(triggered()).toHaveLength(2));
    expect(told('confirmed')).toMatchObject([{ by: 'stream', price: '80' }]);
  });
});
