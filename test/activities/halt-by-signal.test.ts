import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHaltTrading } from '../../activities/trading-state/halt-trading.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { aHalting, type Halting } from '../support/halting.ts';
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

describe('a halt by signal that would hold nothing', () => {
  test.each([
    {
      name: 'a symbol of another form',
      sent: { scope: { kind: 'symbol', id: 'BTCUSDT' } },
      says: /scope\.id="BTCUSDT"/,
    },
    {
      name: 'an account that does not exist',
      sent: { scope: { kind: 'account', id: 'mian' } },
      says: /ACCOUNT_UNKNOWN/,
    },
    { name: 'an end that has been', sent: { expiresAtMs: 1_600_000_000_000 }, says: /expiresAtMs=1600000000000/ },
  ] as const)('is refused in the view: $name', async ({ sent, says }) => {
    const halt = { actor: 'anna', reason: 'news', ...sent };
    const breaker = { scope: 'account-main', account: 'main' };
    const view = await createHaltTrading(world.deps)({ scope: breaker, halt });
    expect(view.lastCommand).toMatchObject({ outcome: 'refused', message: expect.stringMatching(says) });
    expect(await holdsInForce(database.db, world.nowMs())).toEqual([]);
  });
});
