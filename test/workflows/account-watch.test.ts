import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { signals } from '../../src/contracts/messages/messages.ts';
import { accountWatchId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aGate, aTradeId, currentDetails, eventNamesOf, never, watchUntil } from './fixtures.ts';

const world = aWorkflowWorld();

const start = () => {
  const account = aTradeId();
  return world.start(workflowTypes.accountWatch, {
    workflowId: accountWatchId('paper', account),
    taskQueue: taskQueues.watches,
    args: [{ venue: 'paper', account }],
  });
};
const looks = () => world.calls().length;
const statusOf = async (handle: WorkflowHandle) => (await handle.describe()).status.name;

describe('account watch', () => {
  test('reads again and again, for ever', async () => {
    const gates = Array.from({ length: 4 }, () => aGate<void>());
    const left = [...gates];
    world.play({ watchAccount: () => watchUntil<void>(left.shift()?.opened ?? never, undefined) });
    const handle = await start();
    for (const [i, gate] of gates.slice(0, 3).entries()) {
      await eventually(looks).toBe(i + 1);
      gate.open();
    }
    await eventually(looks).toBe(4);
    expect(await statusOf(handle)).toBe('RUNNING');
    expect(await currentDetails(handle)).toMatch(
      /^Reading orders, fills and balances of \*\*t-.*\*\* at \*\*paper\*\*/,
    );
  });

  test('goes on after a failure for good, and says so; a wake ends its pause', async () => {
    let isMended = false;
    world.play({
      watchAccount: async () => {
        if (!isMended) throw new RatchetError('VENUE_KEY_REFUSED');
        return watchUntil<void>(never, undefined);
      },
    });
    const handle = await start();
    await eventually(() => currentDetails(handle)).toMatch(/^\*\*Not reading\*\* .*VENUE_KEY_REFUSED/);
    isMended = true;
    await handle.signal(signals.wake);
    await eventually(looks).toBe(2);
    expect(await currentDetails(handle)).toMatch(/^Reading/);
    expect(await eventNamesOf(handle)).toContain('timerCanceled');
  });

  test('ends when it is canceled', async () => {
    world.play({ watchAccount: () => watchUntil<void>(never, undefined) });
    const handle = await start();
    await eventually(looks).toBe(1);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
  });
});
