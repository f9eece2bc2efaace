import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EntryOutcome } from '../../src/contracts/messages/decision.ts';
import { entryId } from '../../src/contracts/messages/names.ts';
import type { CrashPoint } from '../../src/observability/crash-point.ts';
import type { FaultRule } from '../../src/simulator/faults/faults.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { phaseOf, untilSettled, untilWatched } from '../support/trading.ts';
import { until } from '../support/until.ts';

// Trades of two legs on two markets, by real processes: all legs or none, whatever happens in between.
let stack: Stack;

const points = [
  'afterReserve',
  'afterIntent',
  'afterBytes',
  'afterAnswer',
  'afterRecord',
  'beforeWorkflowTask',
] as const;
const symbols = ['BTC/USDT', 'ETH/USDT'] as const;
type Leg = 0 | 1;

beforeAll(async () => {
  stack = await startStack({
    symbols,
    environment: {
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      // Answers that are held back count as failures; this is not about the breaker.
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
    },
    crashPoints: [...points, 'afterExitAnswer'],
  });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

const aPair = (tradeId: string) => ({
  tradeId,
  strategy: 'stack-tests',
  legs: [
    { symbol: symbols[0], side: 'BUY' as const, quantity: '0.01' },
    { symbol: symbols[1], side: 'BUY' as const, quantity: '0.2' },
  ],
  entry: { type: 'MARKET' as const },
  exit: { stopLoss: { price: '1000' } },
  requestedAtMs: Date.now(),
  validForMs: 60_000,
});

/** Names a trade that is approved. One that is refused because a worker has no prices yet is tried again. */
async function approvedOf(name: string, decide: (tradeId: string) => Promise<string | undefined>): Promise<string> {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const tradeId = `${name}-${attempt}`;
    if ((await decide(tradeId)) === 'approved') return tradeId;
  }
  throw new Error(`${name} is refused again and again`);
}

const enterPair = (name: string): Promise<string> =>
  approvedOf(name, async (tradeId) => (await stack.client.enter(aPair(tradeId))).outcome);

const outcomeOf = async (tradeId: string): Promise<string> => {
  const outcome: EntryOutcome = await stack.temporal.workflow.getHandle(entryId(tradeId)).result();
  return outcome.outcome;
};

const legsFilled = async (tradeId: string): Promise<readonly unknown[]> =>
  (
    await stack.sql(
      "select leg from orders where trade_id = $1 and purpose = 'entry' and status = 'filled' order by leg",
      [tradeId],
    )
  ).map(({ leg }) => leg);

const untilIntended = (tradeId: string, leg: Leg): Promise<unknown> =>
  until(`leg ${leg} of ${tradeId} has its intent`, async () => {
    const rows = await stack.sql("select 1 from orders where trade_id = $1 and purpose = 'entry' and leg = $2", [
      tradeId,
      leg,
    ]);
    return rows.length > 0;
  });

const placing = (leg: Leg, phase: FaultRule['phase'], action: FaultRule['do']): FaultRule => ({
  on: {
    method: 'POST',
    path: '/api/v3/order',
    match: { symbol: symbols[leg].replace('/', ''), newClientOrderId: 'rte-.*' },
    nth: 1,
  },
  phase,
  do: action,
});

/** The venue does what is asked for the leg, and is slow to say so: there is time to do something meanwhile. */
const holdAnswer = (leg: Leg): Promise<void> =>
  stack.venue.plan(placing(leg, 'before_response', { action: 'delay', ms: 1_500 }));

async function closePair(tradeId: string): Promise<void> {
  await stack.client.close(tradeId, { reason: 'the test is over', actor: 'test' });
  expect(await untilSettled(stack, tradeId)).toBe('closed');
}

const resultOf = async (tradeId: string) => {
  const { result, exitReason } = await stack.client.trade(tradeId);
  return { exitReason, symbols: result?.map(({ symbol }) => symbol) };
};

test('both legs are entered, shown, guarded by the first, and closed together', async () => {
  const tradeId = await enterPair('pair');
  expect(await outcomeOf(tradeId)).toBe('entered');
  await untilWatched(stack, tradeId);
  const { positions, guards, symbol, otherSymbols } = await stack.client.trade(tradeId);
  expect([symbol, ...otherSymbols]).toEqual(symbols);
  expect(positions).toMatchObject([
    { leg: 0, symbol: 'BTC/USDT', entryQuantity: '0.01', isOpen: true },
    { leg: 1, symbol: 'ETH/USDT', entryQuantity: '0.2', isOpen: true },
  ]);
  expect(guards).toMatchObject([{ leg: 0, kind: 'stopLoss' }]);
  const page = stack.ratchet('trade', tradeId).output;
  for (const text of ['BUY 0.01 BTC/USDT at market', 'BUY 0.2 ETH/USDT at market']) expect(page).toContain(text);
  await closePair(tradeId);
  expect(await resultOf(tradeId)).toEqual({ exitReason: 'bot', symbols });
});

describe('the worker dies', () => {
  type Death = { readonly point: CrashPoint; readonly leg: Leg; readonly heldBack?: Leg };

  // Where a point is passed for every leg, the one before is held back until the strike is planned.
  const deaths: readonly Death[] = [
    { point: 'afterRecord', leg: 0 },
    { point: 'afterAnswer', leg: 1, heldBack: 1 },
    { point: 'afterReserve', leg: 0 },
    { point: 'beforeWorkflowTask', leg: 0 },
    { point: 'afterBytes', leg: 1, heldBack: 0 },
    { point: 'afterRecord', leg: 1, heldBack: 1 },
  ];

  // Between the legs, and with the second one at the venue; at the other points with FULL_LENGTH=1.
  test.each(process.env['FULL_LENGTH'] === '1' ? deaths : deaths.slice(0, 2))(
    '$point of leg $leg: both legs are entered, each with one order',
    async ({ point, leg, heldBack }) => {
      const tradeId = await dieAt(point, `dies-${point}-${leg}`, heldBack);
      expect(await outcomeOf(tradeId)).toBe('entered');
      expect(await legsFilled(tradeId)).toEqual([0, 1]);
      await closePair(tradeId);
    },
  );

  test('between the intent and the bytes of the second leg: it is parked, then dead, and the first is sold', async () => {
    const tradeId = await dieAt('afterIntent', 'dies-unsent', 0);
    const parked = await until('the second leg is parked', async () => {
      const { orders } = await stack.client.trade(tradeId);
      return orders.find(({ leg, status }) => leg === 1 && status === 'parked');
    });
    // Held and guarded as long as nobody knows.
    expect(await legsFilled(tradeId)).toEqual([0]);
    expect(await phaseOf(stack, tradeId)).toBe('open');
    await untilWatched(stack, tradeId);
    const resolved = stack.ratchet('resolve', parked.clientOrderId, '--verdict', 'dead', '--reason', 'it never left');
    expect(resolved).toMatchObject({ code: 0 });
    expect(await outcomeOf(tradeId)).toBe('compensated');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect(await resultOf(tradeId)).toEqual({ exitReason: 'legFailed', symbols });
  });

  test('while the first leg is sold again: it is sold once', async () => {
    let tradeId = '';
    await stack.venue.plan(refused);
    stack.plan('afterExitAnswer');
    await stack.restarted('worker', async () => {
      tradeId = await enterPair('dies-compensating');
      await stack.struck('afterExitAnswer');
    });
    expect(await outcomeOf(tradeId)).toBe('compensated');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    const exits = await stack.sql("select leg from orders where trade_id = $1 and purpose = 'exit'", [tradeId]);
    expect(exits).toEqual([{ leg: 0 }]);
  });

  function dieAt(point: CrashPoint, name: string, heldBack: Leg | undefined): Promise<string> {
    if (heldBack === undefined) return dieInside(point, name);
    return dieLater(point, name, heldBack);
  }

  /** The first time that anybody gets to the point. */
  const dieInside = (point: CrashPoint, name: string): Promise<string> =>
    approvedOf(name, async (tradeId) => {
      stack.plan(point);
      await stack.restarted('worker', async () => {
        // Nobody waits for the decision: the worker is about to die.
        void stack.client.enter(aPair(tradeId)).catch(() => undefined);
        await stack.struck(point);
      });
      return (await stack.client.trade(tradeId)).decision.outcome;
    });

  /** The first time after the venue was given the order of the leg whose answer it holds back. */
  async function dieLater(point: CrashPoint, name: string, heldBack: Leg): Promise<string> {
    await holdAnswer(heldBack);
    const tradeId = await enterPair(name);
    await stack.restarted('worker', async () => {
      await untilIntended(tradeId, heldBack);
      stack.plan(point);
      await stack.struck(point);
    });
    return tradeId;
  }
});

const refused = placing(1, 'before_accept', {
  action: 'status',
  code: 400,
  body: { code: -2010, msg: 'Account has insufficient balance for requested action.' },
});

describe('the first leg is sold again, and nothing else was sent, when', () => {
  const expectCompensated = async (tradeId: string, exitReason: string): Promise<void> => {
    expect(await outcomeOf(tradeId)).toBe('compensated');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect(await resultOf(tradeId)).toEqual({ exitReason, symbols });
    expect(await legsFilled(tradeId)).toEqual([0]);
  };

  test('the venue refuses the second', async () => {
    await stack.venue.plan(refused);
    await expectCompensated(await enterPair('refused'), 'legFailed');
  });

  test('a halt comes in between', async () => {
    await holdAnswer(0);
    const tradeId = await enterPair('halted');
    await untilIntended(tradeId, 0);
    expect(stack.ratchet('halt', '--symbol', 'ETH/USDT', '--reason', 'news')).toMatchObject({ code: 0 });
    await expectCompensated(tradeId, 'legFailed');
    expect(stack.ratchet('resume', '--symbol', 'ETH/USDT', '--reason', 'no news')).toMatchObject({ code: 0 });
  });

  test('somebody closes the trade in between', async () => {
    await holdAnswer(0);
    const tradeId = await enterPair('closed-between');
    await untilIntended(tradeId, 0);
    await stack.client.close(tradeId, { reason: 'enough', actor: 'test' });
    await expectCompensated(tradeId, 'bot');
  });
});

test('nothing is left where the first leg is refused already', async () => {
  await stack.venue.plan({
    ...refused,
    on: { ...refused.on, match: { symbol: 'BTCUSDT', newClientOrderId: 'rte-.*' } },
  });
  const tradeId = await enterPair('refused-first');
  expect(await outcomeOf(tradeId)).toBe('unfilled');
  expect(await untilSettled(stack, tradeId)).toBe('unfilled');
});
