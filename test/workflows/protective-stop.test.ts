import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import {
  type EntryProgressed,
  type GuardChanged,
  type OrderReported,
  type PositionClosed,
  type ProtectionInstruction,
  queries,
  signals,
} from '../../src/contracts/messages/messages.ts';
import { positionId, protectId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { PositionView, ProtectionView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import {
  aFailureFirst,
  aPosition,
  aReport,
  aTradeId,
  closedTrade,
  crossed,
  currentDetails,
  entered,
} from './fixtures.ts';

const world = aWorkflowWorld();

const start = (tradeId = aTradeId()) =>
  world.start(workflowTypes.protectiveStop, {
    workflowId: protectId(tradeId),
    taskQueue: taskQueues.guards,
    args: [{ tradeId, venue: 'paper', account: 'main', strategy: 'ma-cross', symbol: 'BTC/USDT' }],
  });

const viewOf = (handle: WorkflowHandle) => () => handle.query<ProtectionView, []>(queries.protection);
const activities = () => world.calls().map(({ activity }) => activity);

const ref = (tradeId: string, generation: number) => ({ tradeId, leg: 0, purpose: 'stop', generation }) as const;
const terms = (price: string, quantity = '2') =>
  ({
    side: 'SELL',
    orderType: 'STOP_LIMIT',
    quantity: decimal(quantity),
    limitPrice: decimal('80'),
    stopPrice: decimal(price),
  }) as const;
const place = (price = '90', generation = 1): ProtectionInstruction => ({
  step: 'place',
  order: ref('t', generation),
  terms: terms(price),
});
const replace = (price: string): ProtectionInstruction => ({
  step: 'replace',
  cancel: ref('t', 1),
  order: ref('t', 2),
  terms: terms(price),
});
const wait = (untilMs: number | null = null): ProtectionInstruction => ({ step: 'wait', why: 'stop works', untilMs });
const taken = aReport('new', { purpose: 'stop', clientOrderId: 'rts-1' });

/** Plays these steps, one a look, and the last one from then on. */
function playSteps(...steps: readonly ProtectionInstruction[]): void {
  const left = [...steps];
  world.play({
    planProtection: async () => (left.length > 1 ? left.shift() : left[0]) as ProtectionInstruction,
    placeOrder: async () => taken,
    replaceOrder: async () => ({ canceled: taken, placed: taken }),
    findOrder: async () => taken,
    cancelOrder: async () => taken,
    collectFills: async () => taken,
    requestExit: async () => 'requested',
  });
}

describe('keeps a stop at the venue', () => {
  test('from the first look on, shows it, and ends with the position', async () => {
    playSteps(place(), wait());
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'wait', stopPrice: '90', quantity: '2', orders: 1 });
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**wait**: stop of BTC/USDT at paper',
      '- 2 from 90',
      '- orders so far: 1',
    ]);
    await handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(handle.workflowId));
    expect(await handle.result()).toMatchObject({ doing: 'done', orders: 1 });
    expect(activities()).toEqual(['planProtection', 'placeOrder', 'planProtection']);
  });

  test.each<[string, (handle: WorkflowHandle) => Promise<void>]>([
    ['its order changes', (handle) => handle.signal<[OrderReported]>(signals.orderReported, taken)],
    ['the entry fills more', (handle) => handle.signal<[EntryProgressed]>(signals.entryProgressed, entered('2'))],
    ['the local guard moves', (handle) => handle.signal<[GuardChanged]>(signals.guardChanged, crossed('stopLoss'))],
  ])('and looks again when %s', async (_name, tell) => {
    playSteps(wait(), replace('92'), wait(), { step: 'done' });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'wait' });
    await tell(handle);
    await eventually(viewOf(handle)).toMatchObject({ doing: 'wait', stopPrice: '92', orders: 1 });
    await tell(handle);
    expect(await handle.result()).toMatchObject({ doing: 'done' });
  });

  test('and looks again when it is time', async () => {
    const nowMs = await world.nowMs();
    playSteps(wait(nowMs + 60_000), { step: 'done' });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'wait' });
    await world.skip('2 minutes');
    expect(await handle.result()).toMatchObject({ doing: 'done' });
  });

  test.each(['find', 'cancel', 'collectFills'] as const)('and settles what is not settled: %s', async (step) => {
    playSteps({ step, order: ref('t', 1) }, { step: 'done' });
    await (await start()).result();
    const activity = { find: 'findOrder', cancel: 'cancelOrder', collectFills: 'collectFills' }[step];
    expect(activities()).toEqual(['planProtection', activity, 'planProtection']);
  });

  test('and asks for the exit when the price is through, then leaves the stop to it', async () => {
    playSteps({ step: 'exit', why: '94 is through the stop' }, { step: 'done' });
    expect(await (await start('t-through')).result()).toMatchObject({ doing: 'done', orders: 0 });
    expect(world.calls().find(({ activity }) => activity === 'requestExit')?.args).toEqual([
      { tradeId: 't-through', reason: 'protectiveStop', source: 'protectiveStop' },
    ]);
  });

  test('and does not ask for the exit in a loop where somebody has asked before', async () => {
    playSteps({ step: 'exit', why: '94 is through the stop' });
    world.play({ requestExit: async () => 'already' });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'exit' });
    await handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(handle.workflowId));
    await handle.result();
    expect(activities().filter((activity) => activity === 'requestExit').length).toBe(1);
  });

  test('and goes on after a failure for good', async () => {
    const failsOnce = aFailureFirst(new RatchetError('VENUE_UNKNOWN'));
    playSteps(place(), place('90', 2), { step: 'done' });
    world.play({ placeOrder: failsOnce(async () => taken) });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'pause' });
    await world.skip('10 seconds');
    expect(await handle.result()).toMatchObject({ doing: 'done', orders: 2 });
  });

  test('and can not be canceled', async () => {
    playSteps(place(), wait());
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ doing: 'wait' });
    await handle.cancel();
    await handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(handle.workflowId));
    expect(await handle.result()).toMatchObject({ doing: 'done' });
  });
});

test('the monitor of the position starts it, once, with what it needs', async () => {
  playSteps(wait());
  world.play({ armGuards: async () => ['stopLoss'], disarmGuards: async () => {} });
  const protectiveStop = { at: 'venue', limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 } as const;
  const input = aPosition({ stopLoss: { price: decimal('90') }, protectiveStop });
  const { workflowId } = world.handle(positionId(input.tradeId));
  const monitor = await world.client.workflow.signalWithStart(workflowTypes.positionMonitoring, {
    workflowId,
    taskQueue: taskQueues.guards,
    args: [input],
    signal: signals.entryProgressed,
    signalArgs: [entered('2')],
  });
  await eventually(() => monitor.query<PositionView, []>(queries.position)).toMatchObject({ phase: 'guarded' });
  const keeper = world.handle(protectId(input.tradeId));
  await eventually(viewOf(keeper)).toMatchObject({ doing: 'wait' });
  await monitor.signal<[PositionClosed]>(signals.positionClosed, closedTrade(input.tradeId));
  // Without waiting for its result: the server's clock would skip to the end of all that has nothing to wait for.
  await eventually(async () => (await monitor.describe()).status.name).toBe('COMPLETED');
  expect((await keeper.describe()).status.name).toBe('RUNNING');
  await keeper.signal<[PositionClosed]>(signals.positionClosed, closedTrade(input.tradeId));
  await keeper.result();
});
