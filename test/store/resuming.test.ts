import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { approvalLastsMs } from '../../src/domain/approval.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { type Limits, paperLimits } from '../../src/domain/limits/limits.ts';
import { createKey, revokeKey, sha256OfSecret } from '../../src/store/api-keys.ts';
import { ensureAccount } from '../../src/store/trading-state/accounts.ts';
import {
  type Asker,
  readApproval,
  setApprovalPolicy,
  waitingApprovals,
} from '../../src/store/trading-state/approvals.ts';
import { holdsInForce, setHold } from '../../src/store/trading-state/holds.ts';
import { approve, changeLimits, resume } from '../../src/store/trading-state/resuming.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { alertCodes, nowMs, openAccount } from './fixtures.ts';

let database: TestDatabase;
let db: TestDatabase['db'];
beforeAll(async () => {
  database = await aDatabase({ poolMax: 20 });
  ({ db } = database);
  await openAccount(db);
  for (const keyId of ['key-anna', 'key-ben', 'key-carl']) await makeKey(keyId, ['operate']);
  await makeKey('key-reader', ['read']);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.asOwner('delete from hold');
  await database.asOwner('delete from alert');
  await setApprovalPolicy(db, { peopleNeeded: 2, nowMs });
});

const system = { type: 'system', id: 'test' } as const;
const makeKey = (keyId: string, scopes: readonly string[]) =>
  createKey(db, { keyId, sha256: sha256OfSecret(keyId), label: keyId, scopes, actor: system, nowMs });

const everything = { kind: 'all', id: '*' } as const;
const anna: Asker = { keyId: 'key-anna', person: 'anna', reason: 'looked at it' };
const ben: Asker = { keyId: 'key-ben', person: 'ben', reason: 'so did I' };

const halt = (changed: object = {}) =>
  setHold(db, {
    scope: everything,
    source: 'operator',
    level: 'frozen',
    actor: 'anna',
    reason: 'news',
    nowMs,
    ...changed,
  });
const ask = (by: Asker | undefined = anna, changed: object = {}) =>
  resume(db, {
    scope: everything,
    source: 'operator',
    actor: 'anna',
    reason: 'over',
    nowMs,
    ...(by && { by }),
    ...changed,
  });
const requested = async (by: Asker = anna) => {
  const asked = await ask(by);
  if (asked.outcome !== 'requested') throw new Error(`it is ${asked.outcome}`);
  return asked.approval;
};
const held = async () => (await holdsInForce(db, nowMs)).length > 0;
const bodies = async (type: string) =>
  (
    await db
      .selectFrom('audit_event')
      .select('body')
      .where('event_type', '=', type as never)
      .orderBy('insert_no')
      .execute()
  ).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe('F45 I10: a resume where two people are needed', () => {
  test('is carried out by the second one, with another key, and says who they were', async () => {
    await halt();
    const { approvalId, requestHash } = await requested();
    expect(await held()).toBe(true);
    expect(await waitingApprovals(db, nowMs)).toHaveLength(1);
    const voted = await approve(db, { approvalId, requestHash, by: ben, nowMs: nowMs + 1 });
    expect(voted).toMatchObject({ outcome: 'applied', result: { hold: { level: 'frozen' } } });
    expect(await held()).toBe(false);
    expect((await bodies('ResumeApplied')).at(-1)).toMatchObject({
      approvals: [
        { keyId: 'key-anna', person: 'anna' },
        { keyId: 'key-ben', person: 'ben' },
      ],
    });
    expect((await bodies('ResumeRequested')).at(-1)).toMatchObject({ approvalId, keyId: 'key-anna' });
    expect((await bodies('ResumeApproved')).at(-1)).toMatchObject({ approvalId, keyId: 'key-ben' });
    expect(await waitingApprovals(db, nowMs)).toEqual([]);
  });

  test.each<[string, string, () => Promise<void> | void, Partial<Parameters<typeof approve>[1]>]>([
    ['the same person', 'APPROVAL_SAME_PERSON', () => undefined, { by: anna }],
    ['the same key under another name', 'APPROVAL_SAME_PERSON', () => undefined, { by: { ...ben, keyId: 'key-anna' } }],
    ['the same name with another key', 'APPROVAL_SAME_PERSON', () => undefined, { by: { ...ben, person: 'Anna' } }],
    ['an approval after fifteen minutes', 'APPROVAL_EXPIRED', () => undefined, { nowMs: nowMs + approvalLastsMs }],
    ['an approval of other words', 'APPROVAL_CHANGED', () => undefined, { requestHash: '0'.repeat(64) }],
    ['an approval of a request that nobody made', 'APPROVAL_UNKNOWN', () => undefined, { approvalId: 'approval-1' }],
    ['a key that may not operate', 'APPROVAL_KEY_REFUSED', () => undefined, { by: { ...ben, keyId: 'key-reader' } }],
    ['a hold that was set again meanwhile', 'APPROVAL_CHANGED', async () => void (await halt()), {}],
    [
      'a hold that is gone',
      'HOLD_NOT_IN_FORCE',
      async () => void (await database.asOwner('update hold set lifted_at_ms = 1')),
      {},
    ],
  ])('refuses %s with %s, records it, and stays halted', async (_, code, before, changed) => {
    await halt();
    const { approvalId, requestHash } = await requested();
    const wasHeld = code !== 'HOLD_NOT_IN_FORCE';
    await before();
    const denied = (await bodies('AuthzDenied')).length;
    const voted = await approve(db, { approvalId, requestHash, by: ben, nowMs: nowMs + 1, ...changed });
    expect(voted).toEqual({ outcome: 'refused', code });
    expect(await held()).toBe(wasHeld);
    const records = await bodies('AuthzDenied');
    expect(records.slice(denied)).toMatchObject([{ code }]);
  });

  test('refuses the same approval a second time, and lifts nothing that came later', async () => {
    await halt();
    const { approvalId, requestHash } = await requested();
    await approve(db, { approvalId, requestHash, by: ben, nowMs: nowMs + 1 });
    await halt();
    const carl = { keyId: 'key-carl', person: 'carl', reason: 'again' };
    for (const by of [ben, carl]) {
      expect(await approve(db, { approvalId, requestHash, by, nowMs: nowMs + 2 })).toEqual({
        outcome: 'refused',
        code: 'APPROVAL_USED',
      });
    }
    expect(await held()).toBe(true);
  });

  test('looks at the rights of who asked again when it is carried out', async () => {
    await makeKey('key-gone', ['operate']);
    await halt();
    const { approvalId, requestHash } = await requested({ keyId: 'key-gone', person: 'gone', reason: 'over' });
    await revokeKey(db, { keyId: 'key-gone', actor: system, nowMs });
    const voted = await approve(db, { approvalId, requestHash, by: ben, nowMs: nowMs + 1 });
    expect(voted).toEqual({ outcome: 'refused', code: 'APPROVAL_KEY_REFUSED' });
    expect(await held()).toBe(true);
  });

  test('without a key is refused and recorded: a name proves nobody', async () => {
    await halt();
    const denied = (await bodies('AuthzDenied')).length;
    expect(await resume(db, { scope: everything, source: 'operator', actor: 'anna', reason: 'over', nowMs })).toEqual({
      outcome: 'needs-key',
    });
    expect((await bodies('AuthzDenied')).slice(denied)).toMatchObject([{ code: 'RESUME_NEEDS_APPROVAL' }]);
    expect(await held()).toBe(true);
  });

  test('of ten approvals at once carries out one', async () => {
    await halt();
    const { approvalId, requestHash } = await requested();
    const votes = await Promise.all(
      Array.from({ length: 10 }, () => approve(db, { approvalId, requestHash, by: ben, nowMs: nowMs + 1 })),
    );
    expect(votes.filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
    expect((await readApproval(db, approvalId))?.voters).toHaveLength(2);
  });

  test('PB12: one person alone lifts nothing, however often they ask', async () => {
    await halt();
    for (let n = 0; n < 3; n += 1) {
      const { approvalId, requestHash } = await requested();
      await approve(db, { approvalId, requestHash, by: anna, nowMs: nowMs + 1 });
    }
    expect(await held()).toBe(true);
  });
});

test('one person is enough where the policy says so', async () => {
  await setApprovalPolicy(db, { peopleNeeded: 1, nowMs: nowMs + 5 });
  await halt();
  expect(await ask(undefined)).toMatchObject({ outcome: 'lifted' });
});

describe('F44: halts and resumes that meet', () => {
  beforeEach(() => setApprovalPolicy(db, { peopleNeeded: 1, nowMs: nowMs + 7 }));

  test('versions only rise, whatever comes in whatever order', async () => {
    const versions: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const results = await Promise.all([
        halt(),
        halt({ actor: 'ben' }),
        ask(undefined),
        halt({ commandId: `c-${n}` }),
      ]);
      versions.push(Math.max(...results.flatMap((result) => ('hold' in result ? [Number(result.hold.version)] : []))));
    }
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });

  test('a resume that is sent again lifts nothing that was set since', async () => {
    await halt();
    expect(await ask(undefined, { commandId: 'resume-1' })).toMatchObject({ outcome: 'lifted' });
    await halt();
    expect(await ask(undefined, { commandId: 'resume-1' })).toMatchObject({ outcome: 'lifted' });
    expect(await held()).toBe(true);
  });

  test('a halt that is sent again is one halt, also with its sweep', async () => {
    const first = await halt({ commandId: 'halt-1' });
    await ask(undefined);
    expect(await halt({ commandId: 'halt-1' })).toEqual(first);
    expect(await held()).toBe(false);
  });
});

describe('F50: limits', () => {
  const changed = (change: Partial<Limits>): Limits => ({ ...paperLimits, ...change });
  const limitsOf = async () =>
    (await db.selectFrom('account').select('limits').where('account_id', '=', 'main').executeTakeFirstOrThrow())
      .limits as Limits;
  const set = (limits: Limits, by: Asker | undefined = anna) =>
    changeLimits(db, { account: 'main', limits, reason: 'wiser', actor: 'anna', ...(by && { by }), nowMs });

  beforeEach(() => database.asOwner(`update account set limits = '${JSON.stringify(paperLimits)}'`));

  test('are tightened by anybody at once', async () => {
    expect(await set(changed({ orderNotionalMax: decimal('10') }), undefined)).toEqual({ outcome: 'changed' });
    expect(await limitsOf()).toMatchObject({ orderNotionalMax: '10' });
  });

  test('are loosened by two; what is tightened in the same step does not wait', async () => {
    const wanted = changed({ orderNotionalMax: decimal('99999'), symbolDeltaMax: decimal('0.1') });
    const asked = await set(wanted);
    expect(asked).toMatchObject({ outcome: 'requested', loosened: ['orderNotionalMax'] });
    expect(await limitsOf()).toMatchObject({ orderNotionalMax: '25000', symbolDeltaMax: '0.1' });
    if (asked.outcome !== 'requested') return;
    const { approvalId, requestHash } = asked.approval;
    expect(await approve(db, { approvalId, requestHash, by: anna, nowMs })).toMatchObject({ outcome: 'refused' });
    expect(await approve(db, { approvalId, requestHash, by: ben, nowMs })).toMatchObject({ outcome: 'applied' });
    expect(await limitsOf()).toEqual(wanted);
  });

  test('an approval counts for the limits it was asked from, not for others', async () => {
    const asked = await set(changed({ orderNotionalMax: decimal('99999') }));
    await set(changed({ orderNotionalMax: decimal('10') }), undefined);
    if (asked.outcome !== 'requested') throw new Error(asked.outcome);
    const { approvalId, requestHash } = asked.approval;
    expect(await approve(db, { approvalId, requestHash, by: ben, nowMs })).toEqual({
      outcome: 'refused',
      code: 'APPROVAL_CHANGED',
    });
    expect(await limitsOf()).toMatchObject({ orderNotionalMax: '10' });
  });

  test('are not loosened by a file at the start: that is an alert, until somebody tightens it or two approve', async () => {
    const start = (limits: Limits) =>
      ensureAccount(db, { account: 'main', venue: 'paper', currency: 'USDT', limits, actor: system, nowMs });
    expect(await start(changed({ orderNotionalMax: decimal('99999') }))).toBe('limits-need-approval');
    expect(await limitsOf()).toMatchObject({ orderNotionalMax: '25000' });
    expect(await alertCodes(db)).toEqual(['LIMITS_NEED_APPROVAL']);
    expect(await start(paperLimits)).toBe('unchanged');
    expect(await alertCodes(db)).toEqual([]);
  });
});
