import { describe, expect, test } from 'vitest';
import { playPlan } from '../swarm/layers.ts';
import { drawOrders } from '../swarm/orders-plan.ts';
import { playOrders } from '../swarm/orders-play.ts';
import { arenas } from '../swarm/processes-stack.ts';
import { keptSeeds } from '../swarm/seeds.ts';
import { aTheater } from './stories.ts';

// The first seeds of `npm run swarm`, and every plan that ever failed there.

const theater = aTheater();
const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

describe('the order path under drawn faults', () => {
  test.each(seeds)(
    'seed %i: keeps its promises, and ends every trade once the faults are over',
    async (seed) => {
      const { faults } = await playOrders(theater.db(), `swarm-${seed}`, drawOrders(seed, 2));
      expect(faults).toEqual([]);
    },
    60_000,
  );
});

describe('a plan that failed once', () => {
  test.each(keptSeeds().filter(({ plan }) => plan.layer !== 'processes'))(
    '$name: fails no more',
    async ({ name, plan }) => {
      const played = await playPlan(plan, { db: async () => theater.db(), nextAccount: () => name, arenas });
      expect(played.faults).toEqual([]);
    },
    60_000,
  );
});
