import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { driveToEnd } from '../crash/drive.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { Weather } from '../support/proxy.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enter, enterApproved, openTrade, phaseOf, untilPhase } from '../support/trading.ts';
import { until } from '../support/until.ts';
import {
  type Link,
  type Links,
  proxyWorker,
  startSecondWorker,
  unproxyWorker,
  workerEnvironment,
} from '../support/workers.ts';

// The network between the worker and each of those it talks to goes away, while a trade is being entered, one is
// watched and one is on its way out; a worker sleeps and wakes up beside another one; a server dies before anybody has
// asked it for work. The oracle judges everything after each.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    environment: {
      ...workerEnvironment,
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
    },
    pausePoints: ['afterIntent'],
  });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

const isFull = process.env['FULL_LENGTH'] === '1';

/** As long as it may get, on each link. */
const lengthsMs = isFull ? [1_000, 10_000, 60_000] : [1_000];
const flapping: readonly Link[] = isFull ? ['temporal', 'database', 'venue'] : ['database'];

describe.skipIf(process.platform === 'win32')('the worker is cut off', () => {
  let links: Links;

  beforeAll(async () => {
    links = await proxyWorker(stack);
  }, 60_000);
  afterAll(() => unproxyWorker(stack, links), 60_000);

  const weathers: readonly Weather[] = [{ kind: 'blackhole' }, { kind: 'cut' }];
  const cases = (['temporal', 'database', 'venue'] as const).flatMap((link) =>
    lengthsMs.map((lastsMs, i) => ({
      link,
      lastsMs,
      weather: weathers[i % 2] as Weather,
      row: link === 'temporal' && lastsMs === 60_000 ? 'F53: ' : '',
    })),
  );

  const named = cases.map((each) => [`${each.row}from the ${each.link} for ${each.lastsMs / 1_000} s`, each] as const);
  test.each(named)(
    '%s, in all three phases of a trade',
    async (_, { link, lastsMs, weather }) => {
      const [entering, watched, leaving] = ['entry', 'watch', 'exit'].map((phase) => `${link}-${lastsMs}-${phase}`) as [
        string,
        string,
        string,
      ];
      await openTrade(stack, watched);
      await openTrade(stack, leaving);
      links[link].become(weather);
      void enter(stack, entering, { validForMs: 120_000 }).catch(() => undefined);
      await stack.client.close(leaving, { actor: 'tester', reason: 'a drill' });
      await delay(lastsMs / 2);
      await stack.venue.tick('94');
      await delay(lastsMs / 2);
      links[link].heal();
      await driveToEnd(stack, watched);
      await driveToEnd(stack, leaving);
      await driveToEnd(stack, entering);
      expect(await phaseOf(stack, watched)).toBe('closed');
      expect((await stack.client.trade(watched)).exitRequest).toMatchObject({ reason: 'stopLoss' });
      expect(await phaseOf(stack, leaving)).toBe('closed');
    },
    240_000,
  );

  test.each(flapping)(
    'from the %s again and again, a piece at a time',
    async (link) => {
      const tradeId = `${link}-flapping`;
      void enter(stack, tradeId, { validForMs: 120_000 }).catch(() => undefined);
      for (let i = 0; i < 10; i += 1) {
        if (i % 2 === 0) links[link].reset();
        else links[link].become({ kind: 'limit', bytes: 200 * i });
        await delay(150);
      }
      links[link].become({ kind: 'slow', ms: 20 });
      await driveToEnd(stack, tradeId);
      links[link].heal();
    },
    120_000,
  );
});

describe('two workers', () => {
  type Sent = { client_order_id: string; intent_at_ms: string; recv_window_ms: number };

  test('F09: one that slept over its order sends it late, after the other has looked, and the venue refuses it', async () => {
    const tradeId = 'zombie-beside-another';
    const second = await startSecondWorker(stack);
    try {
      stack.plan('afterIntent', 'SIGSTOP');
      void enter(stack, tradeId).catch(() => undefined);
      await stack.struck('afterIntent', 'SIGSTOP');
      const first = stack.pause('worker');
      const [order] = await stack.sql<Sent>('select * from orders where trade_id = $1', [tradeId]);
      await until(
        'the other worker has given the order up',
        async () =>
          (await stack.sql("select 1 from orders where trade_id = $1 and status = 'parked'", [tradeId])).length > 0,
      );
      first.wake();
      const sent = await until('the sleeper sends', async () =>
        (await stack.venue.ledger()).requests.find(
          ({ parameters, code }) => parameters['newClientOrderId'] === order?.client_order_id && code !== null,
        ),
      );
      expect(sent).toMatchObject({ accepted: false, code: -1021 });
      expect((await driveToEnd(stack, tradeId)).phase).toBe('unfilled');
    } finally {
      await second.stop();
    }
  }, 120_000);

  test('one that sleeps through the stop of a position leaves it to the other', async () => {
    const tradeId = 'asleep-at-the-stop';
    const second = await startSecondWorker(stack);
    try {
      await openTrade(stack, tradeId);
      const first = stack.pause('worker');
      await stack.venue.tick('94');
      expect((await driveToEnd(stack, tradeId)).phase).toBe('closed');
      first.wake();
    } finally {
      await second.stop();
    }
  }, 120_000);
});

describe('F52: the server of Temporal is killed', () => {
  test('after it has accepted the start, before any worker has asked for work', async () => {
    const tradeId = 'before-the-first-poll';
    await stack.restarted('temporal', async () => {
      // A supervisor that is stopped starts no worker again before the server is gone too.
      stack.supervisor.kill('SIGSTOP');
      try {
        process.kill(stack.pidOf('worker'), 'SIGKILL');
        void enter(stack, tradeId, { validForMs: 120_000 }).catch(() => undefined);
        await until('the start is accepted', async () => {
          const { status } = await stack.temporal.workflow.getHandle(`entry-${tradeId}`).describe();
          return status.name === 'RUNNING';
        });
        process.kill(stack.pidOf('temporal'), 'SIGKILL');
      } finally {
        stack.supervisor.kill('SIGCONT');
      }
    });
    // A worker that has just started may be too busy yet to take on risk.
    expect((await driveToEnd(stack, tradeId)).phase).toMatch(/^(closed|denied)$/);
  }, 120_000);

  test('while an order rests at the venue', async () => {
    const tradeId = 'resting-through-it';
    await enterApproved(stack, tradeId, { entry: { type: 'LIMIT', price: '99' } });
    await untilPhase(stack, tradeId, 'working');
    await stack.kill('temporal');
    expect((await driveToEnd(stack, tradeId)).phase).toBe('closed');
  }, 120_000);
});
