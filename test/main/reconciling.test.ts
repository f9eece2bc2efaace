import { ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureReconciliationSchedules } from '../../src/main/reconciling.ts';
import { markRun } from '../../src/store/reconciliation/commit.ts';
import { readStanding } from '../../src/store/reconciliation/compared-book.ts';
import { seeReconciled } from '../../src/store/reconciliation/watch.ts';
import { alertCodes, nowMs, openAccount } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

type Schedules = Parameters<typeof ensureReconciliationSchedules>[0];

/** A server that keeps schedules, and the state that an operator has given them. */
function aServer() {
  const kept = new Map<string, ScheduleOptions>();
  const schedule = {
    create: async (options: ScheduleOptions) => {
      if (kept.has(options.scheduleId)) throw new ScheduleAlreadyRunning('there', options.scheduleId);
      kept.set(options.scheduleId, options);
    },
    getHandle: (scheduleId: string) => ({
      update: async (change: (known: ScheduleOptions) => ScheduleOptions) => {
        const known = kept.get(scheduleId);
        if (known !== undefined) kept.set(scheduleId, change(known));
      },
    }),
  };
  return { client: { schedule } as unknown as Schedules, kept };
}

describe('the schedules of an account', () => {
  const place = { venue: 'paper', account: 'main', everyMs: 20_000 };
  const interval = 'reconciliation-paper-main-interval';

  test('are a run every so often and one a day at 00:00 UTC, which skip while one runs', async () => {
    const { client, kept } = aServer();
    await ensureReconciliationSchedules(client, place);
    expect([...kept.values()]).toMatchObject([
      { scheduleId: interval, spec: { intervals: [{ every: 20_000 }] }, policies: { overlap: 'SKIP' } },
      {
        scheduleId: 'reconciliation-paper-main-daily',
        spec: { calendars: [{ hour: 0, minute: 0, second: 0 }] },
        policies: { overlap: 'SKIP' },
        action: { args: [{ isFullDay: true, askedBy: null }] },
      },
    ]);
  });

  test('are brought up to date by the next worker, and stay paused if an operator has paused them', async () => {
    const { client, kept } = aServer();
    await ensureReconciliationSchedules(client, place);
    const known = kept.get(interval);
    if (known !== undefined) kept.set(interval, { ...known, state: { paused: true } });
    await ensureReconciliationSchedules(client, { ...place, everyMs: 60_000 });
    expect(kept.get(interval)).toMatchObject({ spec: { intervals: [{ every: 60_000 }] }, state: { paused: true } });
  });
});

describe('an account that is not compared', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await aDatabase();
    await openAccount(database.db);
    await readStanding(database.db, { account: 'main', nowMs });
  });
  afterAll(() => database.close());

  const see = (atMs: number) =>
    seeReconciled(database.db, { account: 'main', sinceMs: nowMs, lateAfterMs: 60_000, nowMs: atMs });
  const ran = (balances: string, startedAtMs: number) =>
    markRun(database.db, {
      account: 'main',
      venue: 'paper',
      startedAtMs,
      finishedAtMs: startedAtMs,
      outcome: balances === 'read' ? 'clean' : 'unavailable',
      parts: { orders: 'read', fills: 'read', balances, positions: 'read' },
      found: 0,
      changed: 0,
      gone: 0,
      differences: [],
    });

  test('is late after three intervals, once, until a run has read everything', async () => {
    expect(await see(nowMs + 60_000)).toEqual({ ageMs: 60_000, differences: 0 });
    expect(await alertCodes(database.db)).toEqual([]);
    await see(nowMs + 60_001);
    await see(nowMs + 70_000);
    expect(await alertCodes(database.db)).toEqual(['RECONCILIATION_LATE']);
    await ran('the venue does not answer', nowMs + 70_000);
    expect(await alertCodes(database.db)).toEqual(['RECONCILIATION_LATE']);
    await ran('read', nowMs + 80_000);
    expect(await alertCodes(database.db)).toEqual([]);
    expect(await see(nowMs + 90_000)).toEqual({ ageMs: 10_000, differences: 0 });
  });

  test('is not late because an older run has ended after a newer one', async () => {
    await ran('read', nowMs + 85_000);
    await ran('read', nowMs + 75_000);
    expect(await see(nowMs + 90_000)).toMatchObject({ ageMs: 5_000 });
  });
});
