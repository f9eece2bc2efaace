import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { reconciliationId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { ReconciliationInput, ReconciliationReport } from '../../src/contracts/messages/reconciliation.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import { aWorkflowWorld } from '../support/workflow-environment.ts';
import { aTradeId } from './fixtures.ts';

const world = aWorkflowWorld();

const drift: Difference = {
  kind: 'balance',
  asset: 'USDT',
  expected: decimal('100'),
  actual: decimal('90'),
  drift: decimal('-10'),
};

const aReport = (changed: Partial<ReconciliationReport> = {}): ReconciliationReport => ({
  account: 'main',
  venue: 'paper',
  startedAtMs: 1,
  finishedAtMs: 2,
  outcome: 'clean',
  parts: { orders: 'read', fills: 'read', balances: 'read', positions: 'read' },
  found: 0,
  changed: 0,
  gone: 0,
  differences: [],
  ...changed,
});

const start = (changed: Partial<ReconciliationInput> = {}) =>
  world.start(workflowTypes.reconciliation, {
    workflowId: reconciliationId('paper', 'main', aTradeId()),
    taskQueue: taskQueues.watches,
    args: [{ venue: 'paper', account: 'main', isFullDay: false, askedBy: null, ...changed }],
  });

describe('a run', () => {
  test('that sees nothing new looks once and answers with its report', async () => {
    world.play({ reconcileAccount: async () => ({ step: 'done', report: aReport() }) });
    const handle = await start({ isFullDay: true });
    expect(await handle.result()).toEqual(aReport());
    expect(world.calls()).toEqual([
      {
        activity: 'reconcileAccount',
        args: [{ venue: 'paper', account: 'main', isFullDay: true, askedBy: null, suspects: null }],
      },
    ]);
  });

  test('that sees something new looks again three seconds later, with what it suspects', async () => {
    const lookedAtMs: number[] = [];
    world.play({
      reconcileAccount: async ({ suspects }) => {
        lookedAtMs.push(await world.nowMs());
        if (suspects === null) return { step: 'look-again', suspects: [drift] };
        return { step: 'done', report: aReport({ outcome: 'differences', found: 1 }) };
      },
    });
    const handle = await start();
    expect(await handle.result()).toMatchObject({ outcome: 'differences', found: 1 });
    expect(world.calls()[1]?.args).toMatchObject([{ suspects: [drift] }]);
    const [first = 0, second = 0] = lookedAtMs;
    expect(second - first).toBeGreaterThanOrEqual(3_000);
  });

  test('goes on by itself when its activity fails for a while', async () => {
    let attempts = 0;
    world.play({
      reconcileAccount: async () => {
        attempts += 1;
        if (attempts < 3) throw ApplicationFailure.retryable('the database is away', 'DATABASE_UNAVAILABLE');
        return { step: 'done', report: aReport() };
      },
    });
    expect(await (await start()).result()).toMatchObject({ outcome: 'clean' });
  });

  test('ends within two minutes when it can not be done, so that the schedule goes on', async () => {
    world.play({
      reconcileAccount: async () => {
        throw ApplicationFailure.retryable('the database is away', 'DATABASE_UNAVAILABLE');
      },
    });
    const handle = await start();
    await expect(handle.result()).rejects.toThrow();
    const { startTime, closeTime } = await handle.describe();
    expect(Number(closeTime) - Number(startTime)).toBeLessThan(120_000);
  });
});
