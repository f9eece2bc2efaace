import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { correctionWorkflowId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import {
  type CorrectionState,
  type CorrectionView,
  correctionQuery,
  correctionUpdates,
  correctionWithdrawn,
} from '../../src/contracts/messages/reconciliation.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { aTradeId } from './fixtures.ts';

const world = aWorkflowWorld();
const dayMs = 86_400_000;
const who = { actor: 'ana', reason: 'it was me' };

type Asked = Parameters<Parameters<typeof world.play>[0]['settleCorrection'] & {}>[0];

/** A database that applies what is approved and keeps what it has settled. */
function aBook(already: CorrectionState | null = null) {
  const asked: Asked[] = [];
  const settle = async (decided: Asked): Promise<CorrectionView> => {
    asked.push(decided);
    const state =
      already ?? ({ approved: 'applied', rejected: 'rejected', expired: 'expired' } as const)[decided.verdict];
    return viewOf(decided.correctionId, state);
  };
  world.play({ settleCorrection: settle });
  return { asked, settle };
}

const viewOf = (correctionId: string, state: CorrectionState): CorrectionView => ({
  correctionId,
  account: 'main',
  kind: 'acceptBalance',
  state,
  description: '',
  effect: '',
  proposedAtMs: 0,
  expiresAtMs: 0,
  settledAtMs: null,
  actor: null,
  reason: null,
});

async function start() {
  const correctionId = `balance-USDT-${aTradeId()}`;
  const expiresAtMs = (await world.nowMs()) + dayMs;
  return world.start(workflowTypes.correction, {
    workflowId: correctionWorkflowId(correctionId),
    taskQueue: taskQueues.watches,
    args: [{ correctionId, account: 'main', expiresAtMs, what: 'take -10 USDT for a transfer' }],
  });
}

const { approve, reject } = correctionUpdates;

const codeOf = async (update: Promise<unknown>): Promise<string | null | undefined> => {
  const error: unknown = await update.catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  return ((error as WorkflowUpdateFailedError).cause as ApplicationFailure).type;
};

describe('a correction', () => {
  test('waits until a person approves it, and has it applied with who and why', async () => {
    const { asked } = aBook();
    const handle = await start();
    expect(await handle.query(correctionQuery)).toBe('proposed');
    expect(asked).toEqual([]);
    expect(await handle.executeUpdate(approve, { args: [who] })).toBe('applied');
    expect(await handle.result()).toBe('applied');
    expect(asked).toMatchObject([{ verdict: 'approved', ...who }]);
  });

  test('that is rejected is settled as such', async () => {
    const { asked } = aBook();
    const handle = await start();
    expect(await handle.executeUpdate(reject, { args: [who] })).toBe('rejected');
    expect(await handle.result()).toBe('rejected');
    expect(asked).toMatchObject([{ verdict: 'rejected', ...who }]);
  });

  test('that nobody decides on expires after its time, and not before', async () => {
    const { asked } = aBook();
    const handle = await start();
    await world.skip(dayMs - 60_000);
    expect(await handle.query(correctionQuery)).toBe('proposed');
    expect(asked).toEqual([]);
    await world.skip(120_000);
    expect(await handle.result()).toBe('expired');
    expect(asked).toMatchObject([{ verdict: 'expired', actor: null, reason: null }]);
  });

  test('that is withdrawn asks the book what became of it, and ends', async () => {
    aBook('superseded');
    const handle = await start();
    await handle.signal(correctionWithdrawn);
    expect(await handle.result()).toBe('superseded');
  });

  test.each([
    { given: {}, why: 'nothing' },
    { given: { actor: 'ana' }, why: 'no reason' },
    { given: { actor: ' ', reason: 'x' }, why: 'an empty actor' },
    { given: { actor: 'ana', reason: 7 }, why: 'a reason that is no text' },
    { given: null, why: 'null' },
  ])('refuses a decision with $why, and goes on waiting', async ({ given }) => {
    const { asked } = aBook();
    const handle = await start();
    expect(await codeOf(handle.executeUpdate(approve, { args: [given] }))).toBe('CORRECTION_UNREASONED');
    expect(await handle.query(correctionQuery)).toBe('proposed');
    expect(asked).toEqual([]);
  });

  test('hears the same decision twice as one, and refuses the other one', async () => {
    const { asked, settle } = aBook();
    let isAway = true;
    world.play({
      settleCorrection: async (decided) => {
        if (isAway) throw new RatchetError('DATABASE_UNAVAILABLE');
        return settle(decided);
      },
    });
    const handle = await start();
    const first = handle.executeUpdate(approve, { args: [who], updateId: 'one' });
    const again = handle.executeUpdate(approve, { args: [who], updateId: 'two' });
    await eventually(() => world.calls().length).toBeGreaterThan(0);
    expect(await codeOf(handle.executeUpdate(reject, { args: [who] }))).toBe('CORRECTION_DECIDED');
    isAway = false;
    expect(await Promise.all([first, again])).toEqual(['applied', 'applied']);
    expect(asked).toHaveLength(1);
  });

  test('is carried out although the database fails for a while', async () => {
    const { settle } = aBook();
    let attempts = 0;
    world.play({
      settleCorrection: async (decided) => {
        attempts += 1;
        if (attempts < 4) throw new RatchetError('DATABASE_UNAVAILABLE');
        return settle(decided);
      },
    });
    const handle = await start();
    expect(await handle.executeUpdate(approve, { args: [who] })).toBe('applied');
  });
});
