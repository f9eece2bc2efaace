import { expect, test } from 'vitest';
import { drawOrders } from '../swarm/orders-plan.ts';
import { playOrders } from '../swarm/orders-play.ts';
import { aTheater } from './stories.ts';

// The first seeds of `npm run swarm`, and every plan that ever failed there.

const theater = aTheater();
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 20) }, (_, i) => i + 1);

test.each(seeds)('seed %i: every promise is kept under its faults, and every trade ends without them', async (seed) => {
  const played = await playOrders(theater.db(), `swarm-${seed}`, drawOrders(seed, 3));
  expect(played.faults).toEqual([]);
  expect(played.submissions).toBeGreaterThan(0);
});
