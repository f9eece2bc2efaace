import {
  WithStartWorkflowOperation,
  type Workflow,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createCheckLimits } from '../../activities/check-limits.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { entryStart } from '../../src/client/entry-start.ts';
import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import { updates } from '../../src/contracts/messages/messages.ts';
import { entryId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import {
  aGate,
  aLimitEntry,
  approved,
  aReport,
  aRequest,
  aTradeId,
  type Checked,
  currentDetails,
  denied,
  filledBy,
  searchAttributesOf,
} from './fixtures.ts';

const world = aWorkflowWorld();
const { asked, decide, start, tell } = entriesOf(world);

describe('decided', () => {
  test('ends with the denial and its reasons, and places nothing', async () => {
    const request = aRequest();
    world.play({ checkLimits: async () => denied(request) });
    const handle = await start(request);

    const outcome = await handle.result();
    expect(outcome).toMatchObject({ tradeId: request.tradeId, outcome: 'denied', filledQuantity: '0' });
    expect(outcome).toMatchObject({ decision: { reasons: [{ code: 'TRADING_STATE_BLOCKED' }] } });
    expect(asked()).toEqual(['checkLimits']);
    expect(await currentDetails(handle)).toContain('- A hold is in force. Look up the hold.');
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'denied' });
  });

  test('leaves a trade to the run that has taken it past its approval', async () => {
    const request = aRequest();
    world.play({ checkLimits: async () => ({ ...approved(request), outcome: 'existing' }) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'existing', decision: { outcome: 'approved' } });
    expect(asked()).toEqual(['checkLimits']);
  });

  test('answers who asks before the decision, who asks after it, and who asks twice, with the one decision', async () => {
    const request = aRequest({ entry: aLimitEntry() });
    const decision = aGate<Checked>();
    world.play({ checkLimits: () => decision.opened, placeOrder: async () => aReport('new') });
    const handle = await start(request);

    const before = decide(handle, request.tradeId);
    decision.open(approved(request));
    const answers = [await before, await decide(handle, request.tradeId), await decide(handle, 'another')];
    expect(answers).toEqual(Array(3).fill(approved(request).decision));
    expect(asked().filter((name) => name === 'checkLimits')).toHaveLength(1);

    await tell(handle, aReport('filled', filledBy('2', '200')));
    await handle.result();
    // Over by now, and the stored answer is still the same.
    expect(await decide(handle, request.tradeId)).toEqual(approved(request).decision);
  });

  test('is started by whoever asks first, and answers all who ask at once', async () => {
    const request = aRequest();
    world.play({ checkLimits: async () => denied(request) });
    world.handle(entryId(request.tradeId));
    const enter = () => {
      const startWorkflowOperation = new WithStartWorkflowOperation(workflowTypes.entry, entryStart(request));
      const options = { startWorkflowOperation, updateId: request.tradeId };
      return world.client.workflow.executeUpdateWithStart<Workflow, EntryDecision, []>(updates.decide, options);
    };
    expect(await Promise.all([enter(), enter(), enter()])).toEqual(Array(3).fill(denied(request).decision));
    expect(asked()).toEqual(['checkLimits']);
  });

  test('waits for a database that is gone by timers, not inside a workflow task, and decides once it is back', async () => {
    const request = aRequest();
    let attempts = 0;
    world.play({
      checkLimits: async () => {
        attempts += 1;
        if (attempts < 12) throw new RatchetError('DATABASE_UNAVAILABLE');
        return denied(request);
      },
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'denied' });
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerFiredEventAttributes).length).toBeGreaterThan(4);
  });
});

function fieldsOf(cause: unknown): ReadonlySet<string> {
  const [details] = (cause as ApplicationFailure).details as [{ faults?: readonly { field: string }[] }];
  return new Set(details.faults?.map(({ field }) => field));
}

describe('refused', () => {
  // The real one: what it checks comes before whatever needs a database.
  const checkLimits = createCheckLimits({ rooms: new Map([['paper', {}]]) } as unknown as ActivityDependencies);

  const { tradeId: _, ...withoutTradeId } = aRequest();
  test.each<{ name: string; input: unknown; code: string; faults?: readonly string[] }>([
    { name: 'null', input: null, code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'a text', input: 'BTC', code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'a list', input: [], code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'no trade id', input: withoutTradeId, code: 'REQUEST_INVALID', faults: ['tradeId'] },
    {
      name: 'a trade id that is a number',
      input: { ...withoutTradeId, tradeId: 7 },
      code: 'REQUEST_INVALID',
      faults: ['tradeId'],
    },
    {
      name: 'legs and terms of another shape',
      input: { ...withoutTradeId, legs: 'BTC', entry: { type: 'STOP' }, exit: {} },
      code: 'REQUEST_INVALID',
      faults: ['tradeId', 'legs', 'entry.type', 'exit'],
    },
    { name: 'the trade id of another workflow', input: aRequest(), code: 'WORKFLOW_ID_INVALID' },
  ])('$name fails the workflow and whoever waits, with the code and all faults', async ({ input, code, faults }) => {
    world.play({ checkLimits });
    const workflowId = entryId(aTradeId());
    const handle = await world.start(workflowTypes.entry, {
      workflowId,
      taskQueue: taskQueues.entries,
      args: [input],
    });
    const update = decide(handle, 'who-waits').catch((error: unknown) => error);
    const failed = await handle.result().catch((error: unknown) => error);

    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect(await update).toBeInstanceOf(WorkflowUpdateFailedError);
    for (const { cause } of [failed, await update] as WorkflowFailedError[]) {
      expect(cause).toBeInstanceOf(ApplicationFailure);
      expect(cause).toMatchObject({ type: code, nonRetryable: true });
      expect(fieldsOf(cause)).toEqual(new Set(faults));
    }
  });
});
