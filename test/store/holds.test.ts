import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { HoldLevel, HoldScope } from '../../src/contracts/messages/messages.ts';
import { commitIntent, renewIntent } from '../../src/store/orders/intents.ts';
import { recordSend } from '../../src/store/orders/order-sends.ts';
import { holdsApplyingTo, holdsInForce, setHold } from '../../src/store/trading-state/holds.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aRequest,
  committed,
  d,
  decide,
  enter,
  entryIntent,
  exitIntent,
  messagesTo,
  nowMs,
  openAccount,
  placeEntry,
} from './fixtures.ts';

let database: TestDatabase;
let request: EntryRequest;
let count = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 40 });
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.asOwner('delete from hold');
  count += 1;
  const account = `account-${count}`;
  await openAccount(database.db, account);
  request = aRequest({ tradeId: `trade-${count}`, account });
});

const everything: HoldScope = { kind: 'all', id: '*' };

const hold = (changed: object = {}) =>
  setHold(database.db, {
    scope: everything,
    source: 'operator',
    level: 'entries-blocked',
    actor: 'anna',
    reason: 'looks wrong',
    nowMs,
    ...changed,
  });

const lift = (changed: object = {}) =>
  resume(database.db, {
    scope: everything,
    source: 'operator',
    actor: 'ben',
    reason: 'looked at it',
    nowMs: nowMs + 1_000,
    ...changed,
  });

const holdRecords = (type: string) =>
  database.db.selectFrom('audit_event').select('body').where('event_type', '=', type).execute();

describe('a hold', () => {
  test.each<[string, HoldScope, boolean]>([
    ['everything', everything, true],
    ['the account', { kind: 'account', id: 'account-1' }, true],
    ['another account', { kind: 'account', id: 'another' }, false],
    ['the strategy', { kind: 'strategy', id: 'ma-cross' }, true],
    ['another strategy', { kind: 'strategy', id: 'another' }, false],
    ['the symbol', { kind: 'symbol', id: 'BTC/USDT' }, true],
    ['another symbol', { kind: 'symbol', id: 'ETH/USDT' }, false],
  ])('on %s refuses an entry: %s', async (_, scope, refuses) => {
    const own = scope.kind === 'account' && scope.id === 'account-1' ? { ...scope, id: request.account } : scope;
    const { hold: set } = await hold({ scope: own });
    await decide(database.db, request);
    const intended = await commitIntent(database.db, entryIntent(request));
    if (refuses) expect(intended).toEqual({ outcome: 'held', holdId: set.holdId });
    else expect(intended.outcome).toBe('committed');
  });

  test('never refuses an exit', async () => {
    await enter(database.db, request);
    await hold({ level: 'frozen' });
    expect((await commitIntent(database.db, exitIntent(request, d('1')))).outcome).toBe('committed');
  });

  test('refuses the second send of an entry', async () => {
    const { clientOrderId } = await placeEntry(database.db, request);
    const send = { epoch: 1, outcome: 'NOT_SENT', httpStatus: null, venueCode: null, detail: '' } as const;
    await recordSend(database.db, { clientOrderId, send, nowMs });
    await hold();
    const again = { clientOrderId, fromEpoch: 1, signedAtMs: nowMs + 4_000, nowMs: nowMs + 4_000 };
    expect(await renewIntent(database.db, again)).toMatchObject({ outcome: 'held' });
  });

  test('names the entries that still work, and only those in its scope', async () => {
    const order = await placeEntry(database.db, request);
    const own = await hold({ scope: { kind: 'account', id: request.account } });
    expect(own.workingEntries).toEqual([
      {
        clientOrderId: order.clientOrderId,
        tradeId: request.tradeId,
        symbol: 'BTC/USDT',
        side: 'BUY',
        leavesQuantity: '1',
        status: 'pendingNew',
      },
    ]);
    const ofStrategy = await hold({ scope: { kind: 'strategy', id: 'ma-cross' } });
    expect(ofStrategy.workingEntries.map(({ tradeId }) => tradeId)).toContain(request.tradeId);
    const ofSymbol = await hold({ scope: { kind: 'symbol', id: 'ETH/USDT' } });
    expect(ofSymbol.workingEntries).toEqual([]);
  });

  test('pokes the breaker of every account it may concern', async () => {
    await hold({ scope: { kind: 'account', id: request.account } });
    expect(await messagesTo(database.db, `breaker-account-${request.account}`)).toMatchObject([
      { signal_name: 'poke' },
    ]);
  });

  test('counts until it expires', async () => {
    await hold({ expiresAtMs: nowMs + 500 });
    expect(await holdsInForce(database.db, nowMs + 499)).toHaveLength(1);
    expect(await holdsInForce(database.db, nowMs + 500)).toEqual([]);
    await decide(database.db, request);
    expect((await commitIntent(database.db, entryIntent(request, { nowMs: nowMs + 500 }))).outcome).toBe('committed');
  });

  test('may be set again after it has expired: the old one is lifted, the new one has an id of its own', async () => {
    const first = await hold({ expiresAtMs: nowMs + 500 });
    const second = await hold({ nowMs: nowMs + 600 });
    expect(second.hold.holdId).not.toBe(first.hold.holdId);
    expect(await holdsInForce(database.db, nowMs + 600)).toEqual([second.hold]);
  });

  test.each<[HoldLevel, HoldLevel, HoldLevel]>([
    ['entries-blocked', 'frozen', 'frozen'],
    ['flatten', 'entries-blocked', 'flatten'],
    ['frozen', 'frozen', 'frozen'],
  ])('of %s that is set again as %s is one hold of %s', async (first, second, level) => {
    const set = await hold({ level: first });
    const joined = await hold({ level: second, reason: 'still wrong', actor: 'ben' });
    expect(joined.hold).toMatchObject({ holdId: set.hold.holdId, level, reason: 'still wrong', actor: 'ben' });
    expect(Number(joined.hold.version)).toBeGreaterThan(Number(set.hold.version));
    expect(await holdsInForce(database.db, nowMs)).toEqual([joined.hold]);
  });

  test('is set once by a command that comes twice', async () => {
    const commandId = `${request.tradeId}-halt`;
    const before = (await holdRecords('HaltApplied')).length;
    const first = await hold({ commandId });
    expect(await hold({ commandId, nowMs: nowMs + 50 })).toEqual(first);
    expect(await holdRecords('HaltApplied')).toHaveLength(before + 1);
    await expect(hold({ commandId, level: 'frozen' })).rejects.toMatchObject({ code: 'COMMAND_ID_MISMATCH' });
  });
});

describe('resume', () => {
  test('lifts the hold of its own source, with a record, and no other', async () => {
    await hold();
    const ofBreaker = await hold({ source: 'breaker', actor: 'breaker-account-main' });
    expect(await lift()).toMatchObject({ outcome: 'lifted' });
    expect(await holdsInForce(database.db, nowMs)).toEqual([ofBreaker.hold]);
    expect(await lift()).toEqual({ outcome: 'none' });
    const [record] = (await holdRecords('ResumeApplied')).slice(-1);
    expect(JSON.parse(record?.body ?? '')).toMatchObject({ actor: { type: 'user', id: 'ben' }, source: 'operator' });
  });

  test('refuses when the hold is not the one that was seen', async () => {
    const seen = await hold();
    await hold({ reason: 'worse than it looked' });
    expect(await lift({ version: seen.hold.version })).toMatchObject({
      outcome: 'changed',
      hold: { reason: 'worse than it looked' },
    });
    const [present] = await holdsInForce(database.db, nowMs);
    expect(await lift({ version: present?.version })).toMatchObject({ outcome: 'lifted' });
  });

  test('frees entries again', async () => {
    await hold();
    await decide(database.db, request);
    await lift();
    expect((await commitIntent(database.db, entryIntent(request))).outcome).toBe('committed');
  });
});

test('holdsApplyingTo finds exactly the holds that an entry meets', async () => {
  await hold({ scope: { kind: 'symbol', id: 'ETH/USDT' } });
  await hold({ scope: { kind: 'strategy', id: 'another' } });
  const own = await hold({ scope: { kind: 'account', id: request.account }, source: 'venue' });
  const to = { account: request.account, strategy: 'ma-cross', symbols: ['BTC/USDT'] };
  expect(await holdsApplyingTo(database.db, to, nowMs)).toEqual([own.hold]);
});

describe('a halt among 64 entries in flight', () => {
  test('lets none be committed after it, and loses none that was committed before', async () => {
    const requests = Array.from({ length: 64 }, (_, index) => ({ ...request, tradeId: `${request.tradeId}-${index}` }));
    for (const each of requests) await decide(database.db, each);
    const halting = database.another(1);
    let isHalted = false;
    const afterHalt: string[] = [];

    const intents = requests.map(async (each, index) => {
      // Spread over the time that the halt needs, so that some come before it and some after.
      await new Promise((resolve) => setTimeout(resolve, index));
      const cameAfter = isHalted;
      const { outcome } = await commitIntent(database.db, entryIntent(each));
      if (cameAfter) afterHalt.push(outcome);
      return outcome;
    });
    const halt = (async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const set = await setHold(halting, {
        scope: everything,
        source: 'operator',
        level: 'entries-blocked',
        actor: 'anna',
        reason: 'stop',
        nowMs,
      });
      isHalted = true;
      return set;
    })();
    const outcomes = await Promise.all(intents);
    const { workingEntries } = await halt;

    // Whatever was committed is named by the halt: nothing slipped in between.
    const named = new Set(workingEntries.map(({ tradeId }) => tradeId));
    const committedTrades = requests
      .filter((_, index) => outcomes[index] === 'committed')
      .map(({ tradeId }) => tradeId);
    expect(committedTrades.filter((tradeId) => !named.has(tradeId))).toEqual([]);
    expect(afterHalt.filter((outcome) => outcome !== 'held')).toEqual([]);
    expect(outcomes.filter((outcome) => outcome !== 'held' && outcome !== 'committed')).toEqual([]);
  });

  test('waits for an intent that is under way, and then names it', async () => {
    await decide(database.db, request);
    const client = database.another(1);
    let halt: Promise<readonly string[]> | undefined;
    await client.transaction().execute(async (tx) => {
      committed(await commitIntent(tx, entryIntent(request)));
      halt = hold().then(({ workingEntries }) => workingEntries.map(({ tradeId }) => tradeId));
      // The halt can't be in force while this intent is not decided.
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await holdsInForce(database.db, nowMs)).toEqual([]);
    });
    expect(await halt).toContain(request.tradeId);
  });
});
