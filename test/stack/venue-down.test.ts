import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultRule } from '../../src/simulator/faults/faults.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { LedgerRequest } from '../support/paper-control.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enter, enterApproved, openTrade, phaseOf, stopOut, untilPhase, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';

// The venue is away, or answers with failures of its own: what adds risk is refused or parked, what takes risk away goes
// on trying until it succeeds.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    environment: {
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      RATCHET_BREAKER_FAILURE_THRESHOLD: '3',
      RATCHET_BREAKER_OPEN_TIMEOUT_MS: '1000',
      RATCHET_BREAKER_HALF_OPEN_PROBES_MAX: '2',
    },
  });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

const fails = (on: FaultRule['on'], phase: FaultRule['phase']): FaultRule => ({
  on,
  phase,
  do: { action: 'status', code: 503, body: { code: -1000, msg: 'An unknown error occurred.' } },
});
const placement = { method: 'POST', path: '/api/v3/order' };

const isPlacement = (prefix: string) => (request: LedgerRequest) =>
  request.method === 'POST' && (request.parameters['newClientOrderId'] ?? '').startsWith(prefix);

const placements = async (prefix: string): Promise<number> =>
  (await stack.venue.ledger()).requests.filter(isPlacement(prefix)).length;

const statusOf = async (tradeId: string): Promise<unknown> => {
  const [order] = await stack.sql("select * from orders where trade_id = $1 and purpose = 'entry'", [tradeId]);
  return order?.['status'] === 'pendingNew' && order['in_doubt'] ? 'in doubt' : order?.['status'];
};

const sendsOf = async (tradeId: string): Promise<readonly unknown[]> => {
  const find =
    'select s.outcome from order_send s join orders using (client_order_id) where trade_id = $1 order by s.send_epoch';
  return (await stack.sql(find, [tradeId])).map((send) => send['outcome']);
};

const untilStatus = (tradeId: string, status: string): Promise<unknown> =>
  until(`the entry of ${tradeId} is ${status}`, async () => (await statusOf(tradeId)) === status);

async function resolveDead(tradeId: string): Promise<void> {
  const { orders } = await stack.client.trade(tradeId);
  const id = orders.find(({ purpose }) => purpose === 'entry')?.clientOrderId ?? '';
  expect(stack.ratchet('resolve', id, '--verdict', 'dead', '--reason', 'the venue never had it')).toMatchObject({
    code: 0,
  });
  expect(await untilSettled(stack, tradeId)).toBe('unfilled');
}

test('an entry that finds nobody at the venue is placed once when it is back', async () => {
  const tradeId = 'down-refused';
  const { supervisor } = stack;
  await openTrade(stack, 'down-before');
  await stopOut(stack, 'down-before');
  await stack.restarted('paper', async () => {
    // A supervisor that is stopped starts nothing again: the venue stays away for as long as the test wants it.
    supervisor.kill('SIGSTOP');
    process.kill(stack.pidOf('paper'), 'SIGKILL');
    try {
      await enterApproved(stack, tradeId);
      await until('nothing could be sent', async () => (await sendsOf(tradeId)).includes('NOT_SENT'));
    } finally {
      supervisor.kill('SIGCONT');
    }
  });
  await untilPhase(stack, tradeId, 'open');
  expect((await sendsOf(tradeId)).at(-1)).toBe('ACCEPTED');
  expect(await placements('rte-')).toBe(2);
  await stopOut(stack, tradeId);
});

describe('while the venue fails at everything, an entry stays in doubt with its reservation, and once it is back', () => {
  const everything = { path: '/api/v3/*' };

  const enterIntoFailure = async (tradeId: string, phase: FaultRule['phase']): Promise<void> => {
    await stack.venue.plan(
      fails(placement, phase),
      fails({ ...everything, method: 'GET' }, 'before_auth'),
      fails({ ...everything, method: 'DELETE' }, 'before_auth'),
      { on: { path: '/ws-api/v3' }, phase: 'stream', do: { action: 'drop' } },
    );
    await enterApproved(stack, tradeId);
    await untilStatus(tradeId, 'in doubt');
    const [order] = await stack.sql<{ intent_at_ms: string }>('select * from orders where trade_id = $1', [tradeId]);
    // Long after its fence: nobody could be asked, so nothing is concluded.
    await until('its fence has passed', async () => Date.now() > Number(order?.intent_at_ms) + 4_000);
    expect(await statusOf(tradeId)).toBe('in doubt');
    expect(
      await stack.sql('select posted_quantity, voided_quantity from reservation where trade_id = $1', [tradeId]),
    ).toEqual([{ posted_quantity: '0', voided_quantity: '0' }]);
    await stack.venue.clearPlan();
  };

  test('is parked, if it was never taken', async () => {
    await enterIntoFailure('failing-not-taken', 'before_accept');
    await untilStatus('failing-not-taken', 'parked');
    await resolveDead('failing-not-taken');
  });

  test('is adopted, if it was taken', async () => {
    await enterIntoFailure('failing-taken', 'before_response');
    await untilPhase(stack, 'failing-taken', 'open');
    await stack.venue.tick('94');
    expect(await untilSettled(stack, 'failing-taken')).toBe('closed');
  });
});

describe('a storm of failures', () => {
  const held = 'storm-held';
  const inStorm = ['storm-1', 'storm-2', 'storm-3'];
  const stateOfBreaker = async () => (await stack.client.state()).breaker.state;

  test('opens the circuit breaker, which refuses entries', async () => {
    await openTrade(stack, held);
    await stack.venue.plan(fails(placement, 'before_accept'));
    for (const tradeId of inStorm) {
      await enterApproved(stack, tradeId);
      await until(`${tradeId} has failed`, async () =>
        ['in doubt', 'parked'].includes(String(await statusOf(tradeId))),
      );
    }
    await until('the breaker is open', async () => (await stateOfBreaker()) === 'OPEN');
    const decision = await enter(stack, 'storm-denied');
    expect(decision).toMatchObject({ outcome: 'denied', reasons: [expect.objectContaining({ code: 'BREAKER_OPEN' })] });

    // The exit is not asked: it tries generation after generation.
    const before = await placements('rtx-');
    await stack.venue.tick('94');
    await until('the exit has tried three times', async () => (await placements('rtx-')) >= before + 3);
    expect(await phaseOf(stack, held)).toBe('closing');
  });

  test('that is over lets the exit succeed, and probes close the breaker', async () => {
    expect(await untilSettled(stack, held)).toBe('closed');
    await until('the breaker lets probes through', async () => (await stateOfBreaker()) !== 'OPEN');
    for (let probe = 1; (await stateOfBreaker()) !== 'CLOSED'; probe += 1) {
      expect(probe).toBeLessThan(4);
      await openTrade(stack, `storm-probe-${probe}`);
      await stack.venue.tick('94');
      expect(await untilSettled(stack, `storm-probe-${probe}`)).toBe('closed');
      await stack.venue.tick('100');
    }
    const records = await stack.sql(
      "select event_type from audit_event where event_type like 'Breaker%' order by insert_no",
    );
    expect(records.map((record) => record['event_type'])).toEqual(
      expect.arrayContaining(['BreakerTripped', 'BreakerHalfOpened', 'BreakerReset']),
    );
  });

  test('leaves the entries parked that nobody knows, until somebody settles them', async () => {
    for (const tradeId of inStorm) {
      await untilStatus(tradeId, 'parked');
      await resolveDead(tradeId);
    }
  });
});

test('the record of it all holds', () => {
  expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
});
