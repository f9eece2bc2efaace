import type { WorkflowHandle } from '@temporalio/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EntryProgressed,
  type GuardChanged,
  type GuardKind,
  type PositionClosed,
  type PositionInput,
  queries,
  signals,
} from '../../src/contracts/messages/messages.ts';
import { positionId, stopId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { PositionView, StopView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import {
  aFailureFirst,
  aLongOutage,
  aPosition,
  aStopView,
  closedTrade,
  crossed,
  currentDetails,
  entered,
  searchAttributesOf,
} from './fixtures.ts';

const world = aWorkflowWorld();

/** As the outbox starts it: by the first fill's message. */
async function opens(input: PositionInput, first = entered('0.5')): Promise<WorkflowHandle> {
  const { workflowId } = world.handle(positionId(input.tradeId));
  return world.client.workflow.signalWithStart(workflowTypes.positionMonitoring, {
    workflowId,
    taskQueue: taskQueues.guards,
    args: [input],
    signal: signals.entryProgressed,
    signalArgs: [first],
  });
}

const viewOf = (handle: WorkflowHandle) => () => handle.query<PositionView, []>(queries.position);
const close = (handle: WorkflowHandle, tradeId: string) =>
  handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(tradeId));
const activities = () => world.calls().map(({ activity }) => activity);

const playGuards = (): void =>
  world.play({
    armGuards: async () => ['stopLoss', 'takeProfit'],
    disarmGuards: async () => {},
    requestExit: async () => 'requested',
  });

describe('guards', () => {
  test('arms with the first fill, says so, and disarms when the venue is flat', async () => {
    playGuards();
    const input = aPosition();
    const handle = await opens(input);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded', armed: ['stopLoss', 'takeProfit'] });
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**guarded**: long BTC/USDT',
      '- entered 0.5 for 50, the entry still works',
      '- armed: stopLoss, takeProfit',
    ]);
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'guarded' });

    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ phase: 'closed', closed: closedTrade(input.tradeId) });
    expect(activities()).toEqual(['armGuards', 'disarmGuards']);
    expect(await currentDetails(handle)).toContain('- closed 2 for 180, P&L -20.38 USDT after fees');
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'closed' });
  });

  test('is told of a trigger and closes because of the first one', async () => {
    playGuards();
    const handle = await opens(aPosition());
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded' });
    await handle.signal<[GuardChanged]>(signals.guardChanged, crossed('takeProfit'));
    await handle.signal<[GuardChanged]>(signals.guardChanged, crossed('stopLoss'));
    await eventually(viewOf(handle)).toMatchObject({ phase: 'closing', exitReason: 'takeProfit' });
    expect(activities()).not.toContain('requestExit');
  });

  test('stays on its way out when the trigger is told before it is armed', async () => {
    playGuards();
    const outage = aLongOutage<readonly GuardKind[]>(['stopLoss']);
    world.play({ armGuards: outage.activity });
    const input = aPosition({ timeStopMs: 60_000 });
    const handle = await opens(input);
    await eventually(outage.isWaitedFor).toBe(true);
    await handle.signal<[GuardChanged]>(signals.guardChanged, crossed('stopLoss'));
    outage.end();
    await world.skip('1 hour');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'closing', armed: ['stopLoss'], exitReason: 'stopLoss' });
    expect(activities()).not.toContain('requestExit');
    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ phase: 'closed', exitReason: 'stopLoss' });
  });

  test('ends when the trade is closed before it is armed', async () => {
    playGuards();
    const outage = aLongOutage<readonly GuardKind[]>([]);
    world.play({ armGuards: outage.activity });
    const input = aPosition();
    const handle = await opens(input);
    await eventually(outage.isWaitedFor).toBe(true);
    await close(handle, input.tradeId);
    outage.end();
    expect(await handle.result()).toMatchObject({ phase: 'closed', armed: [] });
    expect(activities().at(-1)).toBe('disarmGuards');
  });

  test('goes on arming, asking for the exit and disarming after failures for good', async () => {
    const input = aPosition({ stopLoss: { price: decimal('90') }, timeStopMs: 60_000 });
    const failsOnce = aFailureFirst(new RatchetError('VENUE_UNKNOWN'));
    world.play({
      armGuards: failsOnce(async () => ['stopLoss'] as const),
      requestExit: failsOnce(async () => 'requested' as const),
      disarmGuards: failsOnce(async () => {}),
    });
    const handle = await opens(input, entered('2', { firstFillAtMs: await world.nowMs() }));
    await eventually(activities).toContain('armGuards');
    await world.skip('2 minutes');
    await eventually(viewOf(handle)).toMatchObject({ armed: ['stopLoss'], phase: 'closing', exitReason: 'timeStop' });
    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ phase: 'closed' });
    const twice = ['armGuards', 'requestExit', 'disarmGuards'].flatMap((name) => [name, name]);
    expect(activities()).toEqual(twice);
  });

  test('keeps the largest quantity and the first fill, in whatever order and however often they are told', async () => {
    const told = [
      entered('0.5', { firstFillAtMs: 1_795_262_400_000 }),
      entered('1.5', { firstFillAtMs: 1_795_262_400_700 }),
      entered('2', { firstFillAtMs: 1_795_262_400_900 }),
      entered('2', { isFinal: true, firstFillAtMs: 1_795_262_400_900 }),
    ];
    const heard = fc.shuffledSubarray([...told, ...told], { minLength: 8 });
    const property = fc.asyncProperty(heard, async ([first, ...rest]) => {
      playGuards();
      const input = aPosition();
      const handle = await opens(input, first);
      for (const one of rest) await handle.signal<[EntryProgressed]>(signals.entryProgressed, one);
      await close(handle, input.tradeId);
      expect(await handle.result()).toMatchObject({ entry: { ...told[3], firstFillAtMs: told[0]?.firstFillAtMs } });
    });
    await fc.assert(property, { numRuns: 10 });
  });

  test('stays when it is canceled: only being flat ends a position', async () => {
    playGuards();
    const input = aPosition();
    const handle = await opens(input);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded' });
    await handle.cancel();
    await world.skip('1 minute');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'guarded' });
    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ phase: 'closed' });
  });
});

describe('the time stop', () => {
  test('asks for the exit once, as late after the first fill as was asked for', async () => {
    playGuards();
    const firstFillAtMs = (await world.nowMs()) - 5_000;
    const input = aPosition({ timeStopMs: 3_600_000 });
    const handle = await opens(input, entered('2', { firstFillAtMs }));
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded', timeStopAtMs: firstFillAtMs + 3_600_000 });
    expect(await currentDetails(handle)).toContain(
      `- time stop at ${new Date(firstFillAtMs + 3_600_000).toISOString()}`,
    );

    await world.skip('50 minutes');
    expect(activities()).not.toContain('requestExit');
    await world.skip('11 minutes');
    await eventually(viewOf(handle)).toMatchObject({ phase: 'closing', exitReason: 'timeStop' });
    await world.skip('1 day');
    expect(world.calls().filter(({ activity }) => activity === 'requestExit')).toEqual([
      {
        activity: 'requestExit',
        args: [{ tradeId: input.tradeId, reason: 'timeStop', source: 'positionMonitoring' }],
      },
    ]);
    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ exitReason: 'timeStop' });
  });

  test('comes at once when its time was up before the monitor had started', async () => {
    playGuards();
    const firstFillAtMs = (await world.nowMs()) - 120_000;
    const handle = await opens(aPosition({ timeStopMs: 60_000 }), entered('2', { firstFillAtMs }));
    await eventually(viewOf(handle)).toMatchObject({ phase: 'closing', exitReason: 'timeStop' });
  });

  test('does not come after a guard has triggered', async () => {
    playGuards();
    const firstFillAtMs = await world.nowMs();
    const handle = await opens(aPosition({ timeStopMs: 60_000 }), entered('2', { firstFillAtMs }));
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded' });
    await handle.signal<[GuardChanged]>(signals.guardChanged, crossed('stopLoss'));
    await world.skip('1 hour');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'closing', exitReason: 'stopLoss' });
    expect(activities()).not.toContain('requestExit');
  });

  test('leaves a position without one open for a year, at no cost', async () => {
    playGuards();
    const input = aPosition();
    const handle = await opens(input);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded' });
    const { historyLength } = await handle.describe();
    await world.skip('366 days');
    expect((await handle.describe()).historyLength).toBe(historyLength);
    await close(handle, input.tradeId);
    expect(await handle.result()).toMatchObject({ phase: 'closed' });
  });
});

describe('the trailing stop', () => {
  const trailing: PositionInput['exit'] = {
    trailingStop: { by: 'percent', distance: decimal('0.8'), trigger: 'last' },
  };

  test('is started as a workflow of its own, and outlives the monitor', async () => {
    playGuards();
    const input = aPosition(trailing);
    world.play({ armGuards: async () => [], armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await opens(input);
    const stop = world.handle(stopId(input.tradeId));
    await eventually(viewOf(handle)).toMatchObject({ phase: 'guarded', armed: ['trailingStop'] });
    await eventually(() => stop.query<StopView, []>(queries.stop)).toMatchObject({ tradeId: input.tradeId });

    await handle.terminate('a monitor that dies');
    expect(await stop.describe()).toMatchObject({
      status: { name: 'RUNNING' },
      parentExecution: { workflowId: handle.workflowId },
    });
  });

  test('is found when another monitor has started it before', async () => {
    playGuards();
    const input = aPosition(trailing);
    world.play({ armGuards: async () => [], armTrailingStop: async (tradeId) => aStopView(tradeId) });
    await world.start(workflowTypes.trailingStop, {
      workflowId: stopId(input.tradeId),
      taskQueue: taskQueues.guards,
      args: [{ tradeId: input.tradeId, symbol: input.symbol, account: input.account, strategy: input.strategy }],
    });
    await eventually(viewOf(await opens(input))).toMatchObject({ phase: 'guarded', armed: ['trailingStop'] });
  });

  test('is not started when none was asked for', async () => {
    playGuards();
    const input = aPosition();
    await eventually(viewOf(await opens(input))).toMatchObject({ phase: 'guarded' });
    await expect(world.handle(stopId(input.tradeId)).describe()).rejects.toThrow('not found');
  });
});
