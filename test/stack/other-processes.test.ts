import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { ProcessName, Stack } from '../support/stack.ts';
import { startStack } from '../support/stack.ts';
import {
  aRequest,
  enter,
  openTrade,
  phaseOf,
  stopOut,
  untilPhase,
  untilSettled,
  untilWatched,
} from '../support/trading.ts';
import { until } from '../support/until.ts';

// Each of the other processes is killed once while a position is open and the price goes through its stop; the two that
// keep what is known also while the venue does an order whose answer has not come yet.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ environment: { RATCHET_BREAKER_FAILURE_THRESHOLD: '1000' } });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

const kill = (name: ProcessName, meanwhile: () => Promise<unknown>): Promise<void> =>
  stack.restarted(name, async () => {
    process.kill(stack.pidOf(name), 'SIGKILL');
    await meanwhile();
  });

describe('a position is closed for a price that goes through its stop', () => {
  test.each([
    ['while the API is dead', 'api'],
    ['F60: while PostgreSQL is dead', 'postgres'],
    ['F52: while the server of Temporal is dead', 'temporal'],
  ] as const)('%s', async (_, name) => {
    const tradeId = `open-${name}`;
    await openTrade(stack, tradeId);
    await kill(name, () => stack.venue.tick('94'));
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect((await stack.client.trade(tradeId)).exitRequest).toMatchObject({ reason: 'stopLoss' });
  });

  test('after the venue was dead', async () => {
    const tradeId = 'open-paper';
    await openTrade(stack, tradeId);
    await stack.kill('paper');
    await stack.venue.tick('94');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
  });
});

test('an order that rests at the venue outlives it, and is filled once', async () => {
  const tradeId = 'resting-paper';
  await enter(stack, tradeId, { entry: { type: 'LIMIT', price: '99' } });
  await untilPhase(stack, tradeId, 'working');
  await stack.kill('paper');
  await stack.venue.tick('99');
  await untilWatched(stack, tradeId);
  await stack.venue.tick('94');
  expect(await untilSettled(stack, tradeId)).toBe('closed');
});

test('F47: a trade id that the server has forgotten opens no second trade', async () => {
  const tradeId = 'forgotten';
  const request = aRequest(tradeId);
  const first = await stack.client.enter(request);
  await untilWatched(stack, tradeId);
  await stopOut(stack, tradeId);
  const workflowExecution = { workflowId: `entry-${tradeId}` };
  await stack.temporal.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
  await until('the server has forgotten it', async () => {
    const described = stack.temporal.workflow.getHandle(workflowExecution.workflowId).describe();
    return described.then(
      () => false,
      () => true,
    );
  });
  const { orders } = await stack.venue.ledger();
  expect(await stack.client.enter(request)).toEqual(first);
  const other = { ...request, entry: { type: 'LIMIT', price: '99' } };
  await expect(stack.client.enter(other)).rejects.toMatchObject({ code: 'TRADE_ID_MISMATCH' });
  expect((await stack.venue.ledger()).orders).toHaveLength(orders.length);
});

describe.each([
  ['F60', 'postgres'],
  ['F52', 'temporal'],
] as const)('%s: %s dies while the venue does', (_, name) => {
  /** The venue has done what the next order of this purpose asks, and takes its time to say so. */
  const slowAnswer = (prefix: string) =>
    stack.venue.plan({
      on: { method: 'POST', path: '/api/v3/order', match: { newClientOrderId: `${prefix}.*` }, nth: 1 },
      phase: 'before_response',
      do: { action: 'delay', ms: 1_000 },
    });

  const dieWithOrder = async (prefix: string, begin: () => unknown): Promise<void> => {
    const known = (await stack.venue.ledger()).orders.length;
    await slowAnswer(prefix);
    await stack.restarted(name, async () => {
      void Promise.resolve(begin()).catch(() => undefined);
      await until('the order stands at the venue', async () => (await stack.venue.ledger()).orders.length > known);
      process.kill(stack.pidOf(name), 'SIGKILL');
    });
  };

  test('an entry, and the entry is adopted', async () => {
    const tradeId = `entry-${name}`;
    await dieWithOrder('rte-', () => enter(stack, tradeId));
    await untilPhase(stack, tradeId, 'open');
    await untilWatched(stack, tradeId);
    await stack.venue.tick('94');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
  });

  test('an exit, and nothing is sold twice', async () => {
    const tradeId = `exit-${name}`;
    await openTrade(stack, tradeId);
    await dieWithOrder('rtx-', () => stack.venue.tick('94'));
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    const { orders } = await stack.client.trade(tradeId);
    expect(orders.filter(({ purpose }) => purpose === 'exit')).toHaveLength(1);
  });
});

test('the same request finds the same decision once the API is back', async () => {
  const tradeId = 'decided-api';
  await openTrade(stack, tradeId);
  const before = await stack.client.trade(tradeId);
  await stack.kill('api');
  const after = await until('the API answers', () => stack.client.trade(tradeId));
  expect(after.decision).toEqual(before.decision);
  await stack.venue.tick('94');
  await untilSettled(stack, tradeId);
  expect(await phaseOf(stack, tradeId)).toBe('closed');
});

test('the record of it all holds', () => {
  expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
});
