import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../../src/stack/processes.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { aDataFolder, launch, type ProcessName, type Stack, startStack } from '../support/stack.ts';
import { enter, enterApproved, openTrade, untilPhase, untilSettled, untilWatched } from '../support/trading.ts';
import { until } from '../support/until.ts';

// Everything stops, in order or not, while trades are under way, and is started again in the same folder.
const data = aDataFolder();
const names: readonly ProcessName[] = ['worker', 'api', 'paper', 'postgres', 'temporal'];
let stack: Stack;

const start = async (): Promise<void> => {
  await stack?.disconnect();
  stack = await startStack({ data });
};
beforeAll(start, 120_000);
afterEach(async () => {
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

test('trades go on where they stood after a Ctrl-C: a stop that has moved, an entry that rests', async () => {
  await openTrade(stack, 'stopped-open', { exit: { trailingStop: { by: 'percent', distance: '2' } } });
  await enterApproved(stack, 'stopped-resting', {
    entry: { type: 'LIMIT', price: '90' },
    exit: { stopLoss: { price: '80' } },
  });
  await untilPhase(stack, 'stopped-resting', 'working');
  await stack.venue.tick('104');
  await until('the stop has moved', async () => {
    const [guard] = await stack.sql("select state->>'stopPrice' as price from guard where trade_id = 'stopped-open'");
    return guard?.['price'] === '101.92';
  });
  expect(await stack.interrupt()).toBe(130);

  await start();
  await stack.venue.tick('101.9');
  expect(await untilSettled(stack, 'stopped-open')).toBe('closed');
  await stack.venue.tick('90');
  await untilWatched(stack, 'stopped-resting');
  await stack.venue.tick('79');
  expect(await untilSettled(stack, 'stopped-resting')).toBe('closed');
});

test('nothing outlives a supervisor that is killed, and the next one goes on', async () => {
  await openTrade(stack, 'orphaned');
  const pids = names.map((name) => stack.pidOf(name));
  const exited = once(stack.supervisor, 'exit');
  stack.supervisor.kill('SIGKILL');
  await exited;
  await until('all of them have ended', async () => !pids.some(isAlive));

  await start();
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'orphaned')).toBe('closed');
});

test('an entry is placed once although everything dies at once while the venue answers', async () => {
  const { orders } = await stack.venue.ledger();
  await stack.venue.plan({
    on: { method: 'POST', path: '/api/v3/order' },
    phase: 'before_response',
    do: { action: 'hang' },
  });
  void enter(stack, 'outage').catch(() => undefined);
  await until('the order stands at the venue', async () => (await stack.venue.ledger()).orders.length > orders.length);
  const pids = names.map((name) => stack.pidOf(name));
  const exited = once(stack.supervisor, 'exit');
  stack.supervisor.kill('SIGKILL');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await exited;

  await start();
  await untilPhase(stack, 'outage', 'open');
  await untilWatched(stack, 'outage');
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'outage')).toBe('closed');
});

test('a second supervisor in the same folder is refused and disturbs nobody', async () => {
  const { supervisor, said } = await launch(data);
  expect(supervisor.exitCode).toBe(1);
  expect(said()).toContain(`under process ${stack.supervisor.pid}`);
  await openTrade(stack, 'undisturbed');
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'undisturbed')).toBe('closed');
});

test('the record of it all holds', () => {
  expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
});
