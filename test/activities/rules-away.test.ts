import { expect, onTestFinished, test } from 'vitest';
import { createPlanExit } from '../../activities/exits/plan-exit.ts';
import { requestExit } from '../../src/store/exits/exit-requests.ts';
import { aHalting } from '../support/halting.ts';
import { aDatabase } from '../support/postgres.ts';

test('an exit does not wait for the rules of its symbol, though the venue has just refused an entry for them', async () => {
  const database = await aDatabase();
  onTestFinished(database.close);
  const world = await aHalting(database.db);
  onTestFinished(world.close);
  await world.enter('held', { price: '101' });
  world.plan(
    {
      on: { method: 'POST' },
      phase: 'before_accept',
      do: { action: 'status', code: 400, body: { code: -1013, msg: 'Filter failure: LOT_SIZE' } },
      times: 1,
    },
    { on: { method: 'GET', path: '/api/v3/exchangeInfo' }, phase: 'before_accept', do: { action: 'hang' } },
  );
  expect(await world.enter('refused')).toMatchObject({ status: 'rejected' });
  await requestExit(database.db, { tradeId: 'held', reason: 'operator', source: 'test', nowMs: world.nowMs() });
  const asked = () => world.simulator.requests().filter(({ path }) => path === '/api/v3/exchangeInfo').length;
  const before = asked();
  expect(await createPlanExit(world.deps)({ tradeId: 'held', canceled: [] })).toMatchObject({
    step: 'place',
    terms: { side: 'SELL', orderType: 'MARKET' },
  });
  expect(asked()).toBeLessThanOrEqual(before + 1);
});
