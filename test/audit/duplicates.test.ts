import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RatchetError } from '../../src/domain/errors.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import { createDatabase, type Db } from '../../src/store/database.ts';
import { raiseEventConflict } from '../../src/store/event-conflict.ts';
import { record, recordAll } from '../../src/store/record.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { anAppender } from './appending.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());

describe('F66: the same events from four processes', () => {
  const [producers, calls] = [4, 800];

  test('12,800 calls make 3,200 rows, and no call fails', async () => {
    const appender = () => anAppender({ url: database.appUrl, prefix: 'same', producers, calls });
    const processes = await Promise.all(Array.from({ length: 4 }, appender));
    for (const { start } of processes) start();
    const results = await Promise.all(processes.map(({ result }) => result));
    expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBe(12_800);
    expect(results.reduce((sum, { failures }) => sum + failures, 0)).toBe(0);
    const { rows } = await sql<{ records: number; events: number }>`
      select count(*) as records, count(distinct event_id) as events from audit_event`.execute(database.db);
    expect(rows[0]).toEqual({ records: 3_200, events: 3_200 });
  }, 120_000);
});

describe('F67: the same event id with another body', () => {
  const write = (db: Db, data: object) =>
    db.transaction().execute(async (tx) => {
      await sql`insert into alert (condition_key, code, severity, message, context, raised_at_ms)
        values ('beside', 'EVENT_CONFLICT', 'INFO', '', '{}', 0)`.execute(tx);
      await record(tx, {
        type: 'LimitsChanged',
        key: ['conflict'],
        atMs: 0,
        actor: { type: 'system', id: 'test' },
        data: { ...data },
      });
      await sql`delete from alert where condition_key = 'beside'`.execute(tx);
    });

  test('is refused with all that came with it, the original is kept, and an alert names it once', async () => {
    const raised: Promise<unknown>[] = [];
    const db: Db = createDatabase({
      url: database.appUrl,
      applicationName: 'test',
      poolMax: 2,
      onError: () => {},
      onEventConflict: (error) => raised.push(raiseEventConflict(database.db, error, 1)),
    });
    await write(db, { limit: '1' });
    await write(db, { limit: '1' });
    const conflict = await write(db, { limit: '2' }).catch((error: unknown) => error);
    await expect(write(db, { limit: '3' })).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    await db.destroy();
    await Promise.all(raised);

    const stored = await database.db
      .selectFrom('audit_event')
      .select(['event_id', 'body'])
      .where('event_type', '=', 'LimitsChanged')
      .execute();
    expect(stored.map(({ body }) => JSON.parse(body).limit)).toEqual(['1']);
    const eventId = stored[0]?.event_id;
    expect(conflict).toBeInstanceOf(RatchetError);
    expect(conflict).toMatchObject({ code: 'EVENT_CONFLICT', retryable: false, context: { eventId } });
    expect(await openAlerts(database.db)).toMatchObject([
      { code: 'EVENT_CONFLICT', severity: 'CRITICAL', condition: `event-conflict:${eventId}` },
    ]);
  });
});

describe('several records in one statement', () => {
  const events = (...limits: readonly string[]) =>
    limits.map((limit) => {
      const [name, value = '1'] = limit.split('=');
      const actor = { type: 'system', id: 'test' } as const;
      return { type: 'BaselineTaken', key: ['batch', name ?? ''], atMs: 0, actor, data: { name, value } } as const;
    });
  const write = (...limits: readonly string[]) =>
    database.db.transaction().execute((tx) => recordAll(tx, events(...limits)));
  const kept = async () => {
    const { rows } = await sql<{ body: string }>`
      select body from audit_event where event_type = 'BaselineTaken' order by insert_no`.execute(database.db);
    return rows.map(({ body }) => JSON.parse(body)).map(({ name, value }) => `${name}=${value}`);
  };

  test('add those that are new, in their order, and each once', async () => {
    await write('c', 'a');
    await write('b', 'a', 'd', 'd', 'c');
    expect(await kept()).toEqual(['c=1', 'a=1', 'b=1', 'd=1']);
  });

  test('are refused together where one of them has another body, also within the statement', async () => {
    const before = await kept();
    await expect(write('e', 'a=2', 'f')).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    await expect(write('g', 'h', 'g=2')).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    expect(await kept()).toEqual(before);
  });
});
