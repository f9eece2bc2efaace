import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowSignalWithStartOptions,
} from '@temporalio/client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startOutboxRelay } from '../../activities/relay-outbox.ts';
import type { ExitInput, ExitInstruction } from '../../src/contracts/messages/messages.ts';
import { createLogger } from '../../src/observability/logger.ts';
import type { Db } from '../../src/store/database.ts';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { enqueue, type NewMessage, settle as settleMessages } from '../../src/store/outbox.ts';
import { alertCodes, aRequest, enter, messagesTo, openAccount } from '../store/fixtures.ts';
import { aDatabase } from '../support/postgres.ts';

const settle: ExitInstruction = { step: 'settle' };
const monitorId = 'position-trade-1';

async function anAccount(): Promise<Db> {
  const database = await aDatabase();
  onTestFinished(database.close);
  await openAccount(database.db);
  return database.db;
}

type Relayed = {
  readonly workflow: object;
  readonly now?: () => number;
  readonly planExit?: () => Promise<ExitInstruction>;
};

/** Relays what is in the book to workflows that are played. */
function relay(db: Db, { workflow, now = Date.now, planExit = async () => settle }: Relayed): void {
  const { stop } = startOutboxRelay({
    db,
    client: { workflow } as unknown as Client,
    logger: createLogger({ name: 'test', level: 'silent' }),
    now,
    onAnnounced: () => () => undefined,
    newestNote: () => undefined,
    planExit,
  });
  onTestFinished(stop);
}

const askForExit = (db: Db) =>
  requestExit(db, { tradeId: 'trade-1', reason: 'operator', source: 'test', nowMs: Date.now() });

/** What an exit is started with, where its first step is planned like this. */
async function startedWith(planExit: () => Promise<ExitInstruction>): Promise<ExitInput> {
  const db = await anAccount();
  await enter(db, aRequest());
  await askForExit(db);
  const started: ExitInput[] = [];
  const start = async (type: string, { args }: { readonly args: readonly [ExitInput] }): Promise<void> => {
    if (type === 'exit') started.push(args[0]);
  };
  relay(db, {
    workflow: { start, signalWithStart: start, getHandle: () => ({ signal: async () => undefined }) },
    planExit,
  });
  return vi.waitFor(() => {
    expect(started).toHaveLength(1);
    return started[0] as ExitInput;
  }, 10_000);
}

describe('an exit is started', () => {
  test('with its first step, so that its order leaves without another look', async () => {
    expect(await startedWith(async () => settle)).toMatchObject({ tradeId: 'trade-1', first: settle });
  });

  test.each([
    { name: 'can not be planned', planExit: () => Promise.reject(new Error('no filters')) },
    { name: 'is not planned in time', planExit: () => new Promise<never>(() => undefined) },
  ])('all the same where its first step $name', async ({ planExit }) => {
    expect(await startedWith(planExit)).toEqual(expect.not.objectContaining({ first: expect.anything() }));
  });
});

describe('a monitor that somebody has ended', () => {
  const ended = {
    start: async () => undefined,
    signalWithStart: async (type: string, { workflowId }: WorkflowSignalWithStartOptions) => {
      throw new WorkflowExecutionAlreadyStartedError('it is closed', workflowId, type);
    },
    getHandle: (workflowId: string) => ({
      signal: async () => {
        throw new WorkflowNotFoundError('it is closed', workflowId, undefined);
      },
    }),
  };
  const untilTold = (db: Db) =>
    vi.waitFor(async () => {
      const messages = await messagesTo(db, monitorId);
      expect(messages.map(({ outcome }) => outcome)).toEqual(messages.map(() => 'target-gone'));
    }, 10_000);

  test('is an alert while its position is open, until the trade is closed', async () => {
    const db = await anAccount();
    await enter(db, aRequest());
    relay(db, { workflow: ended });
    await untilTold(db);
    expect(await alertCodes(db)).toEqual(['MONITOR_GONE']);

    await askForExit(db);
    expect(await alertCodes(db)).toEqual(['MONITOR_GONE']);
    await settleTrade(db, { tradeId: 'trade-1', isSettled: () => true, nowMs: Date.now() });
    expect(await alertCodes(db)).toEqual([]);
    await untilTold(db);
    expect(await alertCodes(db)).toEqual([]);
  });

  test('is none once an exit was asked for, which needs no monitor', async () => {
    const db = await anAccount();
    await enter(db, aRequest());
    await askForExit(db);
    relay(db, { workflow: ended });
    await untilTold(db);
    expect(await alertCodes(db)).toEqual([]);
  });
});

describe('a signal that comes before the start of its workflow', () => {
  const progressed: NewMessage = {
    action: 'signalWithStart',
    tradeId: 'trade-1',
    workflowId: monitorId,
    workflowType: 'positionMonitoring',
    taskQueue: 'ratchet-guards',
    startArgs: [{ tradeId: 'trade-1' }],
    summary: 'long BTC/USDT',
    signalName: 'entryProgressed',
    signalArgs: [],
  };
  const closed: NewMessage = {
    action: 'signal',
    tradeId: 'trade-1',
    workflowId: monitorId,
    signalName: 'positionClosed',
    signalArgs: [],
  };

  /** A server that knows no monitor before it is started, and calls `onRefused` with each signal that is too early. */
  function server(onRefused: () => Promise<unknown> = async () => undefined) {
    const told: string[] = [];
    const played = { isStarted: false, told, refused: 0, workflow: {} };
    played.workflow = {
      signalWithStart: async (_: string, { signal }: { readonly signal: string }) => {
        played.isStarted = true;
        told.push(signal);
      },
      getHandle: (workflowId: string) => ({
        signal: async (name: string) => {
          if (played.isStarted) return void told.push(name);
          await onRefused();
          played.refused += 1;
          throw new WorkflowNotFoundError('there is none', workflowId, undefined);
        },
      }),
    };
    return played;
  }

  const outcomes = async (db: Db) => (await messagesTo(db, monitorId)).map(({ outcome }) => outcome);

  test('waits for it, however long nobody could deliver the start', async () => {
    const db = await anAccount();
    let nowMs = Date.now();
    await db.transaction().execute((tx) => enqueue(tx, [progressed], nowMs, nowMs + 30_000));
    await db.transaction().execute((tx) => enqueue(tx, [closed], nowMs));
    const played = server();
    relay(db, { workflow: played.workflow, now: () => nowMs });
    await vi.waitFor(() => expect(played.refused).toBeGreaterThan(0), 10_000);
    nowMs += 60_000;
    await vi.waitFor(async () => expect(await outcomes(db)).toEqual(['delivered', 'delivered']), 10_000);
    expect(played.told).toEqual(['entryProgressed', 'positionClosed']);
  });

  test('is told where somebody else has delivered the start meanwhile', async () => {
    const db = await anAccount();
    const nowMs = Date.now();
    await db.transaction().execute((tx) => enqueue(tx, [progressed], nowMs, nowMs + 3_600_000));
    await db.transaction().execute((tx) => enqueue(tx, [closed], nowMs));
    const [start] = await messagesTo(db, monitorId);
    const played = server(async () => {
      played.isStarted = true;
      await settleMessages(db, { messageIds: [start?.message_id ?? 0], outcome: 'delivered', nowMs });
    });
    relay(db, { workflow: played.workflow, now: () => nowMs });
    await vi.waitFor(async () => expect(await outcomes(db)).toEqual(['delivered', 'delivered']), 10_000);
    expect(played.told).toEqual(['positionClosed']);
  });
});
