import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { typesOf } from '../store/fixtures.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const poolMax = 20;
let database: TestDatabase;
let world: Halting;
beforeEach(async () => {
  database = await aDatabase({ poolMax });
  world = await aHalting(database.db);
});
afterEach(async () => {
  await world.close();
  await database.close();
});

const trades = Array.from({ length: 64 }, (_, n) => `trade-${n}`);
const placements = () =>
  world.simulator.requests().filter(({ method, path }) => method === 'POST' && path === '/api/v3/order');
const placedIds = () => placements().map(({ parameters }) => String(parameters['newClientOrderId']));

/** Each record that fits takes five seconds from now on, as on a disk that is overwhelmed. */
const slowDown = (condition: string) =>
  database.asOwner(`
    create function take_five_seconds() returns trigger language plpgsql as
      'begin perform pg_sleep(5); return new; end';
    create trigger a_slow_record before insert on audit_event for each row when (${condition})
      execute function take_five_seconds()`);
const recover = () => database.asOwner('drop trigger a_slow_record on audit_event; drop function take_five_seconds()');

/** What became of each attempt: `new` for an order at the venue, or the code of the failure. */
async function sendAll(): Promise<readonly string[]> {
  const sent = await Promise.allSettled(trades.map((tradeId) => world.send(tradeId)));
  return sent.map((each) => {
    if (each.status === 'fulfilled') return each.value.status;
    // Any other failure would not be asked again.
    expect(each.reason).toMatchObject({ retryable: true });
    return each.reason.code;
  });
}

describe('F68: the record is slow (5 s)', () => {
  test('PB7: for every intent: 64 entries fail closed, none is sent, none is dropped, and no queue grows', async () => {
    await Promise.all(trades.map((tradeId) => world.approve(tradeId)));
    await slowDown("new.event_type = 'OrderIntent'");
    expect(new Set(await sendAll())).toEqual(new Set(['DATABASE_BUSY']));
    expect(placements()).toEqual([]);
    // Whoever finds no connection in time is refused: nobody waits behind the pool.
    const [{ sessions } = {}] = await database.asOwner(
      `select count(*)::int as sessions from pg_stat_activity where application_name = 'test' and datname = current_database()`,
    );
    expect(sessions).toBeLessThanOrEqual(poolMax);

    await recover();
    expect(new Set(await sendAll())).toEqual(new Set(['new']));
    expect(new Set(placedIds()).size).toBe(64);
    expect(placements()).toHaveLength(64);
    for (const tradeId of trades) expect(await typesOf(database.db, tradeId)).toContain('OrderIntent');
  }, 120_000);

  test('for one in a hundred (p99): that one waits or fails closed, the others go on beside it', async () => {
    await Promise.all(trades.map((tradeId) => world.approve(tradeId)));
    await slowDown("new.event_type = 'OrderIntent' and new.trade_id = 'trade-7'");
    const outcomes = await sendAll();
    expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(63);
    expect(outcomes[7]).toBe('DATABASE_BUSY');
    expect(placements()).toHaveLength(63);
    await recover();
    expect(await world.send('trade-7')).toMatchObject({ status: 'new' });
    expect(new Set(placedIds()).size).toBe(64);
    expect(placements()).toHaveLength(64);
  }, 120_000);

  test('for what the venue answered: the order is at the venue once, and stays in doubt until it is looked up', async () => {
    await world.approve('answered');
    await slowDown("new.event_type = 'OrderAcked'");
    await expect(world.send('answered')).rejects.toMatchObject({ code: 'DATABASE_BUSY', retryable: true });
    await recover();
    expect(await world.send('answered')).toMatchObject({ inDoubt: true });
    expect(placements()).toHaveLength(1);
  }, 60_000);
});
