import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckedEntry, createCheckLimits } from '../../activities/check-limits.ts';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { createHaltTrading } from '../../activities/trading-state/halt-trading.ts';
import { createResumeTrading } from '../../activities/trading-state/resume-trading.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import type { LatestPrice } from '../../src/prices/price-hub.ts';
import { saveBalances } from '../../src/store/trading-state/accounts.ts';
import { setApprovalPolicy } from '../../src/store/trading-state/approvals.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { changeLimits } from '../../src/store/trading-state/resuming.ts';
import { aRequest } from '../store/fixtures.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let world: Halting;
let deps: ActivityDependencies;
beforeAll(async () => {
  database = await aDatabase();
  world = await aHalting(database.db);
  const room = world.deps.rooms.get('paper') as VenueRoom;
  const price: LatestPrice = { price: decimal('100'), venueTradeId: 1, atMs: world.nowMs(), streamAgeMs: 0 };
  deps = {
    ...world.deps,
    rooms: new Map([['paper', { ...room, prices: { ...room.prices, awaitPrice: async () => price } }]]),
  };
  const worth = { account: 'main', balances: [], equity: decimal('100000'), fault: null, nowMs: world.nowMs() };
  await saveBalances(database.db, worth);
});
afterAll(async () => {
  await world.close();
  await database.close();
});

type CheckLimits = ReturnType<typeof createCheckLimits>;

const codes = async (tradeId: string): Promise<readonly string[]> => {
  const environment = new MockActivityEnvironment({ activityType: 'checkLimits' });
  const request = aRequest({ tradeId, requestedAtMs: world.nowMs() });
  const run = environment.run<[unknown, string], CheckedEntry, CheckLimits>(createCheckLimits(deps), request, 'run-1');
  return (await run).decision.reasons.map(({ code }) => code);
};
const cap = (totalExposureCap: string) =>
  changeLimits(database.db, {
    account: 'main',
    limits: { ...paperLimits, totalExposureCap: decimal(totalExposureCap) },
    reason: 'wiser',
    actor: 'anna',
    nowMs: world.nowMs(),
  });

describe('F50: a limit that is lowered below what is in use', () => {
  test('lets nothing new through until what is in use is below it, and leaves what is there alone', async () => {
    await cap('250');
    expect(await codes('first')).toEqual([]);
    expect(await codes('second')).toEqual([]);
    expect(await codes('third')).toEqual(['TOTAL_EXPOSURE_EXCEEDED']);
    await cap('150');
    const pending = await database.db
      .selectFrom('reservation')
      .select('trade_id')
      .where('voided_quantity', '=', decimal('0'))
      .execute();
    expect(pending).toHaveLength(2);
    expect(await codes('fourth')).toEqual(['TOTAL_EXPOSURE_EXCEEDED']);
    await database.asOwner("update reservation set voided_quantity = quantity where trade_id = 'first'");
    expect(await codes('fifth')).toEqual(['TOTAL_EXPOSURE_EXCEEDED']);
    await database.asOwner("update reservation set voided_quantity = quantity where trade_id = 'second'");
    expect(await codes('sixth')).toEqual([]);
  });
});

describe('F45: a resume that comes as a signal', () => {
  const breaker = { scope: 'account-main', account: 'main' };
  const resume = (changed: object = {}) =>
    createResumeTrading(deps)({ scope: breaker, resume: { actor: 'anna', reason: 'over', ...changed } });

  test('lifts where one person is enough, and is refused with the way to go where two are needed', async () => {
    const halt = () =>
      createHaltTrading(deps)({ scope: breaker, halt: { actor: 'anna', reason: 'news', level: 'frozen' } });
    expect((await halt()).holds).toMatchObject([{ level: 'frozen' }]);
    expect((await resume()).lastCommand).toMatchObject({ outcome: 'applied' });
    await setApprovalPolicy(database.db, { peopleNeeded: 2, nowMs: world.nowMs() });
    await halt();
    const refused = (await resume()).lastCommand;
    expect(refused).toMatchObject({ outcome: 'refused', message: expect.stringContaining('RESUME_NEEDS_APPROVAL') });
    expect(refused?.message).toContain('POST /v1/approvals');
    expect(await holdsInForce(database.db, world.nowMs())).toHaveLength(1);
  });
});
