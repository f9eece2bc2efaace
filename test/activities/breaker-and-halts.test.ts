import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFoldBreaker } from '../../activities/trading-state/fold-breaker.ts';
import { addOutcome, readBreaker } from '../../src/store/trading-state/breaker.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { aHalting, everything, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let world: Halting;
beforeAll(async () => {
  database = await aDatabase();
  world = await aHalting(database.db);
});
afterAll(async () => {
  await world.close();
  await database.close();
});

const scope = { scope: 'account-main', account: 'main' };
const fold = () => createFoldBreaker(world.deps)(scope);
const fails = (count: number) =>
  database.db.transaction().execute(async (tx) => {
    for (let n = 0; n < count; n += 1) {
      const outcome = {
        account: 'main',
        kind: 'failure',
        cause: 'the venue said no',
        clientOrderId: `o-${n}`,
      } as const;
      await addOutcome(tx, { ...outcome, nowMs: world.nowMs() });
    }
  });
const trips = async () =>
  (await database.db.selectFrom('audit_event').select('event_id').where('event_type', '=', 'BreakerTripped').execute())
    .length;

describe('F80: a circuit breaker that trips twice, and during a halt', () => {
  test('trips once for any number of failures, folded by any number of processes', async () => {
    await fails(5);
    await Promise.all([fold(), fold(), fold()]);
    await fails(50);
    await Promise.all([fold(), fold(), fold()]);
    expect((await fold()).state).toBe('OPEN');
    expect(await trips()).toBe(1);
  });

  test('a halt meanwhile is another thing: neither the trip nor its end lifts it, and a resume does not close the breaker', async () => {
    await world.halt('frozen');
    world.simulator.clock.shift(300_000);
    expect((await fold()).state).toBe('HALF_OPEN');
    await fails(1);
    expect((await fold()).state).toBe('OPEN');
    expect(await trips()).toBe(2);
    expect(await holdsInForce(database.db, world.nowMs())).toMatchObject([{ source: 'operator', level: 'frozen' }]);
    const lift = { scope: everything, source: 'operator', actor: 'ben', reason: 'over', nowMs: world.nowMs() } as const;
    expect(await resume(database.db, lift)).toMatchObject({ outcome: 'lifted' });
    expect((await readBreaker(database.db, 'account-main', world.nowMs())).state?.status).toBe('OPEN');
  });
});
