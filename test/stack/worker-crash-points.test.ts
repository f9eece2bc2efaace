import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultRule } from '../../src/simulator/faults/faults.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { LedgerRequest } from '../support/paper-control.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enter, openTrade, stopOut, untilPhase, untilSettled, untilWatched } from '../support/trading.ts';
import { until } from '../support/until.ts';

// What else has to be true where the worker dies, beside what test/crash plays at every point: how an order ends that
// nobody knows of, what is adopted, what the venue refuses. After each, the oracle asks the venue's ledger, the database
// and Temporal whether any promise was broken.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    environment: {
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      // The venue's hung answers count as failures; this is not about the breaker.
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
    },
    crashPoints: [...(['afterIntent', 'whileWatching', 'beforeTrigger', 'cancelSent', 'afterHold'] as const)],
  });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

/** The worker dies at the point, in what `begin` begins. What is done `meanwhile` happens before there is another one. */
async function dieAt(
  point: Parameters<Stack['plan']>[0],
  begin: () => unknown,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<void> {
  stack.plan(point);
  await stack.restarted('worker', async () => {
    const before = stack.pidOf('worker');
    void Promise.resolve(begin()).catch(() => undefined);
    await stack.struck(point);
    await meanwhile();
    expect(stack.pidOf('worker')).toBe(before);
  });
}

/** The answers to placements of this purpose are held back, although the venue has done what was asked. */
const hangAnswers = (purpose: 'entry' | 'exit'): FaultRule => ({
  on: { method: 'POST', path: '/api/v3/order', match: { newClientOrderId: purpose === 'entry' ? 'rte-.*' : 'rtx-.*' } },
  phase: 'before_response',
  do: { action: 'hang' },
});

type OrderFacts = { client_order_id: string; status: string; intent_at_ms: string; recv_window_ms: number };

async function orderOf(tradeId: string, purpose = 'entry'): Promise<OrderFacts> {
  const find = 'select * from orders where trade_id = $1 and purpose = $2';
  return until(`the order of ${tradeId}`, async () => (await stack.sql<OrderFacts>(find, [tradeId, purpose]))[0]);
}

/** How often the venue was asked to place the order, but for what it refused as too old. */
async function placementsOf({ client_order_id: id }: OrderFacts): Promise<number> {
  const { requests } = await stack.venue.ledger();
  const isPlacement = ({ method, parameters, code }: LedgerRequest) =>
    method === 'POST' && parameters['newClientOrderId'] === id && code !== -1021;
  return requests.filter(isPlacement).length;
}

const untilAtVenue = (orders: number): Promise<unknown> =>
  until('the order stands at the venue', async () => (await stack.venue.ledger()).orders.length >= orders);

describe('an entry', () => {
  test('F03: is parked with its reservation and an alert when nobody can know whether it was sent', async () => {
    const tradeId = 'entry-afterIntent';
    await dieAt('afterIntent', () => enter(stack, tradeId));
    await until(`${tradeId} is parked`, async () => (await orderOf(tradeId)).status === 'parked');
    const { client_order_id: id, intent_at_ms } = await orderOf(tradeId);

    const parked = await gather(stack);
    expect(judge(parked)).toEqual([]);
    expect(parked.ledger.orders.filter(({ clientOrderId }) => clientOrderId === id)).toEqual([]);
    expect(parked.reservations).toContainEqual(
      expect.objectContaining({ trade_id: tradeId, posted_quantity: '0', voided_quantity: '0' }),
    );
    const [parking] = parked.events.filter(({ type, tradeId: of }) => type === 'OrderParked' && of === tradeId);
    expect(parking?.recordedAtMs).toBeGreaterThan(Number(intent_at_ms) + 3_000);
    const { alerts } = await stack.client.state();
    expect(alerts).toContainEqual(expect.objectContaining({ code: 'ORDER_PARKED', severity: 'CRITICAL' }));

    const { code, output } = stack.ratchet('resolve', id, '--verdict', 'dead', '--reason', 'not at the venue');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('declared dead') });
    expect(await untilSettled(stack, tradeId)).toBe('unfilled');
    expect((await stack.client.state()).alerts).toEqual([]);
  });

  test('is adopted, filled or resting, when the worker dies before the answers to its orders', async () => {
    const { orders } = await stack.venue.ledger();
    const [filled, resting] = ['entry-sent-filled', 'entry-sent-resting'] as const;
    await stack.venue.plan(hangAnswers('entry'));
    await stack.restarted('worker', async () => {
      void enter(stack, filled).catch(() => undefined);
      void enter(stack, resting, { entry: { type: 'LIMIT', price: '99' } }).catch(() => undefined);
      await untilAtVenue(orders.length + 2);
      process.kill(stack.pidOf('worker'), 'SIGKILL');
    });
    await untilPhase(stack, filled, 'open');
    await untilPhase(stack, resting, 'working');
    await stack.venue.tick('99');
    for (const tradeId of [filled, resting]) {
      await untilWatched(stack, tradeId);
      expect(await placementsOf(await orderOf(tradeId))).toBe(1);
    }
    await stopOut(stack, filled);
    expect(await untilSettled(stack, resting)).toBe('closed');
  });

  test('that waits is canceled once its time is up, although the worker died while it canceled', async () => {
    const tradeId = 'entry-cancelSent';
    await dieAt('cancelSent', () =>
      enter(stack, tradeId, { entry: { type: 'LIMIT', price: '98', expireAfterMs: 1_000 } }),
    );
    expect(await untilSettled(stack, tradeId)).toBe('unfilled');
  });
});

describe('a position', () => {
  const stopPriceOf = async (tradeId: string): Promise<unknown> => {
    const [row] = await stack.sql("select state->>'stopPrice' as price from guard where trade_id = $1", [tradeId]);
    return row?.['price'];
  };

  test('is guarded by the prices that nobody watched, and by those that came back too', async () => {
    const [fixed, trailing] = ['watch-stopLoss', 'watch-trailingStop'] as const;
    await openTrade(stack, fixed);
    await openTrade(stack, trailing, { exit: { trailingStop: { by: 'percent', distance: '10' } } });
    await stack.venue.tick('104');
    await until('the stop has moved', async () => (await stopPriceOf(trailing)) === '93.6');
    await dieAt(
      'whileWatching',
      () => undefined,
      () => stack.venue.tick('94', '110'),
    );
    expect(await untilSettled(stack, fixed)).toBe('closed');
    expect((await stack.client.trade(fixed)).exitRequest).toMatchObject({
      reason: 'stopLoss',
      trigger: { price: '94' },
    });
    await until('the stop has moved', async () => (await stopPriceOf(trailing)) === '99');
    await stack.venue.tick('98.99');
    expect(await untilSettled(stack, trailing)).toBe('closed');
    expect((await stack.client.trade(trailing)).exitRequest).toMatchObject({ reason: 'trailingStop' });
  });
});

describe('an exit', () => {
  test('sells once although the worker died when the watch had seen the price', async () => {
    const tradeId = 'exit-beforeTrigger';
    await openTrade(stack, tradeId);
    await dieAt('beforeTrigger', () => stack.venue.tick('94'));
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect(await placementsOf(await orderOf(tradeId, 'exit'))).toBe(1);
  });

  test('is adopted when the worker dies before the answer to its order', async () => {
    const tradeId = 'exit-sent';
    await openTrade(stack, tradeId);
    const { orders } = await stack.venue.ledger();
    await stack.venue.plan(hangAnswers('exit'));
    await stack.restarted('worker', async () => {
      await stack.venue.tick('94');
      await untilAtVenue(orders.length + 1);
      process.kill(stack.pidOf('worker'), 'SIGKILL');
    });
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect(await placementsOf(await orderOf(tradeId, 'exit'))).toBe(1);
  });

  test('sends its next generation when nobody can know whether the first was sent', async () => {
    const tradeId = 'exit-afterIntent';
    await openTrade(stack, tradeId);
    await dieAt('afterIntent', () => stack.venue.tick('94'));
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    const orders = (await stack.client.trade(tradeId)).orders.filter(({ purpose }) => purpose === 'exit');
    expect(orders.map(({ generation, status }) => ({ generation, status }))).toEqual([
      { generation: 1, status: 'parked' },
      { generation: 2, status: 'filled' },
    ]);
  });
});

test('a halt counts from its commit on, although the worker died before it told anybody', async () => {
  const halt = { commandId: 'halt-1', actor: 'tester', reason: 'a drill', scope: { kind: 'all', id: '*' } };
  await dieAt('afterHold', () => stack.temporal.workflow.getHandle('breaker-account-main').signal('halt', halt));
  const { outcome, reasons } = await enter(stack, 'halted');
  expect({ outcome, codes: reasons.map(({ code }) => code) }).toEqual({
    outcome: 'denied',
    codes: ['TRADING_STATE_BLOCKED'],
  });
  expect(await untilSettled(stack, 'halted')).toBe('denied');
  expect(stack.ratchet('resume', '--all', '--reason', 'the drill is over')).toMatchObject({ code: 0 });
  const records = await stack.sql(
    "select event_type from audit_event where event_type ~ '^(Halt|Resume)' order by insert_no",
  );
  expect(records.map((record) => record['event_type'])).toEqual(['HaltApplied', 'ResumeApplied']);
});

test('the record of it all holds', () => {
  expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
});
