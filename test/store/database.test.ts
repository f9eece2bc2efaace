import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../src/store/database.ts';
import { databaseError, isUnavailable } from '../../src/store/database-errors.ts';
import { checkDurability } from '../../src/store/durability.ts';
import { record } from '../../src/store/record.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { nowMs, openAccount } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  await openAccount(database.db);
});
afterAll(() => database.close());

describe('values', () => {
  test('numeric is an exact decimal, bigint a number', async () => {
    const { rows } = await sql<{ price: string; count: number }>`
      select 0.1000000000000000000001::numeric as price, 9007199254740991::bigint as count
    `.execute(database.db);
    expect(rows).toEqual([{ price: '0.1000000000000000000001', count: 9_007_199_254_740_991 }]);
  });

  test('a bigint beyond what a number can hold is a mistake of ours, not a rounded value', async () => {
    await expect(sql`select 9007199254740993::bigint as count`.execute(database.db)).rejects.toThrow('safe integer');
  });
});

describe('errors', () => {
  test('a wait for a lock ends after a second, and may be tried again', async () => {
    const holder = database.another(1);
    await holder.transaction().execute(async (tx) => {
      await tx.selectFrom('account').selectAll().forUpdate().execute();
      const waiting = database.db
        .transaction()
        .execute((own) => own.selectFrom('account').selectAll().forUpdate().execute());
      // The holder must not idle for longer than the waiter waits, or it is ended first.
      const busy = (async () => {
        await sql`select pg_sleep(0.6)`.execute(tx);
        await sql`select pg_sleep(0.6)`.execute(tx);
      })();
      await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_BUSY', retryable: true });
      await busy;
    });
  });

  test('a statement ends after two seconds', async () => {
    await expect(sql`select pg_sleep(10)`.execute(database.db)).rejects.toMatchObject({ code: 'DATABASE_BUSY' });
  });

  test('a server that is not there is unavailable', async () => {
    const nobody = createDatabase({
      url: 'postgres://nobody:secret@127.0.0.1:1/nothing',
      applicationName: 'test',
      poolMax: 1,
      onError: () => {},
    });
    const error = await sql`select 1`.execute(nobody).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(isUnavailable(error)).toBe(true);
    expect(String(error)).not.toContain('secret');
    await nobody.destroy();
  });

  test('a wrong password is refused and not tried again', async () => {
    const url = new URL(database.appUrl);
    url.password = 'wrong';
    const refused = createDatabase({ url: url.href, applicationName: 'test', poolMax: 1, onError: () => {} });
    await expect(sql`select 1`.execute(refused)).rejects.toMatchObject({ code: 'DATABASE_REFUSED', retryable: false });
    await refused.destroy();
  });

  test('a session that the server ends costs its statement and nothing else', async () => {
    const errors: Error[] = [];
    const cut = createDatabase({
      url: database.appUrl,
      applicationName: 'to-be-cut',
      poolMax: 1,
      onError: (error) => errors.push(error),
    });
    await sql`select 1`.execute(cut);
    const end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to-be-cut'";
    const running = expect(sql`select pg_sleep(1.5)`.execute(cut)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    await database.asOwner(end);
    await running;
    expect((await sql<{ one: number }>`select 1 as one`.execute(cut)).rows).toEqual([{ one: 1 }]);
    await cut.destroy();
  });

  test('a plan that a migration has outdated costs its statement and nothing else', async () => {
    const lasting = createDatabase({ url: database.appUrl, applicationName: 'test', poolMax: 1, onError: () => {} });
    const read = () => sql`select * from migrated where id = ${1}`.execute(lasting);
    await database.asOwner('create table migrated (id integer); grant select on migrated to public');
    await read();
    await database.asOwner('alter table migrated add column name text');
    await expect(read()).rejects.toThrow('cached plan');
    expect((await read()).rows).toEqual([]);
    await lasting.destroy();
  });

  test.each([
    [{ code: '53100' }, 'DATABASE_FULL'],
    [{ code: '40P01' }, 'DATABASE_BUSY'],
    [{ code: '08006' }, 'DATABASE_UNAVAILABLE'],
    [{ code: '57P01' }, 'DATABASE_UNAVAILABLE'],
    [{ code: '25006' }, 'DATABASE_READ_ONLY'],
  ])('%o is %s', (properties, code) => {
    expect(databaseError(Object.assign(new Error('as PostgreSQL says'), properties))).toMatchObject({ code });
  });

  test('a mistake of ours stays the error it is', () => {
    const mistake = Object.assign(new Error('syntax error'), { code: '42601' });
    expect(databaseError(mistake)).toBe(mistake);
    expect(databaseError('not an error')).toBe('not an error');
  });

  test('nothing is believed to be committed after a failure that somebody swallowed', async () => {
    const swallowing = database.db.transaction().execute(async (tx) => {
      await sql`select 1 / 0`.execute(tx).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('a failed transaction is not committed');
  });
});

describe('record', () => {
  const event = (data: object) => ({
    type: 'AccountOpened' as const,
    key: ['twice'],
    atMs: nowMs,
    actor: { type: 'system', id: 'test' } as const,
    data: { ...data },
  });
  const write = (data: object) => database.db.transaction().execute((tx) => record(tx, event(data)));

  test('adds the same event once, and refuses another one under its id', async () => {
    await write({ b: 1, a: '1.10', left: undefined });
    await write({ a: '1.10', b: 1 });
    await expect(write({ a: '1.1', b: 1 })).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    const rows = await database.db.selectFrom('audit_event').select('body').where('body', 'like', '%1.10%').execute();
    expect(rows).toEqual([
      {
        body: expect.stringMatching(/^\{"_eventId":"[0-9a-f-]{36}","_insertNo":\d+,"_recordedAt":"[\dT:.-]+\d{6}Z",/),
      },
    ]);
    expect(rows.map(({ body }) => body.replace(/"_.*?",(?="a")/, ''))).toEqual([
      '{"a":"1.10","actor":{"id":"test","type":"system"},"at":"2026-11-21T12:00:00.000000Z","b":1,"type":"AccountOpened","v":1}',
    ]);
  });
});

describe('the rights of the application', () => {
  test.each([
    ['update audit_event set body = body', 'DATABASE_REFUSED'],
    ['delete from audit_event', 'DATABASE_REFUSED'],
    ['truncate audit_event', 'DATABASE_REFUSED'],
    ["update audit_head set seq = 0 where log_id = 'ratchet'", 'DATABASE_REFUSED'],
    ['delete from audit_checkpoint', 'DATABASE_REFUSED'],
    ['drop table trade', 'DATABASE_REFUSED'],
    [
      "insert into audit_event (event_id, event_type, body, seq) values (gen_random_uuid(), 'x', 'x', 1)",
      'DATABASE_REFUSED',
    ],
    ['create table mine (x integer)', 'DATABASE_REFUSED'],
  ])('do not allow: %s', async (statement, code) => {
    await expect(sql.raw(statement).execute(database.db)).rejects.toMatchObject({ code });
  });

  test('allow sealing, through its function only', async () => {
    const { rows } = await sql<{ sealed: number }>`select seal_events(1000) as sealed`.execute(database.db);
    expect(rows[0]?.sealed).toBeGreaterThan(0);
    const unsealed = await database.db.selectFrom('audit_event').select('seq').where('seq', 'is', null).execute();
    expect(unsealed).toEqual([]);
  });

  test.each(['update audit_event set body = body', 'delete from audit_event', 'truncate audit_event'])(
    'even the owner is stopped by the trigger: %s',
    async (statement) => {
      await expect(database.asOwner(statement)).rejects.toThrow('AUDIT_IMMUTABLE');
    },
  );
});

describe('checkDurability', () => {
  test('accepts a database that keeps what it confirms', async () => {
    await expect(checkDurability(database.db)).resolves.toBeUndefined();
  });

  test('refuses one that answers before it has written', async () => {
    await database.asOwner(`alter role ratchet_app in database ${nameOf(database)} set synchronous_commit = off`);
    const careless = database.another(1);
    await expect(checkDurability(careless)).rejects.toMatchObject({
      code: 'DATABASE_NOT_DURABLE',
      context: { parameter: 'synchronous_commit', setting: 'off' },
    });
  });
});

const nameOf = ({ ownerUrl }: TestDatabase): string => new URL(ownerUrl).pathname.slice(1);
