import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HoldScope } from '../../src/contracts/messages/messages.ts';
import { applyHalt, isScopeUnused } from '../../src/store/trading-state/halting.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aRequest, nowMs, openAccount, placeEntry } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  await openAccount(database.db);
  await placeEntry(database.db, aRequest({ tradeId: 'used-1' }));
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.asOwner('delete from hold');
});

const account = (id: string): HoldScope => ({ kind: 'account', id });
const halt = (changed: Partial<Parameters<typeof applyHalt>[1]> = {}) =>
  applyHalt(database.db, {
    scope: account('main'),
    level: 'frozen',
    actor: 'anna',
    reason: 'looks wrong',
    nowMs,
    ...changed,
  });
const inForce = async () => (await holdsInForce(database.db, nowMs)).map(({ scope }) => scope);

describe('a halt that a person asks for', () => {
  test.each([
    { name: 'an account that does not exist', changed: { scope: account('mian') }, code: 'ACCOUNT_UNKNOWN' },
    { name: 'an end that is now', changed: { expiresAtMs: nowMs }, code: 'REQUEST_INVALID' },
    { name: 'an end that was a second ago', changed: { expiresAtMs: nowMs - 1_000 }, code: 'REQUEST_INVALID' },
  ])('is refused for $name, and holds nothing', async ({ changed, code }) => {
    await expect(halt({ ...changed, commandId: 'refused' })).rejects.toMatchObject({ code });
    expect(await inForce()).toEqual([]);
    expect(await database.asOwner("select 1 from command where command_id = 'refused'")).toEqual([]);
  });

  test('is in force on an account that exists, until a time that comes', async () => {
    expect(await halt({ expiresAtMs: nowMs + 1 })).toMatchObject({ hold: { source: 'operator', level: 'frozen' } });
    expect(await inForce()).toEqual([account('main')]);
  });

  test('gets its first answer again, also when its time is over by then', async () => {
    const asked = { expiresAtMs: nowMs + 1_000, commandId: 'halt-once' };
    const first = await halt(asked);
    expect(await halt({ ...asked, nowMs: nowMs + 5_000 })).toEqual(first);
  });

  test('is no mistake when its time was over before the database could take it', async () => {
    const late = { expiresAtMs: nowMs + 1_000, haltedAtMs: nowMs, nowMs: nowMs + 5_000 };
    expect(await halt(late)).toMatchObject({ hold: { expiresAtMs: nowMs + 1_000 } });
  });
});

describe('whether nothing has ever been in a scope', () => {
  test.each<[HoldScope, boolean]>([
    [{ kind: 'all', id: '*' }, false],
    [account('main'), false],
    [{ kind: 'strategy', id: 'ma-cross' }, false],
    [{ kind: 'strategy', id: 'ma-corss' }, true],
    [{ kind: 'symbol', id: 'BTC/USDT' }, false],
    [{ kind: 'symbol', id: 'BTC/USTD' }, true],
  ])('%j: %s', async (scope, expected) => {
    expect(await isScopeUnused(database.db, scope)).toBe(expected);
  });

  test('is not said, and is no error, where the database can not be asked', async () => {
    const away = await aDatabase();
    await away.close();
    expect(await isScopeUnused(away.db, { kind: 'strategy', id: 'ma-corss' })).toBe(false);
  });
});
