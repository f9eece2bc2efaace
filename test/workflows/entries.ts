import type { WorkflowHandle } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { entryStart } from '../../src/client/entry-start.ts';
import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { type OrderReported, queries, signals, updates } from '../../src/contracts/messages/messages.ts';
import { workflowTypes } from '../../src/contracts/messages/names.ts';
import type { EntryView } from '../../src/contracts/messages/views.ts';
import type { WorkflowWorld } from '../support/workflow-environment.ts';
import { approved } from './fixtures.ts';

/** What the tests of entries do with one. */
export const entriesOf = (world: WorkflowWorld) => ({
  /** As a client starts it. */
  start: (request: EntryRequest) => world.start(workflowTypes.entry, entryStart(request)),
  viewOf: (handle: WorkflowHandle) => () => handle.query<EntryView, []>(queries.entry),
  decide: (handle: WorkflowHandle, updateId: string) =>
    handle.executeUpdate<EntryDecision, []>(updates.decide, { updateId }),
  tell: (handle: WorkflowHandle, report: OrderReported) =>
    handle.signal<[OrderReported]>(signals.orderReported, report),
  /** What it has asked for, in order. */
  asked: (): readonly (keyof Activities)[] => world.calls().map(({ activity }) => activity),
  /** Approves, and places so that the venue answers with `placed`. */
  playApproved: (request: EntryRequest, placed: OrderReported): void =>
    world.play({ checkLimits: async () => approved(request), placeOrder: async () => placed }),
});
