import { expect, test } from 'vitest';
import { readAccount } from '../../src/store/trading-state/accounts.ts';
import { soon } from '../venue/support/soon.ts';
import { aTheater, status } from './stories.ts';

const theater = aTheater();

test.each([
  ['that is down', status(503, { code: -1000, msg: 'down' }), /^VENUE_UNAVAILABLE: /],
  ['that refuses the key', status(401, { code: -2015, msg: 'Invalid API-key, IP, or permissions' }), /-2015/],
])('balances at a venue %s are why the equity is not known, until they are read again', async (_name, answer, why) => {
  const bench = await theater.open();
  const faultAfter = async (ms: number) => {
    await bench.pass(ms);
    return (await readAccount(theater.db(), bench.account))?.equityFault;
  };
  bench.simulator.plan({ on: { path: '/api/v3/account' }, phase: 'before_auth', do: answer });
  await soon(async () => expect(await faultAfter(5_000)).toMatch(why));
  bench.simulator.clearPlan();
  await soon(async () => expect(await faultAfter(5_000)).toBe(null));
});
