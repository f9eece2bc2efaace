import { decimal, multiply } from '../../domain/decimal.ts';
import { type Random, seededRandom } from '../random.ts';
import type { PriceRow } from './price-rows.ts';
import type { PriceSource } from './price-source.ts';

type GeneratorOptions = { readonly seed: number; readonly symbol: string };

const millionth = 1_000_000;
const stepsPerTrade = 4;
const homeTicks: Readonly<Record<string, number>> = { 'BTC/USDT': 4_600_000, 'ETH/USDT': 180_000 };
const standardHomeTicks = 10_000;
const tickSize = decimal('0.01');
const stepSize = decimal('0.00001');

/**
 * Prices of our own making, without an end: a geometric walk with trends of half a minute to three minutes, two or
 * three trades a second, that is drawn home when it strays too far. All arithmetic is on whole ticks, so that a seed
 * gives the same prices on every machine.
 */
export function generatedPrices({ seed, symbol }: GeneratorOptions): PriceSource {
  return {
    name: `generator, seed ${seed}`,
    fingerprint: `generator ${symbol} ${seed}`,
    saysSides: true,
    traits: { symbol, tickSize, stepSize, tradeQuantity: decimal('0.005') },
    badLines: { count: 0, first: [] },
    *rows(from) {
      const walk = createWalk(seededRandom(seed), homeTicks[symbol] ?? standardHomeTicks);
      for (let row = 0; row < from; row += 1) walk();
      for (;;) yield rowOf(walk());
    },
  };
}

type Step = { readonly atMs: number; readonly ticks: number; readonly lots: number; readonly buyerTakes: boolean };

function createWalk(random: Random, home: number): () => Step {
  let [ticks, atMs, trendLeft, drift] = [home, 0, 0, 0];
  return () => {
    if (trendLeft === 0) {
      trendLeft = 80 + random.below(360);
      drift = driftFrom(random, ticks, home);
    }
    trendLeft -= 1;
    // Three dice make the noise bell-shaped; in millionths of the price, 150 of them to either side.
    const noise = random.below(101) + random.below(101) + random.below(101) - 150;
    ticks = Math.max(1, ticks + Math.round((ticks * (drift + noise)) / millionth));
    atMs += 100 + random.below(600);
    const lots = (1 + random.below(9)) * 10 ** random.below(stepsPerTrade);
    return { atMs, ticks, lots: lots * 5, buyerTakes: random.below(100) < (drift >= 0 ? 55 : 45) };
  };
}

// Up to 30 millionths a trade, some 50 basis points in a minute of trend; always homeward from a fifth away.
function driftFrom(random: Random, ticks: number, home: number): number {
  const strength = random.below(31);
  if (ticks * 5 > home * 6) return -strength;
  if (ticks * 5 < home * 4) return strength;
  return random.below(2) === 0 ? strength : -strength;
}

function rowOf({ atMs, ticks, lots, buyerTakes }: Step): PriceRow {
  return {
    atMs,
    // The ask is a tick above the bid: who buys pays it.
    price: multiply(decimal(String(buyerTakes ? ticks + 1 : ticks)), tickSize),
    quantity: multiply(decimal(String(lots)), stepSize),
    aggressor: buyerTakes ? 'BUY' : 'SELL',
  };
}
