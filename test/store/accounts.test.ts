import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOnce } from '../../src/store/commands.ts';
import { ensureAccount, readAccount, saveBalances } from '../../src/store/trading-state/accounts.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aRequest, d, decide, nowMs, openAccount } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());

const actor = { type: 'user', id: 'anna' } as const;

const recorded = async (type: string) =>
  (await database.db.selectFrom('audit_event').select('body').where('event_type', '=', type).execute()).map(
    ({ body }) => JSON.parse(body),
  );

describe('an account', () => {
  test('is opened once, and its limits change with a record of both', async () => {
    const wanted = { account: 'limits', venue: 'paper', currency: 'USDT', actor, nowMs };
    expect(await ensureAccount(database.db, { ...wanted, limits: { a: '1' } })).toBe('opened');
    expect(await ensureAccount(database.db, { ...wanted, limits: { a: '1' } })).toBe('unchanged');
    expect(await ensureAccount(database.db, { ...wanted, limits: { a: '2' } })).toBe('limits-changed');
    expect(await readAccount(database.db, 'limits')).toMatchObject({ limits: { a: '2' }, limitsVersion: 2 });
    expect(await recorded('LimitsChanged')).toMatchObject([
      { before: { a: '1' }, after: { a: '2' }, limitsVersion: 2 },
    ]);
  });

  test('keeps its venue, and its currency while a trade of it is live', async () => {
    await openAccount(database.db, 'fixed');
    const ensure = (changed: object) =>
      ensureAccount(database.db, {
        account: 'fixed',
        venue: 'paper',
        currency: 'USDT',
        limits: { orderNotionalMax: '25000' },
        actor,
        nowMs,
        ...changed,
      });
    await expect(ensure({ venue: 'binance' })).rejects.toMatchObject({ code: 'ACCOUNT_MISMATCH' });
    await decide(database.db, aRequest({ tradeId: 'of-fixed', account: 'fixed' }));
    await expect(ensure({ currency: 'EUR' })).rejects.toMatchObject({ code: 'ACCOUNT_MISMATCH' });
  });

  test('forgets its equity with its currency', async () => {
    await openAccount(database.db, 'moving');
    await saveBalances(database.db, { account: 'moving', balances: [], equity: d('5'), fault: null, nowMs });
    const wanted = { account: 'moving', venue: 'paper', currency: 'EUR', limits: {}, actor, nowMs };
    await ensureAccount(database.db, wanted);
    expect(await readAccount(database.db, 'moving')).toMatchObject({ currency: 'EUR', equity: null, balances: [] });
    expect(await recorded('AccountCurrencyChanged')).toMatchObject([{ before: 'USDT', after: 'EUR' }]);
  });

  test('keeps the last equity and its age when a new one can not be told', async () => {
    await openAccount(database.db, 'equity');
    const save = (changed: object) =>
      saveBalances(database.db, {
        account: 'equity',
        balances: [{ asset: 'USDT', free: d('900.5'), locked: d('99.5') }],
        equity: d('1000'),
        fault: null,
        nowMs,
        ...changed,
      });
    await save({});
    await save({ equity: null, fault: 'no price of XYZ/USDT', nowMs: nowMs + 10 });
    expect(await readAccount(database.db, 'equity')).toMatchObject({
      equity: '1000',
      equityAtMs: nowMs,
      equityFault: 'no price of XYZ/USDT',
      balances: [{ asset: 'USDT', free: '900.5', locked: '99.5', observedAtMs: nowMs + 10 }],
    });
    await save({ equity: d('1'), balances: [{ asset: 'USDT', free: d('1'), locked: d('0') }], nowMs: nowMs - 10 });
    expect(await readAccount(database.db, 'equity')).toMatchObject({ equity: '1000', balances: [{ free: '900.5' }] });
    await save({ equity: d('1001'), nowMs: nowMs + 20 });
    expect(await readAccount(database.db, 'equity')).toMatchObject({ equity: '1001', equityFault: null });
  });

  test('that nobody has opened is undefined', async () => {
    expect(await readAccount(database.db, 'nobody')).toBeUndefined();
  });
});

describe('runOnce', () => {
  const run = (commandId: string | undefined, body: unknown, work: () => Promise<unknown>) =>
    runOnce(database.db, { commandId, kind: 'test', body, nowMs }, work);

  test('runs a command once, however many send it at the same time', async () => {
    let runs = 0;
    const work = async () => {
      runs += 1;
      return { runs };
    };
    const results = await Promise.all(Array.from({ length: 10 }, () => run('c-1', { a: 1 }, work)));
    expect(runs).toBe(1);
    expect(new Set(results.map((result) => JSON.stringify(result)))).toEqual(new Set(['{"runs":1}']));
  });

  test('runs it again after a failure, and every time without an id', async () => {
    await expect(run('c-2', {}, () => Promise.reject(new Error('first')))).rejects.toThrow('first');
    expect(await run('c-2', {}, async () => 'second')).toBe('second');
    expect([await run(undefined, {}, async () => 1), await run(undefined, {}, async () => 2)]).toEqual([1, 2]);
  });
});
