import { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { enterTrade } from '../../src/client/enter-trade.ts';
import { entryStart } from '../../src/client/entry-start.ts';
import { workflowTypes } from '../../src/contracts/messages/names.ts';
import { aWorkflowWorld, eventually, serverOfShortHistories } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import { aLimitEntry, approved, aReport, aRequest } from './fixtures.ts';

// On the real server: what it does about the same id at the same moment is the point.
const world = aWorkflowWorld(serverOfShortHistories(4_096));
const { tell } = entriesOf(world);
const times = 1_000;

describe('F46: the same trade from two bots, a thousand times at once', () => {
  test('is one workflow, one decision and one order; all others are told of it', { timeout: 180_000 }, async () => {
    const request = aRequest({ entry: aLimitEntry() });
    world.play({ checkLimits: async () => approved(request), placeOrder: async () => aReport('new') });
    const bots = [world.client, new Client({ connection: world.client.connection })];
    const decisions = await Promise.all(
      Array.from({ length: times }, (_, n) =>
        enterTrade(request, { temporal: bots[n % 2] ?? world.client, readDecision: async () => undefined }),
      ),
    );
    expect(new Set(decisions.map((decision) => JSON.stringify(decision))).size).toBe(1);
    const entry = world.handle(entryStart(request).workflowId);
    await eventually(() => world.calls().map(({ activity }) => activity)).toEqual(['checkLimits', 'placeOrder']);

    await tell(entry, aReport('canceled'));
    await entry.result();
    const starts = await Promise.allSettled(
      Array.from({ length: times }, () => world.client.workflow.start(workflowTypes.entry, entryStart(request))),
    );
    expect(starts.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(world.calls().filter(({ activity }) => activity === 'placeOrder')).toHaveLength(1);
  });
});
