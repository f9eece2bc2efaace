import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { SweepProgress } from '../../activities/trading-state/cancel-sweep.ts';
import { type CancelAllInput, queries } from '../../src/contracts/messages/messages.ts';
import { cancelAllId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { CancelAllView } from '../../src/contracts/messages/views.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aTradeId, currentDetails, searchAttributesOf } from './fixtures.ts';

const world = aWorkflowWorld();

const start = (changed: Partial<CancelAllInput> = {}) => {
  const epoch = aTradeId();
  return world.start(workflowTypes.cancelAll, {
    workflowId: cancelAllId('all', epoch),
    taskQueue: taskQueues.guards,
    args: [{ scope: { kind: 'all', id: '*' }, epoch, level: 'frozen', venues: ['paper'], ...changed }],
  });
};

const progress = (changed: Partial<SweepProgress> = {}): SweepProgress => ({
  isEnded: false,
  nextLookAtMs: 0,
  left: [],
  notFlat: [],
  canceled: 0,
  looks: 1,
  outcome: null,
  ...changed,
});

const looks = () => world.calls().filter(({ activity }) => activity === 'cancelSweep').length;
const viewOf = (handle: WorkflowHandle) => () => handle.query<CancelAllView, []>(queries.sweep);

describe('cancelAll', () => {
  test('looks again when the look says so, until it says that it has ended', async () => {
    const startedAtMs = await world.nowMs();
    const steps = [
      progress({ nextLookAtMs: startedAtMs + 500, canceled: 2, left: ['rte-a'] }),
      progress({ nextLookAtMs: startedAtMs + 4_000, canceled: 3, looks: 2 }),
      progress({ isEnded: true, canceled: 3, looks: 3, outcome: 'clear' }),
    ];
    world.play({ cancelSweep: async () => steps.shift() as SweepProgress });
    const handle = await start();
    const view = (await handle.result()) as CancelAllView;
    expect(view.sweeps).toMatchObject([{ venue: 'paper', outcome: 'clear', canceled: 3, left: [] }]);
    expect(looks()).toBe(3);
    expect((await world.nowMs()) - startedAtMs).toBeGreaterThanOrEqual(4_000);
  });

  test('shows what is left while it goes on, by name', async () => {
    const laterAtMs = (await world.nowMs()) + 3_600_000;
    world.play({ cancelSweep: async () => progress({ nextLookAtMs: laterAtMs, left: ['rte-stuck'], canceled: 1 }) });
    const handle = await start();
    await eventually(viewOf(handle)).toMatchObject({ sweeps: [{ left: ['rte-stuck'], outcome: null }] });
    expect(await currentDetails(handle)).toMatch(/frozen\*\* on everything\n- paper: going on, 1 canceled, 1 left/);
    expect(await currentDetails(handle)).toContain('- left: `rte-stuck`');
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'frozen' });
  });

  test('goes on after a look that failed for good, and through a cancellation', async () => {
    let calls = 0;
    world.play({
      cancelSweep: async () => {
        calls += 1;
        if (calls === 1) throw ApplicationFailure.nonRetryable('out of order', 'VENUE_REQUEST_REFUSED');
        return progress({ isEnded: true, outcome: 'clear' });
      },
    });
    const handle = await start();
    await handle.cancel();
    const view = (await handle.result()) as CancelAllView;
    expect(view.sweeps).toMatchObject([{ outcome: 'clear' }]);
  });

  test('asks for its own epoch at each of its venues', async () => {
    world.play({ cancelSweep: async () => progress({ isEnded: true, outcome: 'clear' }) });
    const handle = await start({ epoch: '17' });
    await handle.result();
    expect(world.calls()).toEqual([{ activity: 'cancelSweep', args: [{ holdVersion: '17', venue: 'paper' }] }]);
  });

  test('ends when its hold is gone', async () => {
    world.play({ cancelSweep: async () => progress({ isEnded: true, outcome: 'withdrawn' }) });
    const handle = await start();
    expect(((await handle.result()) as CancelAllView).sweeps).toMatchObject([{ outcome: 'withdrawn' }]);
    expect(looks()).toBe(1);
  });
});
