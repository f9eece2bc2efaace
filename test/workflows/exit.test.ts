import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import {
  type ExitInput,
  type ExitInstruction,
  type OrderReported,
  type OrderTerms,
  queries,
  signals,
} from '../../src/contracts/messages/messages.ts';
import { exitId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { ExitView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aReport, aTradeId, closedTrade, currentDetails } from './fixtures.ts';

const world = aWorkflowWorld();

const anExit = (): ExitInput => ({
  tradeId: aTradeId(),
  venue: 'paper',
  account: 'main',
  symbol: 'BTC/USDT',
  reason: 'stopLoss',
});

const start = (input: ExitInput) =>
  world.start(workflowTypes.exit, {
    workflowId: exitId(input.tradeId),
    taskQueue: taskQueues.guards,
    args: [input],
  });

const viewOf = (handle: WorkflowHandle) => () => handle.query<ExitView, []>(queries.exit);
const activities = () => world.calls().map(({ activity }) => activity);
const argsOf = (activity: keyof Activities) =>
  world.calls().flatMap((call) => (call.activity === activity ? [call.args[0]] : []));

const entryOrder = { leg: 0, purpose: 'entry', generation: 1, clientOrderId: 'r1-t-e1' } as const;
const exitOrder = (generation: number) => ({ leg: 0, purpose: 'exit', generation }) as const;
const terms = (changed: Partial<OrderTerms> = {}): OrderTerms => ({
  side: 'SELL',
  orderType: 'MARKET',
  quantity: decimal('2'),
  limitPrice: null,
  stopPrice: null,
  ...changed,
});
const place = (tradeId: string, generation: number, changed?: Partial<OrderTerms>): ExitInstruction => ({
  step: 'place',
  order: { tradeId, ...exitOrder(generation) },
  terms: terms(changed),
});
const settle: ExitInstruction = { step: 'settle' };

/** Gives these instructions, one at each look, and answers whatever they make the workflow ask. */
function playPlan(tradeId: string, plan: readonly (ExitInstruction | Error)[]): void {
  const left = [...plan];
  world.play({
    planExit: async () => {
      const next = left.shift();
      if (next instanceof Error) throw next;
      return next ?? settle;
    },
    cancelOrder: async () => aReport('canceled'),
    findOrder: async () => aReport('canceled'),
    collectFills: async () => aReport('filled'),
    placeOrder: async () => aReport('filled', { purpose: 'exit' }),
    settleTrade: async () => closedTrade(tradeId),
  });
}

describe('on the way to flat', () => {
  test.each<{ name: string; next: (tradeId: string) => ExitInstruction; asks: keyof Activities; of: object }>([
    {
      name: 'cancels',
      next: (tradeId) => ({ step: 'cancel', order: { tradeId, ...entryOrder } }),
      asks: 'cancelOrder',
      of: entryOrder,
    },
    {
      name: 'looks for',
      next: (tradeId) => ({ step: 'find', order: { tradeId, ...entryOrder } }),
      asks: 'findOrder',
      of: entryOrder,
    },
    {
      name: 'collects the fills of',
      next: (tradeId) => ({ step: 'collectFills', order: { tradeId, ...entryOrder } }),
      asks: 'collectFills',
      of: entryOrder,
    },
    {
      name: 'places',
      next: (tradeId) => place(tradeId, 1),
      asks: 'placeOrder',
      of: { ...exitOrder(1), terms: terms() },
    },
  ])('$name the order it was told to, and settles once it is flat', async ({ next, asks, of }) => {
    const input = anExit();
    playPlan(input.tradeId, [next(input.tradeId)]);
    const handle = await start(input);
    expect(await handle.result()).toEqual(closedTrade(input.tradeId));
    expect(activities()).toEqual(['planExit', asks, 'planExit', 'settleTrade']);
    expect(argsOf(asks)).toMatchObject([{ tradeId: input.tradeId, ...of }]);
  });

  test('takes the first step that it was started with, and looks before the next one', async () => {
    const input = { ...anExit(), first: place('', 1) };
    playPlan(input.tradeId, []);
    const handle = await start(input);
    expect(await handle.result()).toEqual(closedTrade(input.tradeId));
    expect(activities()).toEqual(['placeOrder', 'planExit', 'settleTrade']);
    expect(argsOf('placeOrder')).toMatchObject([{ ...exitOrder(1), terms: terms() }]);
  });

  test('goes through the whole list and shows what it came to', async () => {
    const input = anExit();
    const { tradeId } = input;
    playPlan(tradeId, [
      { step: 'cancel', order: { tradeId, ...entryOrder } },
      { step: 'collectFills', order: { tradeId, ...entryOrder } },
      place(tradeId, 1, { orderType: 'LIMIT', limitPrice: decimal('110') }),
      { step: 'cancel', order: { tradeId, ...exitOrder(1), clientOrderId: 'r1-t-x1' } },
      place(tradeId, 2),
    ]);
    const handle = await start(input);
    await handle.result();
    expect(activities().filter((name) => name !== 'planExit')).toEqual([
      'cancelOrder',
      'collectFills',
      'placeOrder',
      'cancelOrder',
      'placeOrder',
      'settleTrade',
    ]);
    expect(await viewOf(handle)()).toMatchObject({ doing: 'done', orders: 2, closed: { pnl: '-20.38' } });
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**done**: BTC/USDT because of stopLoss',
      '- exit orders so far: 2',
      '- flat: P&L -20.38 USDT after fees, dust 0',
    ]);
  });

  test('tells the plan which orders it has asked to cancel', async () => {
    const input = anExit();
    const { tradeId } = input;
    playPlan(tradeId, [{ step: 'cancel', order: { tradeId, ...entryOrder } }]);
    await (await start(input)).result();
    expect(argsOf('planExit')).toEqual([
      { tradeId, canceled: [] },
      { tradeId, canceled: [['r1-t-e1', expect.any(Number)]] },
    ]);
  });

  test('looks again when something came between flat and settled', async () => {
    const input = anExit();
    playPlan(input.tradeId, [settle, place(input.tradeId, 2), settle]);
    const answers = [null, closedTrade(input.tradeId)];
    world.play({ settleTrade: async () => answers.shift() ?? null });
    expect(await (await start(input)).result()).toEqual(closedTrade(input.tradeId));
    expect(activities()).toEqual(['planExit', 'settleTrade', 'planExit', 'placeOrder', 'planExit', 'settleTrade']);
  });
});

describe('waits', () => {
  const awaits = async (waitMs: number): Promise<ExitInstruction> => ({
    step: 'await',
    why: 'an exit order is on its way',
    untilMs: (await world.nowMs()) + waitMs,
  });

  test('until an order of the trade is reported', async () => {
    const input = anExit();
    playPlan(input.tradeId, [await awaits(3_600_000)]);
    const handle = await start(input);
    await eventually(viewOf(handle)).toMatchObject({ doing: 'await' });
    expect(activities()).toEqual(['planExit']);
    await handle.signal<[OrderReported]>(signals.orderReported, aReport('filled', { purpose: 'exit' }));
    await eventually(viewOf(handle)).toMatchObject({ doing: 'done' });
  });

  test('no longer than it was told to', async () => {
    const input = anExit();
    playPlan(input.tradeId, [await awaits(3_600_000)]);
    const handle = await start(input);
    await eventually(viewOf(handle)).toMatchObject({ doing: 'await' });
    await world.skip('50 minutes');
    expect(activities()).toEqual(['planExit']);
    await world.skip('11 minutes');
    await eventually(viewOf(handle)).toMatchObject({ doing: 'done' });
  });

  test('not at all when the time has passed', async () => {
    const input = anExit();
    playPlan(input.tradeId, [await awaits(-1_000)]);
    expect(await (await start(input)).result()).toMatchObject({ tradeId: input.tradeId });
  });

  test('for a report that came while it was looking, not for another one', async () => {
    const input = anExit();
    playPlan(input.tradeId, [place(input.tradeId, 1), await awaits(3_600_000)]);
    const handle = await start(input);
    // Reported over and over, so that some of them come while the plan is made.
    await eventually(async () => {
      await handle.signal<[OrderReported]>(signals.orderReported, aReport('filled', { purpose: 'exit' }));
      return (await viewOf(handle)()).doing;
    }).toBe('done');
  });
});

describe('sells although a cancel can not be confirmed', () => {
  test('and asks for it again until the venue has confirmed it', async () => {
    const input = anExit();
    const { tradeId } = input;
    const cancel: ExitInstruction = { step: 'cancel', order: { tradeId, ...entryOrder } };
    playPlan(tradeId, [cancel, place(tradeId, 1), cancel, place(tradeId, 2)]);
    world.play({
      cancelOrder: async () => {
        throw ApplicationFailure.create({ type: 'CANCEL_UNCONFIRMED', message: 'the venue has not confirmed it' });
      },
    });
    expect(await (await start(input)).result()).toEqual(closedTrade(tradeId));
    const asked = activities().filter((name, i, all) => name !== 'planExit' && name !== all[i - 1]);
    expect(asked).toEqual(['cancelOrder', 'placeOrder', 'cancelOrder', 'placeOrder', 'settleTrade']);
    const told = { tradeId, canceled: [['r1-t-e1', expect.any(Number)]] };
    expect(argsOf('planExit')).toEqual([{ tradeId, canceled: [] }, told, told, told, told]);
  });
});

describe('never gives up', () => {
  test('and can not be canceled from outside', async () => {
    const input = anExit();
    const untilMs = (await world.nowMs()) + 3_600_000;
    playPlan(input.tradeId, [{ step: 'await', why: 'an exit order is on its way', untilMs }, place(input.tradeId, 2)]);
    const handle = await start(input);
    await eventually(viewOf(handle)).toMatchObject({ doing: 'await' });
    await handle.cancel();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'await' });
    expect(await handle.result()).toMatchObject({ tradeId: input.tradeId });
    expect(activities()).toContain('placeOrder');
  });

  test('while the venue can not be asked', async () => {
    const input = anExit();
    let attempts = 0;
    playPlan(input.tradeId, [place(input.tradeId, 1)]);
    world.play({
      placeOrder: async () => {
        attempts += 1;
        if (attempts < 20) throw new RatchetError('VENUE_UNAVAILABLE');
        return aReport('filled', { purpose: 'exit' });
      },
    });
    expect(await (await start(input)).result()).toMatchObject({ tradeId: input.tradeId });
    expect(attempts).toBe(20);
  });

  test.each([
    { name: 'the position was smaller than was planned', error: new RatchetError('EXIT_EXCEEDS_POSITION') },
    { name: 'the venue refuses the key', error: new RatchetError('VENUE_KEY_REFUSED') },
  ])('when an order fails for good because $name: it pauses, says so, and looks again', async ({ error }) => {
    const input = anExit();
    let isMended = false;
    playPlan(input.tradeId, [place(input.tradeId, 1), place(input.tradeId, 1), place(input.tradeId, 2)]);
    world.play({
      placeOrder: async () => {
        if (!isMended) throw error;
        return aReport('filled', { purpose: 'exit' });
      },
    });
    const handle = await start(input);
    await eventually(() => currentDetails(handle)).toContain(error.code);
    isMended = true;
    expect(await handle.result()).toMatchObject({ tradeId: input.tradeId });
    expect(await viewOf(handle)()).toMatchObject({ doing: 'done', orders: 2 });
  });

  test('when the plan itself fails for good', async () => {
    const input = anExit();
    playPlan(input.tradeId, [new RatchetError('SYMBOL_UNKNOWN'), place(input.tradeId, 1)]);
    expect(await (await start(input)).result()).toMatchObject({ tradeId: input.tradeId });
    expect(activities()).toEqual(['planExit', 'planExit', 'placeOrder', 'planExit', 'settleTrade']);
  });

  test('through a hundred generations', async () => {
    const input = anExit();
    const generations = Array.from({ length: 100 }, (_, i) => i + 1);
    playPlan(
      input.tradeId,
      generations.map((generation) => place(input.tradeId, generation)),
    );
    const handle = await start(input);
    await handle.result();
    expect(argsOf('placeOrder')).toMatchObject(generations.map(exitOrder));
    expect(await viewOf(handle)()).toMatchObject({ orders: 100 });
  });
});
