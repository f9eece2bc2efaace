import type { Client } from '@temporalio/client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startOutboxRelay } from '../../activities/relay-outbox.ts';
import type { ExitInput, ExitInstruction } from '../../src/contracts/messages/messages.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { requestExit } from '../../src/store/exits/exit-requests.ts';
import { aRequest, enter, openAccount } from '../store/fixtures.ts';
import { aDatabase } from '../support/postgres.ts';

const settle: ExitInstruction = { step: 'settle' };

/** What an exit is started with, where its first step is planned like this. */
async function startedWith(planExit: () => Promise<ExitInstruction>): Promise<ExitInput> {
  const database = await aDatabase();
  onTestFinished(database.close);
  await openAccount(database.db);
  await enter(database.db, aRequest());
  await requestExit(database.db, { tradeId: 'trade-1', reason: 'operator', source: 'test', nowMs: Date.now() });
  const started: ExitInput[] = [];
  const start = async (type: string, { args }: { readonly args: readonly [ExitInput] }): Promise<void> => {
    if (type === 'exit') started.push(args[0]);
  };
  const workflow = { start, signalWithStart: start, getHandle: () => ({ signal: async () => undefined }) };
  const relay = startOutboxRelay({
    db: database.db,
    client: { workflow } as unknown as Client,
    logger: createLogger({ name: 'test', level: 'silent' }),
    now: Date.now,
    onAnnounced: () => () => undefined,
    newestNote: () => undefined,
    planExit,
  });
  onTestFinished(relay.stop);
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
