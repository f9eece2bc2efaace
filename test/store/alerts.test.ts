import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { type AlertCode, alertCodes, alertEndsWith } from '../../src/domain/errors/alert-endings.ts';
import { openAlerts, raiseAlert, resolveAlert, resolveByHand } from '../../src/store/alerts.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { nowMs } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());
afterEach(async () => {
  for (const { condition } of await openAlerts(database.db)) await resolveAlert(database.db, { condition, nowMs });
});

const raise = (condition: string, code: AlertCode = 'PRICES_STALE', severity: 'CRITICAL' | 'WARNING' = 'WARNING') =>
  raiseAlert(database.db, { condition, code, severity, context: { venue: 'paper' }, nowMs });

/** Raises one and answers its id. */
async function raised(condition: string, code: AlertCode): Promise<number> {
  await raise(condition, code);
  const found = (await openAlerts(database.db)).find((alert) => alert.condition === condition);
  if (found === undefined) throw new Error(`${condition} is open`);
  return found.alertId;
}

const recorded = async (type: string, alertId?: number) =>
  (await database.db.selectFrom('audit_event').select('body').where('event_type', '=', type).execute())
    .map(({ body }) => JSON.parse(body))
    .filter((body) => alertId === undefined || body.alertId === alertId);

const resolve = (alertId: number, changed: object = {}) =>
  resolveByHand(database.db, { alertId, actor: 'anna', reason: 'closed it by hand', nowMs: nowMs + 5, ...changed });

describe('an alert', () => {
  test('has a code of those that say what ends them', () => {
    expectTypeOf<Parameters<typeof raiseAlert>[1]['code']>().toEqualTypeOf<AlertCode>();
  });

  test('is raised once while its condition lasts, and again after it was resolved', async () => {
    expect(await raise('down')).toBe(true);
    expect(await raise('down')).toBe(false);
    expect(await resolveAlert(database.db, { condition: 'down', nowMs: nowMs + 1 })).toBe(true);
    expect(await resolveAlert(database.db, { condition: 'down', nowMs: nowMs + 2 })).toBe(false);
    expect(await raise('down')).toBe(true);
    expect((await recorded('AlertRaised')).length).toBe(2);
    expect((await recorded('AlertResolved')).length).toBe(1);
  });

  test('is raised once by many at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => raise('storm')));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test('that is graver stands first, with what ends it', async () => {
    await raise('small');
    await raise('grave', 'FILL_AFTER_CLOSE', 'CRITICAL');
    expect(await openAlerts(database.db)).toMatchObject([
      { condition: 'grave', endsWith: null, message: expect.stringContaining('a position that nobody guards') },
      { condition: 'small', endsWith: 'prices that come again' },
    ]);
  });
});

describe('a person ends', () => {
  test('what has happened, on the record with their name and reason, once', async () => {
    const alertId = await raised('late-fill', 'FILL_AFTER_CLOSE');
    const ended = { code: 'FILL_AFTER_CLOSE', resolvedAtMs: nowMs + 5 };
    expect(await resolve(alertId)).toEqual({ outcome: 'resolved', ...ended });
    expect(await resolve(alertId, { actor: 'ben', nowMs: nowMs + 9 })).toEqual({ outcome: 'already', ...ended });
    expect(await openAlerts(database.db)).toEqual([]);
    expect(await recorded('AlertResolved', alertId)).toMatchObject([
      {
        condition: 'late-fill',
        code: 'FILL_AFTER_CLOSE',
        actor: { type: 'user', id: 'anna' },
        reason: 'closed it by hand',
      },
    ]);
  });

  test('it once also where many do at the same time', async () => {
    const alertId = await raised('orphan', 'ORPHAN_ORDER');
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => resolve(alertId, { actor: `person-${i}` })));
    expect(answers.filter(({ outcome }) => outcome === 'resolved')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'already')).toHaveLength(9);
    expect(await recorded('AlertResolved', alertId)).toHaveLength(1);
  });

  test('it with a command that gets its first answer again', async () => {
    const alertId = await raised('fees', 'FEE_UNVALUED');
    const first = await resolve(alertId, { commandId: 'end-fees' });
    expect(await resolve(alertId, { commandId: 'end-fees', nowMs: nowMs + 99 })).toEqual(first);
    await expect(resolve(alertId, { commandId: 'end-fees', reason: 'other' })).rejects.toMatchObject({
      code: 'COMMAND_ID_MISMATCH',
    });
  });

  test('nothing that nobody has raised', async () => {
    expect(await resolve(999_999_999)).toEqual({ outcome: 'unknown-alert' });
  });

  test('every alert but those of what lasts, which stay open and say what ends them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...alertCodes), async (code) => {
        const alertId = await raised(`any-${code}`, code);
        const endsWith = alertEndsWith(code);
        const { outcome } = await resolve(alertId);
        const isOpen = (await openAlerts(database.db)).some((alert) => alert.alertId === alertId);
        expect({ code, outcome, isOpen }).toEqual(
          endsWith === null
            ? { code, outcome: 'resolved', isOpen: false }
            : { code, outcome: 'ends-by-itself', isOpen: true },
        );
      }),
    );
  });

  test('what is told again is a new alert', async () => {
    const alertId = await raised('report', 'ORDER_REPORT_ILLEGAL');
    await resolve(alertId);
    expect(await raised('report', 'ORDER_REPORT_ILLEGAL')).toBeGreaterThan(alertId);
  });
});
