import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enter, openTrade, phaseOf, stopOut, untilPhase, untilSettled, untilWatched } from '../support/trading.ts';
import { until } from '../support/until.ts';

// The worker is killed at every named point of a trade's life, each time a trade of its own. After each, the oracle
// asks the venue's ledger, the database and Temporal whether any promise was broken.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    environment: {
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
    },
    crashPoints: [
      'beforeReserve',
      'afterReserve',
      'afterIntent',
      'afterAnswer',
      'afterRecord',
      'betweenFillAndMonitor',
      'whileWatching',
      'beforeTrigger',
      'afterTrigger',
      'afterExitAnswer',
      'cancelSent',
    ],
  });
}, 120_000);
afterEach(async () => expect(judge(await gather(stack))).toEqual([]));
afterAll(() => stack?.stop(), 60_000);

describe('an entry', () => {
  test.each(['beforeReserve', 'afterReserve', 'afterAnswer', 'afterRecord', 'betweenFillAndMonitor'] as const)(
    'goes on to its end after the worker died at %s',
    async (point) => {
      const tradeId = `entry-${point}`;
      stack.plan(point);
      await stack.restarted('worker', async () => {
        void enter(stack, tradeId).catch(() => undefined);
        await stack.struck(point);
      });
      await untilPhase(stack, tradeId, 'open');
      await untilWatched(stack, tradeId);
      await stopOut(stack, tradeId);
      expect(await phaseOf(stack, tradeId)).toBe('closed');
    },
  );
});
