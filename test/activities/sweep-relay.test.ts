import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { standIn, startSweepRelay } from '../../activities/trading-state/sweep-relay.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let world: Halting;
beforeEach(async () => {
  database = await aDatabase();
  world = await aHalting(database.db);
});
afterEach(async () => {
  await world.close();
  await database.close();
});

describe('F42: a freeze that no lifecycle carries out', () => {
  test('is left to the lifecycle for a second, then a worker stands in until nothing is left', async () => {
    await world.enter('btc');
    await world.halt('frozen');
    await standIn(world.deps);
    expect(world.openAtVenue()).toHaveLength(1);
    world.simulator.clock.shift(1_000);
    await standIn(world.deps);
    expect(world.openAtVenue()).toEqual([]);
    for (let n = 0; n < 4; n += 1) {
      world.simulator.clock.shift(5_000);
      await standIn(world.deps);
    }
    const sweep = await database.db.selectFrom('cancel_sweep').select(['outcome', 'canceled']).executeTakeFirst();
    expect(sweep).toEqual({ outcome: 'clear', canceled: 1 });
  });

  test('leaves venues alone that this worker does not know', async () => {
    await world.enter('btc');
    await world.halt('frozen');
    world.simulator.clock.shift(2_000);
    await standIn({ ...world.deps, rooms: new Map() });
    expect(world.openAtVenue()).toHaveLength(1);
  });

  test('is taken up by the relay by itself, and the relay ends when it is told to', async () => {
    await world.enter('btc');
    await world.halt('frozen');
    world.simulator.clock.shift(2_000);
    const relay = startSweepRelay(world.deps, () => () => undefined);
    await until('nothing works any more', async () => world.openAtVenue().length === 0);
    await relay.stop();
  });
});
