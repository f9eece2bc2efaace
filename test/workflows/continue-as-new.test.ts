import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import {
  type EntryProgressed,
  type GuardChanged,
  type Halt,
  type PositionClosed,
  type PositionInput,
  queries,
  type StopAmendment,
  signals,
  updates,
} from '../../src/contracts/messages/messages.ts';
import {
  accountWatchId,
  breakerId,
  exitId,
  marketWatchId,
  positionId,
  stopId,
  taskQueues,
  workflowTypes,
} from '../../src/contracts/messages/names.ts';
import type { BreakerView, ExitView, PositionView, StopView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { aWorkflowWorld, eventually, serverOfShortHistories } from '../support/workflow-environment.ts';
import {
  aBreakerView,
  aPosition,
  aReport,
  aStopView,
  aTradeId,
  closedTrade,
  crossed,
  currentDetails,
  entered,
  eventNamesOf,
  never,
  searchAttributesOf,
  storyOf,
  watchUntil,
} from './fixtures.ts';

// Whatever lives long begins again with a fresh history, and nobody who sends it messages notices.
const world = aWorkflowWorld(serverOfShortHistories(20));

const runIdOf = async (handle: WorkflowHandle): Promise<string> =>
  (await world.handle(handle.workflowId).describe()).runId;

async function opens(input: PositionInput, first: EntryProgressed): Promise<WorkflowHandle> {
  const handle = world.handle(positionId(input.tradeId));
  await world.client.workflow.signalWithStart(workflowTypes.positionMonitoring, {
    workflowId: handle.workflowId,
    taskQueue: taskQueues.guards,
    args: [input],
    signal: signals.entryProgressed,
    signalArgs: [first],
  });
  return handle;
}

/** What a person sees of it in the Temporal UI. */
const shownOf = async (handle: WorkflowHandle) => ({
  details: await currentDetails(handle),
  attributes: Object.fromEntries(
    Object.entries(await searchAttributesOf(handle)).filter(([name]) => name.startsWith('Ratchet')),
  ),
});

/** Sends `message` until the workflow has begun again. */
async function untilRenewed(handle: WorkflowHandle, message: () => Promise<unknown>): Promise<void> {
  const before = await runIdOf(handle);
  await eventually(async () => {
    await message();
    return await runIdOf(handle);
  }).not.toBe(before);
}

describe('continue as new', () => {
  test('a position keeps what is armed, its entry, its time stop and why it is left', async () => {
    const input = aPosition({ stopLoss: { price: decimal('90') }, timeStopMs: 3_600_000 });
    const first = entered('2', { firstFillAtMs: Date.now() });
    world.play({ armGuards: async () => ['stopLoss'], disarmGuards: async () => {} });
    const handle = await opens(input, first);
    const view = () => handle.query<PositionView, []>(queries.position);
    await eventually(view).toMatchObject({ phase: 'guarded', timeStopAtMs: first.firstFillAtMs + 3_600_000 });
    const guarded = await view();
    const shown = await shownOf(handle);

    await untilRenewed(handle, () => handle.signal<[EntryProgressed]>(signals.entryProgressed, first));
    expect(await view()).toEqual(guarded);
    expect(await shownOf(handle)).toEqual(shown);
    await eventually(() => eventNamesOf(handle)).toContain('timerStarted');

    await untilRenewed(handle, () => handle.signal<[GuardChanged]>(signals.guardChanged, crossed('stopLoss')));
    expect(await view()).toEqual({ ...guarded, phase: 'closing', exitReason: 'stopLoss' });
    expect(await eventNamesOf(handle)).not.toContain('timerStarted');
    await handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(input.tradeId));
    expect(await handle.result()).toMatchObject({ phase: 'closed', exitReason: 'stopLoss', entry: first });
    expect(world.calls().map(({ activity }) => activity)).toEqual(['armGuards', 'disarmGuards']);
  });

  test('a trailing stop outlives its monitor, and keeps how tight it is', async () => {
    const input = aPosition({ trailingStop: { by: 'percent', distance: decimal('0.8'), trigger: 'last' } });
    const { tradeId } = input;
    world.play({
      armGuards: async () => [],
      armTrailingStop: async () => aStopView(tradeId),
      amendTrailingStop: async () => aStopView(tradeId, { version: 2 }),
      disarmGuards: async () => {},
    });
    const position = await opens(input, entered('2'));
    const stop = world.handle(stopId(tradeId));
    const tell = (change: GuardChanged) => stop.signal<[GuardChanged]>(signals.guardChanged, change);
    const view = () => stop.query<StopView | null, []>(queries.stop);
    await eventually(() => view().catch(() => null)).toMatchObject({ version: 1 });
    const stopRun = await runIdOf(stop);
    await untilRenewed(position, () => position.signal<[EntryProgressed]>(signals.entryProgressed, entered('2')));
    expect(await runIdOf(stop)).toBe(stopRun);

    for (const change of storyOf(['110', '120'])) await tell(change);
    const [loose] = storyOf(['101']);
    await untilRenewed(stop, () => tell(loose as GuardChanged));
    expect(await view()).toMatchObject({ stop: { status: 'trailing', extreme: '120', stopPrice: '119.04' } });
    expect(await shownOf(stop)).toEqual({
      details: '**trailing**: BTC/USDT long, stop 119.04\n- 0.8 (percent) behind 120',
      attributes: {
        RatchetSymbol: 'BTC/USDT',
        RatchetStrategy: 'ma-cross',
        RatchetAccount: 'main',
        RatchetState: 'trailing',
      },
    });
    const amendment = { distance: decimal('0.5'), actor: 'ana', reason: 'the news' };
    expect(await stop.executeUpdate<StopView, [StopAmendment]>(updates.amendStop, { args: [amendment] })).toMatchObject(
      { version: 2 },
    );
    await position.signal<[PositionClosed]>(signals.positionClosed, closedTrade(tradeId));
    await position.result();
    expect(await view()).toMatchObject({ version: 2, stop: { stopPrice: '119.04' } });
  });

  test.each<{ type: string; id: (tradeId: string) => string; begins: (tradeId: string) => unknown[]; shows: string }>([
    {
      type: workflowTypes.positionMonitoring,
      id: positionId,
      begins: (tradeId) => [
        { ...aPosition(), tradeId },
        { tradeId, phase: 'guarded', entry: entered('2'), armed: ['stopLoss'], timeStopAtMs: null, closed: null },
      ],
      shows: '- armed: stopLoss',
    },
    {
      type: workflowTypes.trailingStop,
      id: stopId,
      begins: (tradeId) => [{ tradeId, symbol: 'BTC/USDT' }, aStopView(tradeId)],
      shows: '**trailing**: BTC/USDT long, stop 99.2',
    },
  ])('$type shows where it stands before anything is told to its new run', async ({ type, id, begins, shows }) => {
    const tradeId = aTradeId();
    const options = { workflowId: id(tradeId), taskQueue: taskQueues.guards, args: begins(tradeId) };
    const handle = await world.start(type, options);
    expect(await currentDetails(handle)).toContain(shows);
    expect(world.calls()).toEqual([]);
  });

  test('an exit goes through any number of generations with histories of bounded length', async () => {
    const tradeId = aTradeId();
    let looks = 0;
    world.play({
      planExit: async () => {
        looks += 1;
        if (looks > 30) return { step: 'settle' };
        const order = { tradeId, leg: 0, purpose: 'exit', generation: looks } as const;
        const terms = {
          side: 'SELL',
          orderType: 'MARKET',
          quantity: decimal('1'),
          limitPrice: null,
          stopPrice: null,
        } as const;
        return { step: 'place', order, terms };
      },
      placeOrder: async () => aReport('expired', { purpose: 'exit' }),
      settleTrade: async () => closedTrade(tradeId),
    });
    const handle = await world.start(workflowTypes.exit, {
      workflowId: exitId(tradeId),
      taskQueue: taskQueues.guards,
      args: [{ tradeId, venue: 'paper', account: 'main', symbol: 'BTC/USDT', reason: 'stopLoss' }],
    });
    const first = await runIdOf(handle);
    expect(await handle.result()).toEqual(closedTrade(tradeId));
    const last = world.handle(handle.workflowId);
    expect(await last.query<ExitView, []>(queries.exit)).toMatchObject({ orders: 30, doing: 'done' });
    const { runId, historyLength } = await last.describe();
    expect(runId).not.toBe(first);
    expect(historyLength).toBeLessThan(100);
  });

  test('a breaker loses no command', async () => {
    const account = aTradeId();
    const heard: string[] = [];
    world.play({
      foldBreaker: async () => aBreakerView({ failures: heard.length }),
      haltTrading: async ({ halt }) => {
        heard.push(halt.reason);
        return aBreakerView({ lastCommand: { outcome: 'applied', message: halt.reason, atMs: 1 } });
      },
    });
    const handle = await world.start(workflowTypes.circuitBreaker, {
      workflowId: breakerId(account),
      taskQueue: taskQueues.guards,
      args: [{ scope: account, account }],
    });
    const breaker = world.handle(handle.workflowId);
    const view = () => breaker.query<BreakerView | null, []>(queries.breaker);
    let sent = 0;
    const haltThrice = () =>
      Promise.all(
        [1, 2, 3].map(() => {
          sent += 1;
          return breaker.signal<[Halt]>(signals.halt, { actor: 'ana', reason: String(sent) });
        }),
      );
    await untilRenewed(breaker, haltThrice);
    await untilRenewed(breaker, haltThrice);
    // Any of them may be carried out twice: the server discards a task that ends a run when a message has come meanwhile.
    const told = Array.from({ length: sent }, (_, i) => String(i + 1));
    await eventually(() => [...new Set(heard)].toSorted()).toEqual(told.toSorted());
    await eventually(view).toMatchObject({ failures: heard.length, lastCommand: { outcome: 'applied' } });
  });

  test.each<{ name: string; type: string; id: string; input: object }>([
    {
      name: 'market',
      type: workflowTypes.marketWatch,
      id: marketWatchId('paper-0'),
      input: { venue: 'paper', shard: 'paper-0' },
    },
    {
      name: 'account',
      type: workflowTypes.accountWatch,
      id: accountWatchId('paper', 'main'),
      input: { venue: 'paper', account: 'main' },
    },
  ])('the watch of the $name goes on with one look at a time', async ({ type, id, input }) => {
    let looking = 0;
    let most = 0;
    const look = async () => {
      looking += 1;
      most = Math.max(most, looking);
      await delay(10);
      looking -= 1;
      return 'hand-over' as const;
    };
    world.play({ watchMarket: look, watchAccount: async () => void (await look()) });
    await world.start(type, { workflowId: id, taskQueue: taskQueues.watches, args: [input] });
    const handle = world.handle(id);
    await untilRenewed(handle, () => handle.signal(signals.wake));
    expect(most).toBe(1);
    world.play({ watchMarket: () => watchUntil(never, 'hand-over'), watchAccount: () => watchUntil(never, undefined) });
  });
});
