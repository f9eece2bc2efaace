import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { signals } from '../../src/contracts/messages/messages.ts';
import { marketWatchId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aGate, aTradeId, currentDetails, never, watchUntil } from './fixtures.ts';

const world = aWorkflowWorld();

type Left = 'nothing-armed' | 'hand-over';

const start = () => {
  const shard = `paper-${aTradeId()}`;
  return world.start(workflowTypes.marketWatch, {
    workflowId: marketWatchId(shard),
    taskQueue: taskQueues.watches,
    args: [{ venue: 'paper', shard }],
  });
};
const wake = (handle: WorkflowHandle) => handle.signal(signals.wake);
const looks = () => world.calls().length;

/** Looks until the test lets it leave, for each time it is called. */
function playLooks(times: number) {
  const gates = Array.from({ length: times }, () => aGate<Left>());
  const left = [...gates];
  world.play({
    watchMarket: () => watchUntil<Left>(left.shift()?.opened ?? never, 'hand-over'),
  });
  return gates as [ReturnType<typeof aGate<Left>>, ...ReturnType<typeof aGate<Left>>[]];
}

describe('market watch', () => {
  test('watches its shard, and ends when nothing is armed', async () => {
    const [look] = playLooks(1);
    const handle = await start();
    await eventually(looks).toBe(1);
    expect(await currentDetails(handle)).toMatch(/^Watching \*\*paper-t-/);
    look.open('nothing-armed');
    await handle.result();
    expect(world.calls()).toMatchObject([{ activity: 'watchMarket', args: [{ venue: 'paper' }] }]);
  });

  test('looks again after it has handed over', async () => {
    const [first, second] = playLooks(2);
    const handle = await start();
    first.open('hand-over');
    await eventually(looks).toBe(2);
    second?.open('nothing-armed');
    await handle.result();
    expect(looks()).toBe(2);
  });

  test('stays when something is armed while the watch leaves', async () => {
    const [first, second] = playLooks(2);
    const handle = await start();
    await eventually(looks).toBe(1);
    await wake(handle);
    first.open('nothing-armed');
    await eventually(looks).toBe(2);
    second?.open('nothing-armed');
    await handle.result();
  });

  test('ends after a wake that the next look has taken up', async () => {
    const [first, second] = playLooks(2);
    const handle = await start();
    await eventually(looks).toBe(1);
    await wake(handle);
    first.open('hand-over');
    await eventually(looks).toBe(2);
    second?.open('nothing-armed');
    await handle.result();
    expect(looks()).toBe(2);
  });

  test('goes on watching after a failure for good, and says so', async () => {
    let isMended = false;
    world.play({
      watchMarket: async () => {
        if (!isMended) throw new RatchetError('VENUE_UNKNOWN');
        return 'nothing-armed';
      },
    });
    const handle = await start();
    await eventually(() => currentDetails(handle)).toMatch(/^\*\*Not watching\*\* paper-.*VENUE_UNKNOWN/);
    isMended = true;
    await handle.result();
  });

  test('ends when it is canceled, once the watch has handed over', async () => {
    playLooks(1);
    const handle = await start();
    await eventually(looks).toBe(1);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect(looks()).toBe(1);
  });
});
