import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { heldAtVenue, openTrade, untilHeld, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';
import { startSecondWorker } from '../support/workers.ts';

// The stop stands at the venue for when nobody is left here: workers, Temporal and the database die, the price falls, and
// the venue sells by itself. And whoever keeps it dies at each point on the way to the venue.
const points = ['afterIntent', 'afterBytes', 'afterExitAnswer'] as const;
const protectiveStop = { at: 'venue', moveStepBps: 5, moveIntervalMs: 1_000 };
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    environment: {
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
    },
    crashPoints: [...points],
    pausePoints: ['afterIntent'],
  });
}, 120_000);
afterEach(async () => {
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

describe('F54: all workers, Temporal and PostgreSQL are dead while the price falls through the stop', () => {
  const tradeId = 'nobody-there';

  test('the venue sells at the stop, and the trade is settled from its ledger once everything is back', async () => {
    await openTrade(stack, tradeId, { exit: { stopLoss: { price: '95' }, protectiveStop } });
    await untilHeld(stack, tradeId, '95');
    const stop = await heldAtVenue(stack, tradeId);
    await stack.restarted('worker', async () => {
      // A supervisor that is stopped starts nothing again: all of them stay away for as long as the test wants it.
      stack.supervisor.kill('SIGSTOP');
      try {
        for (const name of ['worker', 'temporal', 'postgres'] as const) process.kill(stack.pidOf(name), 'SIGKILL');
        await stack.venue.tick('94.9');
        await until('the venue has sold', async () => {
          const { orders } = await stack.venue.ledger();
          return orders.some(
            ({ clientOrderId, status }) => clientOrderId === stop?.clientOrderId && status === 'FILLED',
          );
        });
      } finally {
        stack.supervisor.kill('SIGCONT');
      }
    });
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    const sold = await stack.sql(
      "select purpose from orders where trade_id = $1 and purpose <> 'entry' and filled_quantity > 0",
      [tradeId],
    );
    expect(sold).toEqual([{ purpose: 'stop' }]);
  });
});

describe('whoever keeps the stop dies', () => {
  test.each(points)('%s, while it moves: the venue holds one stop, and the position is closed once', async (point) => {
    const tradeId = `moved-${point}`;
    await openTrade(stack, tradeId, { exit: { trailingStop: { by: 'percent', distance: '2' }, protectiveStop } });
    await untilHeld(stack, tradeId);
    stack.plan(point);
    await stack.venue.tick('104');
    await stack.struck(point);
    await untilHeld(stack, tradeId, '101.92');
    await stack.venue.tick('101.9');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
  });
});

describe('of two workers', () => {
  const tradeId = 'kept-by-two';

  test('one sleeps before it moves the stop: the other one moves it, and what the sleeper sends counts no more', async () => {
    await openTrade(stack, tradeId, { exit: { trailingStop: { by: 'percent', distance: '2' }, protectiveStop } });
    await untilHeld(stack, tradeId);
    stack.plan('afterIntent', 'SIGSTOP');
    await stack.venue.tick('104');
    await stack.struck('afterIntent', 'SIGSTOP');
    const { wake } = stack.pause('worker');
    const second = await startSecondWorker(stack);
    try {
      await untilHeld(stack, tradeId, '101.92');
      wake();
      await until('the sleeper has sent what it was about to send', async () => {
        const { requests } = await stack.venue.ledger();
        return requests.some(({ path, code }) => path.endsWith('cancelReplace') && code === -1021);
      });
      expect(await heldAtVenue(stack, tradeId)).toMatchObject({ stopPrice: '101.92' });
      await stack.venue.tick('101.9');
      expect(await untilSettled(stack, tradeId)).toBe('closed');
    } finally {
      wake();
      await second.stop();
    }
  });
});
