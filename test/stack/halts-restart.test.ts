import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { aDataFolder, type ProcessName, type Stack, startStack } from '../support/stack.ts';
import { enter, enterApproved, openTrade, phaseOf, untilPhase, untilSettled } from '../support/trading.ts';

// Everything dies at once while trading is halted, and is started again in the same folder.
const data = aDataFolder();
const environment = { RATCHET_BREAKER_FAILURE_THRESHOLD: '1000' };
const names: readonly ProcessName[] = ['worker', 'api', 'paper', 'postgres', 'temporal'];
let stack: Stack;

const start = async (): Promise<void> => {
  await stack?.disconnect();
  stack = await startStack({ data, environment });
};
beforeAll(start, 120_000);
afterAll(() => stack?.stop(), 60_000);

test('I10: a halt outlives the end of everything; so do the order that works and the position that is held', async () => {
  await openTrade(stack, 'held');
  await enterApproved(stack, 'resting', { entry: { type: 'LIMIT', price: '90' }, exit: { stopLoss: { price: '80' } } });
  await untilPhase(stack, 'resting', 'working');
  expect(stack.ratchet('halt', '--reason', 'drill')).toMatchObject({ code: 0 });
  const pids = names.map((name) => stack.pidOf(name));
  const exited = once(stack.supervisor, 'exit');
  stack.supervisor.kill('SIGKILL');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await exited;
  await start();
  expect((await enter(stack, 'after-restart')).reasons).toMatchObject([{ code: 'TRADING_STATE_BLOCKED' }]);
  expect(await phaseOf(stack, 'resting')).toBe('working');
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'held')).toBe('closed');
  expect(stack.ratchet('halt', '--level', 'frozen', '--reason', 'harder', '--wait')).toMatchObject({ code: 0 });
  expect(await untilSettled(stack, 'resting')).toBe('unfilled');
  expect(stack.ratchet('resume', '--reason', 'over')).toMatchObject({ code: 0 });
  expect(judge(await gather(stack))).toEqual([]);
});
