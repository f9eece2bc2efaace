import { describe, expect, test } from 'vitest';
import { sum } from '../../src/domain/decimal.ts';
import type { LimitEvaluation } from '../../src/domain/limits/limit.ts';
import { type GateBook, readDecision, requestHashOf } from '../../src/store/trades/decisions.ts';
import { account, database } from './account-each.ts';
import { approving, aRequest, d, decide, decisionOf, nowMs, openAccount, retrying, withinCap } from './fixtures.ts';

const request = (tradeId: string) => aRequest({ tradeId: `${account}-${tradeId}`, account });

const recordsOf = (tradeId: string) =>
  database.db.selectFrom('audit_event').select(['event_type', 'body']).where('trade_id', '=', tradeId).execute();

describe('decideTrade', () => {
  test('approves, reserves every leg and writes one record with the evaluations', async () => {
    const wanted = request('a');
    const evaluation: LimitEvaluation = {
      control: 'order_notional',
      code: 'ORDER_NOTIONAL_EXCEEDED',
      scope: 'order',
      current: d('0'),
      wouldBe: d('100'),
      limit: d('25000'),
      allowed: true,
    };
    const decided = await decide(database.db, wanted, () => ({
      decision: { ...decisionOf(wanted, 'approved'), evaluations: [evaluation] },
      reservations: [{ leg: 0, price: d('100.5'), unitGamma: d('0') }],
    }));

    expect(decided).toMatchObject({ outcome: 'decided', decidedByRun: 'run-1', phase: 'placing' });
    const reservation = await database.db
      .selectFrom('reservation')
      .selectAll()
      .where('trade_id', '=', wanted.tradeId)
      .executeTakeFirstOrThrow();
    expect(reservation).toMatchObject({ leg: 0, price: '100.5', quantity: '1', posted_quantity: '0' });
    const [record, ...rest] = await recordsOf(wanted.tradeId);
    expect(rest).toEqual([]);
    expect(record?.event_type).toBe('TradeDecided');
    expect(JSON.parse(record?.body ?? '')).toMatchObject({
      v: 1,
      type: 'TradeDecided',
      at: '2026-11-21T12:00:00.000000Z',
      tradeId: wanted.tradeId,
      actor: { type: 'workflow', id: `entry-${wanted.tradeId}` },
      evaluations: [evaluation],
    });
  });

  test('keeps a denial for ever and reserves nothing', async () => {
    const wanted = request('a');
    await decide(database.db, wanted, () => ({ decision: decisionOf(wanted, 'denied'), reservations: [] }));

    const again = await decide(database.db, wanted);

    expect(again).toMatchObject({ outcome: 'existing', decision: { outcome: 'denied' }, phase: 'denied' });
    expect(
      await database.db.selectFrom('reservation').where('trade_id', '=', wanted.tradeId).select('leg').execute(),
    ).toEqual([]);
  });

  test('answers the same request again with the first decision and the run that made it', async () => {
    const wanted = request('a');
    await decide(database.db, wanted, approving(wanted), 'run-1');

    const again = await decide(database.db, wanted, approving(wanted, d('1')), 'run-2');

    expect(again).toMatchObject({ outcome: 'existing', decidedByRun: 'run-1' });
    expect(await readDecision(database.db, wanted.tradeId)).toMatchObject({ decidedByRun: 'run-1', phase: 'placing' });
    expect(await recordsOf(wanted.tradeId)).toHaveLength(1);
  });

  test('F48: refuses the same trade id with other content', async () => {
    await decide(database.db, request('a'));
    expect(await decide(database.db, { ...request('a'), strategy: 'another' })).toEqual({ outcome: 'mismatch' });
  });

  test('refuses an account that nobody has opened', async () => {
    const wanted = { ...request('a'), account: 'nobody' };
    expect(await decide(database.db, wanted)).toEqual({ outcome: 'unknown-account' });
    expect(await readDecision(database.db, wanted.tradeId)).toBeUndefined();
  });

  test('leaves nothing behind when the evaluation throws', async () => {
    const wanted = request('a');
    const failing = () => {
      throw new Error('a bug');
    };
    await expect(decide(database.db, wanted, failing)).rejects.toThrow('a bug');
    expect(await readDecision(database.db, wanted.tradeId)).toBeUndefined();
    expect(await recordsOf(wanted.tradeId)).toEqual([]);
  });

  test('shows the evaluation what is reserved and held by then', async () => {
    await decide(database.db, request('a'));
    let seen: GateBook | undefined;
    const wanted = request('b');
    await decide(database.db, wanted, (book) => {
      seen = book;
      return approving(wanted)();
    });
    expect(seen?.exposures).toEqual([
      {
        tradeId: `${account}-a`,
        symbol: 'BTC/USDT',
        side: 'long',
        quantity: '1',
        notional: '100',
        unitDelta: '1',
        unitGamma: '0',
      },
    ]);
    expect(seen?.account).toMatchObject({ account, currency: 'USDT', limitsVersion: 1, equity: null });
    expect(seen?.holds).toEqual([]);
    expect(seen?.breaker).toEqual({ scope: `account-${account}`, state: null, version: 0, unapplied: [], probes: [] });
  });

  test('lets exactly 10 of 200 concurrent requests into the room of 10', async () => {
    const requests = Array.from({ length: 200 }, (_, index) => request(String(index)));

    const decided = await Promise.all(
      requests.map((wanted) => retrying(() => decide(database.db, wanted, withinCap(wanted, d('1000'))))),
    );

    const approved = decided.filter((each) => each.outcome === 'decided' && each.decision.outcome === 'approved');
    expect(approved).toHaveLength(10);
    const rows = await database.db
      .selectFrom('reservation')
      .select(['price', 'quantity'])
      .where('account_id', '=', account)
      .execute();
    expect(sum(rows.map((row) => row.price))).toBe('1000');
  });

  test('decides one trade id once, however many ask at the same time, for whichever account', async () => {
    const other = `${account}-other`;
    await openAccount(database.db, other);
    const wanted = request('a');
    const asked = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? wanted : { ...wanted, account: other }));

    const answers = await Promise.all(
      asked.map((each, index) => decide(database.db, each, approving(each), `run-${index}`)),
    );

    const counts = (outcome: string) => answers.filter((answer) => answer.outcome === outcome).length;
    expect([counts('decided'), counts('existing'), counts('mismatch')]).toEqual([1, 19, 20]);
    expect(await recordsOf(wanted.tradeId)).toHaveLength(1);
  });

  test('F46: of 1,000 requests for one trade id one is decided, and 999 find it', async () => {
    const wanted = request('storm');
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        retrying(() => decide(database.db, wanted, approving(wanted), `run-${index}`)),
      ),
    );
    const counts = (outcome: string) => answers.filter((answer) => answer.outcome === outcome).length;
    expect([counts('decided'), counts('existing')]).toEqual([1, 999]);
    expect(await recordsOf(wanted.tradeId)).toHaveLength(1);
  });

  test('goes on when a client stalls with the lock of the account in its hand', async () => {
    const stalled = database.another(1);
    await expect(
      stalled.transaction().execute(async (tx) => {
        await tx.selectFrom('account').selectAll().where('account_id', '=', account).forNoKeyUpdate().execute();
        const wanted = request('a');
        const deadlineMs = Date.now() + 10_000;
        const decidedInTime = async (): Promise<string> => {
          try {
            return (await decide(database.db, wanted)).outcome;
          } catch (error) {
            if (Date.now() > deadlineMs) throw error;
            return decidedInTime();
          }
        };
        expect(await decidedInTime()).toBe('decided');
        // The server has ended this session meanwhile: nothing more can be done in its name.
        await tx.selectFrom('account').selectAll().execute();
      }),
    ).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });
});

describe('requestHashOf', () => {
  test('does not depend on the order in which the fields were written', () => {
    const { tradeId, ...rest } = aRequest();
    expect(requestHashOf({ ...rest, tradeId })).toBe(requestHashOf(aRequest()));
    expect(requestHashOf(aRequest({ validForMs: nowMs }))).not.toBe(requestHashOf(aRequest()));
  });
});
