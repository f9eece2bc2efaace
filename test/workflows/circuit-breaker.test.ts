import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { type Halt, queries, type Resume, signals } from '../../src/contracts/messages/messages.ts';
import { breakerId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { BreakerView, HoldView } from '../../src/contracts/messages/views.ts';
import { haltBody, resumeBody } from '../../src/contracts/schemas/commands.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aBreakerView, aFailureFirst, aLongOutage, aTradeId, currentDetails, searchAttributesOf } from './fixtures.ts';

const world = aWorkflowWorld();

const start = () => {
  const account = aTradeId();
  const scope = `account-${account}`;
  return world.start(workflowTypes.circuitBreaker, {
    workflowId: breakerId(scope),
    taskQueue: taskQueues.guards,
    args: [{ scope, account }],
  });
};

const viewOf = (handle: WorkflowHandle) => () => handle.query<BreakerView | null, []>(queries.breaker);
const poke = (handle: WorkflowHandle) => handle.signal(signals.poke);
const activities = () => world.calls().map(({ activity }) => activity);

const aHold: HoldView = {
  holdId: 'h-1',
  scope: { kind: 'account', id: 'main' },
  source: 'operator',
  level: 'entries-blocked',
  version: '7',
  actor: 'ana',
  reason: 'the news',
  setAtMs: 1_795_262_400_000,
  expiresAtMs: null,
};

const aHalt: Halt = { actor: 'ana', reason: 'the news' };
const aResume: Resume = { actor: 'ana', reason: 'the news are over' };

describe('folds', () => {
  test('once when it starts, and once more whenever it is poked', async () => {
    let failures = 0;
    world.play({ foldBreaker: async () => aBreakerView({ failures }) });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ failures: 0 });
    failures = 3;
    await poke(handle);
    await eventually(viewOf(handle)).toMatchObject({ failures: 3 });
    expect(activities()).toEqual(['foldBreaker', 'foldBreaker']);
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'CLOSED' });
  });

  test('a thousand pokes in few folds, and loses none', async () => {
    let outcomes = 0;
    world.play({ foldBreaker: async () => aBreakerView({ failures: outcomes }) });
    const handle = await start();
    for (let hundreds = 0; hundreds < 10; hundreds += 1) {
      await Promise.all(
        Array.from({ length: 100 }, () => {
          outcomes += 1;
          return poke(handle);
        }),
      );
    }
    await eventually(viewOf(handle)).toMatchObject({ failures: 1_000 });
    expect(activities().length).toBeLessThan(1_000);
  });

  test('when its next transition is due, and not before', async () => {
    const openedAtMs = await world.nowMs();
    const open = aBreakerView({ state: 'OPEN', openedAtMs, nextTransitionAtMs: openedAtMs + 3_600_000 });
    const views = [open, aBreakerView({ state: 'HALF_OPEN', openedAtMs })];
    world.play({ foldBreaker: async () => views.shift() ?? aBreakerView({ state: 'HALF_OPEN' }) });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ state: 'OPEN' });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'OPEN' });
    expect(await currentDetails(handle)).toContain(`- opened at ${new Date(openedAtMs).toISOString()}`);

    await world.skip('50 minutes');
    expect(activities()).toHaveLength(1);
    await world.skip('11 minutes');
    await eventually(viewOf(handle)).toMatchObject({ state: 'HALF_OPEN' });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'HALF_OPEN' });
    await world.skip('30 days');
    expect(activities()).toHaveLength(2);
  });

  test('at once when the transition was due already', async () => {
    const views = [aBreakerView({ state: 'OPEN', nextTransitionAtMs: 1 }), aBreakerView({ state: 'HALF_OPEN' })];
    world.play({ foldBreaker: async () => views.shift() ?? aBreakerView() });
    await eventually(viewOf(await start())).toMatchObject({ state: 'HALF_OPEN' });
  });

  test('on after a failure for good', async () => {
    const failsOnce = aFailureFirst(new RatchetError('EVENT_CONFLICT'));
    world.play({ foldBreaker: failsOnce(async () => aBreakerView({ failures: 2 })) });
    const handle = await start();
    await eventually(activities).toContain('foldBreaker');
    await world.skip('1 minute');
    await eventually(viewOf(handle)).toMatchObject({ failures: 2 });
  });

  test('what came while the database was gone', async () => {
    const outage = aLongOutage(aBreakerView({ failures: 2 }));
    world.play({ foldBreaker: outage.activity });
    const handle = await start();
    await eventually(outage.isWaitedFor).toBe(true);
    await poke(handle);
    expect(await viewOf(handle)()).toBeNull();
    outage.end();
    await world.skip('1 minute');
    await eventually(viewOf(handle)).toMatchObject({ failures: 2 });
  });
});

describe('operators', () => {
  test('halt and resume, and what became of it stays to be read', async () => {
    const halted = aBreakerView({
      holds: [aHold],
      workingEntries: [
        {
          clientOrderId: 'r1-t-e1',
          tradeId: 't',
          symbol: 'BTC/USDT',
          side: 'BUY',
          leavesQuantity: '2' as never,
          status: 'new',
        },
      ],
    });
    const applied = (message: string) => ({ lastCommand: { outcome: 'applied', message, atMs: 1 } }) as const;
    let isHalted = false;
    world.play({
      foldBreaker: async () => (isHalted ? halted : aBreakerView()),
      haltTrading: async () => {
        isHalted = true;
        return { ...halted, ...applied('entries-blocked on account main by ana: the news') };
      },
      resumeTrading: async () => {
        isHalted = false;
        return aBreakerView(applied('resumed account main by ana: the news are over'));
      },
    });
    const handle = await start();
    await handle.signal<[Halt]>(signals.halt, aHalt);
    await eventually(viewOf(handle)).toMatchObject({ holds: [{ holdId: 'h-1' }], lastCommand: { outcome: 'applied' } });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'HALTED' });
    // The fold after it knows nothing of commands.
    await poke(handle);
    await eventually(() => activities().filter((name) => name === 'foldBreaker').length).toBe(3);
    expect((await currentDetails(handle)).split('\n')).toEqual([
      expect.stringMatching(/^\*\*CLOSED\*\* account-t-.*: 0 failures in the window$/),
      '- **entries-blocked** on account main, set by ana (operator): the news',
      '- still working: BUY 2 BTC/USDT, order `r1-t-e1`',
      '- last message applied: entries-blocked on account main by ana: the news',
    ]);

    await handle.signal<[Resume]>(signals.resume, aResume);
    await eventually(viewOf(handle)).toMatchObject({
      holds: [],
      lastCommand: { message: expect.stringContaining('resumed') },
    });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'CLOSED' });
  });

  test.each<{ name: string; payload: readonly unknown[] }>([
    { name: 'nothing', payload: [] },
    { name: 'null', payload: [null] },
    { name: 'a text', payload: ['stop everything'] },
    { name: 'a list', payload: [[{ actor: 'ana' }]] },
    { name: 'no reason', payload: [{ actor: 'ana' }] },
    { name: 'fields of another type', payload: [{ actor: 7, reason: {}, expiresAtMs: 'tomorrow' }] },
  ])('who send $name are refused with a code, and the breaker lives on', async ({ payload }) => {
    const answer = (fits: boolean, message: string) =>
      aBreakerView({ lastCommand: { outcome: fits ? 'applied' : 'refused', message, atMs: 1 } });
    world.play({
      foldBreaker: async () => aBreakerView(),
      haltTrading: async ({ halt }) => answer(haltBody.safeParse(halt).success, 'REQUEST_INVALID: the halt'),
      resumeTrading: async ({ resume }) => answer(resumeBody.safeParse(resume).success, 'REQUEST_INVALID: the resume'),
    });
    const handle = await start();
    for (const name of [signals.halt, signals.resume]) {
      await handle.signal(name, ...payload);
      await eventually(viewOf(handle)).toMatchObject({
        lastCommand: { outcome: 'refused', message: `REQUEST_INVALID: the ${name}` },
      });
    }
    expect(await currentDetails(handle)).toContain('- last message refused: REQUEST_INVALID: the resume');
    await handle.signal<[Halt]>(signals.halt, aHalt);
    await eventually(viewOf(handle)).toMatchObject({ lastCommand: { outcome: 'applied' } });
  });

  test('are heard in the order they speak, and each of them once', async () => {
    const heard: string[] = [];
    const hear = async (reason: string) => {
      heard.push(reason);
      return aBreakerView();
    };
    world.play({
      foldBreaker: async () => aBreakerView(),
      haltTrading: ({ halt }) => hear(halt.reason),
      resumeTrading: ({ resume }) => hear(resume.reason),
    });
    const handle = await start();
    for (const reason of ['1', '3', '5']) {
      await handle.signal<[Halt]>(signals.halt, { ...aHalt, reason });
      await handle.signal<[Resume]>(signals.resume, { ...aResume, reason: `after ${reason}` });
    }
    await eventually(() => heard).toEqual(['1', 'after 1', '3', 'after 3', '5', 'after 5']);
  });

  test('speak before the first fold has ended', async () => {
    const outage = aLongOutage(aBreakerView());
    world.play({ foldBreaker: outage.activity, haltTrading: async () => aBreakerView({ holds: [aHold] }) });
    const handle = await start();
    await eventually(outage.isWaitedFor).toBe(true);
    await handle.signal<[Halt]>(signals.halt, aHalt);
    world.play({ foldBreaker: async () => aBreakerView({ holds: [aHold] }) });
    await world.skip('1 minute');
    await eventually(activities).toContain('haltTrading');
    await eventually(viewOf(handle)).toMatchObject({ holds: [aHold] });
  });
});
