import { setTimeout } from 'node:timers/promises';
import pino from 'pino';
import { createPriceHub } from '../../src/prices/price-hub.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { createBinanceVenue } from '../../src/venue/binance/adapter.ts';
import { systemClock } from '../../src/venue/clock.ts';
import { createRateBudget } from '../../src/venue/rate-budget.ts';
import { type Figure, ms, percentile } from './statistics.ts';

const symbol = 'BTC/USDT';
const plenty = 1_000_000_000;

/** What it costs a true crash that the venue is asked before it counts: from the stream's word to the venue's. */
export async function crashFigures(count: number): Promise<readonly Figure[]> {
  const logger = pino({ level: 'silent' });
  const simulator = await startSimulator({
    replay: 'manual',
    markets: [{ symbol, price: '100', tradeQuantity: '1' }],
    limits: { weightPerMinute: plenty, ordersPer10s: plenty, ordersPerDay: plenty },
  });
  const budget = createRateBudget({ clock: systemClock });
  const venue = createBinanceVenue({
    name: 'paper',
    restUrl: simulator.url,
    streamUrl: simulator.wsUrl,
    wsApiUrl: `${simulator.wsUrl}/ws-api/v3`,
    ...simulator.keys,
    budget,
    clock: systemClock,
    logger,
  });
  // The pacing of the requests is not what is measured.
  budget.learnLimits([{ kind: 'weight', windowMs: 60_000, max: plenty }]);
  const delays: number[] = [];
  const hub = createPriceHub({
    venue,
    clock: systemClock,
    logger,
    onEvent: (event) => {
      if (event.type === 'confirmed') delays.push(event.afterMs);
    },
  });
  try {
    while ((await hub.awaitPrice(symbol, 1_000)) === null) await setTimeout(10);
    for (let index = 0; delays.length < count && index < count * 100; index += 1) {
      const before = delays.length;
      simulator.tick({ symbol, price: index % 2 === 0 ? '80' : '100' });
      for (let waits = 0; delays.length === before && waits < 50; waits += 1) await setTimeout(5);
    }
  } finally {
    await hub.close();
    await venue.close();
    await simulator.close();
  }
  return [figureOf(delays)];
}

const figureOf = (delays: readonly number[]): Figure => ({
  name: 'a true crash by a fifth, from the stream to the word of the venue that confirms it, p50 / p99',
  goal: 'one round trip',
  measured: `${ms(percentile(delays, 0.5))} / ${ms(percentile(delays, 0.99))}`,
  n: delays.length,
  isMet: null,
});
