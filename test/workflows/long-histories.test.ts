import { describe, expect, test } from 'vitest';
import {
  type EntryProgressed,
  type GuardChanged,
  type Halt,
  type PositionClosed,
  type PositionInput,
  queries,
  signals,
} from '../../src/contracts/messages/messages.ts';
import { breakerId, positionId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { BreakerView, PositionView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { aWorkflowWorld, eventually, serverOfShortHistories } from '../support/workflow-environment.ts';
import { aBreakerView, aPosition, aTradeId, closedTrade, entered } from './fixtures.ts';

/** All of it with `npm run faults`, with the server's own standard; a part, in the same proportion, with `npm test`. */
const isFull = process.env['FULL_LENGTH'] !== undefined;
const suggestAt = isFull ? 4_096 : 512;
/** Where the server begins to warn of a history. It ends a workflow at five times that. */
const eventsMax = isFull ? 10_240 : 1_280;
const world = aWorkflowWorld(serverOfShortHistories(suggestAt));

const many = isFull ? 10_000 : 1_250;
const storm = isFull ? 5_000 : 1_000;
const minute = 60_000;

/** Sends so many messages, a few hundred at once; `heard` asks the workflow, so that it keeps up. */
async function send(count: number, message: (n: number) => Promise<unknown>, heard?: () => Promise<unknown>) {
  for (let sent = 0; sent < count; sent += 250) {
    await Promise.all(Array.from({ length: Math.min(250, count - sent) }, (_, i) => message(sent + i)));
    await heard?.();
  }
}

/** How many events each run of it has. */
async function historiesOf(workflowId: string): Promise<readonly number[]> {
  const lengths: number[] = [];
  for await (const { historyLength } of world.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    lengths.push(historyLength);
  }
  return lengths;
}

async function expectBounded(workflowId: string): Promise<void> {
  await eventually(async () => (await historiesOf(workflowId)).length).toBeGreaterThan(1);
  for (const length of await historiesOf(workflowId)) expect(length).toBeLessThan(eventsMax);
  const { historyLength } = await world.handle(workflowId).describe();
  expect(historyLength).toBeLessThan(eventsMax);
}

describe('a storm of signals', () => {
  test(
    `F57: ${many} of them to a monitor leave no history of ${eventsMax} events, and it hears the end of its position`,
    async () => {
      const input: PositionInput = { ...aPosition({ stopLoss: { price: decimal('90') } }), tradeId: aTradeId() };
      world.play({ armGuards: async () => ['stopLoss'], disarmGuards: async () => {} });
      const handle = world.handle(positionId(input.tradeId));
      await world.client.workflow.signalWithStart(workflowTypes.positionMonitoring, {
        workflowId: handle.workflowId,
        taskQueue: taskQueues.guards,
        args: [input],
        signal: signals.entryProgressed,
        signalArgs: [entered('2')],
      });
      const untouched = { kind: 'stopLoss', triggered: false } as unknown as GuardChanged;
      const view = () => handle.query<PositionView, []>(queries.position);
      const tell = (n: number) =>
        n % 2 === 0
          ? handle.signal<[EntryProgressed]>(signals.entryProgressed, entered('2'))
          : handle.signal<[GuardChanged]>(signals.guardChanged, untouched);
      await send(many, tell, view);
      await expectBounded(handle.workflowId);
      expect(await view()).toMatchObject({ phase: 'guarded', armed: ['stopLoss'] });
      await handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(input.tradeId));
      expect(await handle.result()).toMatchObject({ phase: 'closed' });
    },
    5 * minute,
  );

  test(
    `F58: ${storm} pokes, as fast as they can be sent, to a breaker are folded together, and a halt among them is carried out`,
    async () => {
      const account = aTradeId();
      let folds = 0;
      const halted: string[] = [];
      world.play({
        foldBreaker: async () => {
          folds += 1;
          return aBreakerView();
        },
        haltTrading: async ({ halt }) => {
          halted.push(halt.reason);
          return aBreakerView();
        },
      });
      const workflowId = breakerId(account);
      const args = [{ scope: account, account }];
      await world.start(workflowTypes.circuitBreaker, { workflowId, taskQueue: taskQueues.guards, args });
      const handle = world.handle(workflowId);
      await send(storm, (n) =>
        n === storm / 2
          ? handle.signal<[Halt]>(signals.halt, { actor: 'ana', reason: 'in the storm' })
          : handle.signal(signals.poke),
      );
      await eventually(() => halted).toContain('in the storm');
      await eventually(() => handle.query<BreakerView | null, []>(queries.breaker)).not.toBeNull();
      expect(folds).toBeLessThan(storm);
      const { historyLength } = await world.handle(workflowId).describe();
      expect(historyLength).toBeLessThan(eventsMax);
    },
    5 * minute,
  );
});
