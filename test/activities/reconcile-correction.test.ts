import { describe, expect, test } from 'vitest';
import type { OrderBench } from '../support/order-bench/bench.ts';
import {
  alertsOf,
  begun,
  decide,
  driftOf,
  eventsIn,
  heldBy,
  kindsOf,
  moveByHand,
  reconcile,
  recorded,
} from './reconciling.ts';
import { aTheater } from './stories.ts';

const theater = aTheater();
const aBench = async () => begun(theater.db(), await theater.open({ watch: false }));

const correctionsOf = async (bench: OrderBench): Promise<readonly string[]> =>
  (await recorded(theater.db(), bench)).filter((type) => /^(Correction|PositionWrittenOff)/.test(type));

const statesOf = async ({ account }: OrderBench): Promise<readonly string[]> => {
  const rows = await theater
    .db()
    .selectFrom('correction')
    .select('state')
    .where('account_id', '=', account)
    .orderBy('proposed_at_ms')
    .orderBy('correction_id')
    .execute();
  return rows.map(({ state }) => state);
};

const messagesTo = async (workflowId: string) =>
  theater.db().selectFrom('outbox').selectAll().where('workflow_id', '=', workflowId).orderBy('message_id').execute();

describe('a correction', () => {
  test('is put before a person by a workflow of its own, which the outbox starts', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const [found] = (await reconcile(bench)).differences;
    const [start] = await messagesTo(`correction-${found?.correctionId}`);
    expect(start).toMatchObject({ action: 'start', workflow_type: 'correction', task_queue: 'ratchet-watches' });
    expect(start?.start_args).toMatchObject([{ correctionId: found?.correctionId, account: bench.account }]);
  });

  test('of a drift, approved: the balance is expected from then on, and the next run is clean and lifts the hold', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const report = await reconcile(bench);
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    expect(await decide(bench, report, 'approved')).toMatchObject({
      state: 'applied',
      kind: 'acceptBalance',
      actor: 'ana',
      reason: 'it was me',
    });
    // What a person says is not believed before a look has seen it.
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean', found: 0, gone: 0 });
    expect(await heldBy(theater.db(), bench)).toEqual([]);
    expect(await alertsOf(theater.db(), bench)).toEqual([]);
    expect(await correctionsOf(bench)).toEqual(['CorrectionApproved', 'CorrectionApplied']);
    await bench.trade();
    moveByHand(bench, 'USDT', '-5');
    expect(driftOf(await reconcile(bench), 'USDT')).toBe('-5');
  });

  test('is applied once, however often it is settled, and by whatever process dies on the way', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const [found] = (await reconcile(bench)).differences;
    const decided = { correctionId: found?.correctionId ?? '', actor: 'ana', reason: 'it was me' };
    for (let point = 0; point < 40; point += 1) {
      const strike = { activity: 'settleCorrection', point, kind: 'crash' } as const;
      const settled = await bench.runner([strike]).run('settleCorrection', [{ ...decided, verdict: 'approved' }]);
      expect(settled.state).toBe('applied');
    }
    const rejected = await bench.runner().run('settleCorrection', [{ ...decided, verdict: 'rejected' }]);
    expect(rejected.state).toBe('applied');
    expect(await correctionsOf(bench)).toEqual(['CorrectionApproved', 'CorrectionApplied']);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test.each([
    { verdict: 'rejected', event: 'CorrectionRejected' },
    { verdict: 'expired', event: 'CorrectionExpired' },
  ] as const)('that was $verdict leaves everything as it is, and is on record', async ({ verdict, event }) => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const report = await reconcile(bench);
    expect(await decide(bench, report, verdict)).toMatchObject({ state: verdict });
    const before = await eventsIn(theater.db());
    await bench.pass(20_000);
    const again = await reconcile(bench);
    expect(again).toMatchObject({ outcome: 'differences', found: 0, changed: 0, gone: 0 });
    expect(again.differences).toMatchObject([{ correctionId: null }]);
    expect(await eventsIn(theater.db())).toBe(before);
    expect(await correctionsOf(bench)).toEqual([event]);
    expect(await heldBy(theater.db(), bench)).toHaveLength(1);
    expect(await alertsOf(theater.db(), bench)).toEqual(['BALANCE_DRIFT']);
  });

  test('that was rejected is put before whoever asks for a run', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    await decide(bench, await reconcile(bench), 'rejected');
    await bench.pass(20_000);
    const asked = await reconcile(bench, { askedBy: 'ana' });
    expect(asked.differences[0]?.correctionId).toMatch(/\.2$/);
    expect(await decide(bench, asked, 'approved')).toMatchObject({ state: 'applied' });
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test('is for what the person has seen: when the difference changes it is taken back, and another one waits', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const first = await reconcile(bench);
    moveByHand(bench, 'USDT', '-50');
    await bench.pass(20_000);
    const second = await reconcile(bench);
    expect(second).toMatchObject({ changed: 1 });
    expect(await decide(bench, first, 'approved')).toMatchObject({ state: 'superseded' });
    expect(await statesOf(bench)).toEqual(['superseded', 'proposed']);
    const [, withdrawn] = await messagesTo(`correction-${first.differences[0]?.correctionId}`);
    expect(withdrawn).toMatchObject({ action: 'signal', signal_name: 'withdrawn' });
    expect(await decide(bench, second, 'approved')).toMatchObject({ state: 'applied' });
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test('is taken back when its difference is gone', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const report = await reconcile(bench);
    moveByHand(bench, 'USDT', '300');
    await reconcile(bench);
    expect(await decide(bench, report, 'approved')).toMatchObject({ state: 'superseded' });
    expect(await correctionsOf(bench)).toEqual(['CorrectionSuperseded']);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test('that is applied while a look is under way makes that look say nothing', async () => {
    const bench = await aBench();
    moveByHand(bench, 'USDT', '-300');
    const report = await reconcile(bench);
    const pause = { activity: 'reconcileAccount', point: 8, kind: 'pause' } as const;
    const input = { venue: 'paper', account: bench.account, isFullDay: false, askedBy: null, suspects: null };
    const slow = bench.runner([pause]).run('reconcileAccount', [input]);
    await decide(bench, report, 'approved');
    await slow;
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean', found: 0 });
    const told = await recorded(theater.db(), bench);
    expect(told.filter((type) => type === 'DifferenceFound')).toHaveLength(1);
  });
});

describe('a position that somebody sold by hand', () => {
  const soldByHand = async (quantity: string) => {
    const bench = await aBench();
    const { tradeId } = await bench.trade({ exits: false });
    await bench.pass(10_000);
    moveByHand(bench, 'BTC', `-${quantity}`);
    const report = await reconcile(bench);
    return { bench, tradeId, report };
  };
  const nextOf = (bench: OrderBench, tradeId: string) => bench.runner().run('planExit', [{ tradeId, canceled: [] }]);

  test('is short, and what is missing of which trade is said before anybody decides', async () => {
    const { bench, tradeId, report } = await soldByHand('0.5');
    expect(kindsOf(report)).toEqual(['balance', 'position']);
    expect(report.differences.map(({ difference }) => difference)).toContainEqual(
      expect.objectContaining({
        kind: 'position',
        shortage: '0.5',
        shares: [{ tradeId, leg: 0, symbol: 'BTC/USDT', quantity: '0.5' }],
      }),
    );
    expect(await alertsOf(theater.db(), bench)).toEqual(['BALANCE_DRIFT', 'POSITION_SHORT']);
  });

  test('in part: what is left can be sold, and the result says what was written off', async () => {
    const { bench, tradeId, report } = await soldByHand('0.5');
    await decide(bench, report, 'approved', 'position');
    expect(await correctionsOf(bench)).toEqual(['CorrectionApproved', 'PositionWrittenOff', 'CorrectionApplied']);
    await bench.runner().run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    const next = await nextOf(bench, tradeId);
    expect(next).toMatchObject({ step: 'place', terms: { quantity: '0.499' } });
    const { order, terms } = next as Extract<typeof next, { step: 'place' }>;
    expect(await bench.runner().run('placeOrder', [{ ...order, terms }])).toMatchObject({ status: 'filled' });
    expect(await nextOf(bench, tradeId)).toEqual({ step: 'settle' });
    const closed = await bench.runner().run('settleTrade', [tradeId]);
    // Bought 1 at 100 and sold 0.499 at 99.99, less 0.1 percent; the half that is gone is worth nothing.
    expect(closed).toMatchObject({ exitQuantity: '0.499', writtenOff: '0.5', dust: '0' });
    expect(closed).toMatchObject({ pnl: '-50.15488501' });
  });

  test('wholly: once it is written off the trade closes with nothing to sell', async () => {
    const { bench, tradeId, report } = await soldByHand('0.999');
    await decide(bench, report, 'approved', 'position');
    expect(await nextOf(bench, tradeId)).toEqual({ step: 'settle' });
    expect(await bench.runner().run('settleTrade', [tradeId])).toMatchObject({
      exitQuantity: '0',
      writtenOff: '0.999',
    });
    await decide(bench, report, 'approved', 'balance');
    await bench.pass(20_000);
    expect(await reconcile(bench)).toMatchObject({ outcome: 'clean' });
  });

  test('and whose exit waits for a balance that never comes settles with what there is', async () => {
    const { bench, tradeId, report } = await soldByHand('0.999');
    const runner = bench.runner();
    await runner.run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    const next = await nextOf(bench, tradeId);
    const { order, terms } = next as Extract<typeof next, { step: 'place' }>;
    expect(await runner.run('placeOrder', [{ ...order, terms }])).toMatchObject({ status: 'rejected' });
    await decide(bench, report, 'approved', 'position');
    await bench.pass(10_000);
    expect(await nextOf(bench, tradeId)).toEqual({ step: 'settle' });
  });

  test('that its trade sells meanwhile is not written off as well', async () => {
    const { bench, tradeId, report } = await soldByHand('0.5');
    const runner = bench.runner();
    await runner.run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    moveByHand(bench, 'BTC', '0.5');
    const next = await nextOf(bench, tradeId);
    const { order, terms } = next as Extract<typeof next, { step: 'place' }>;
    await runner.run('placeOrder', [{ ...order, terms }]);
    expect(await decide(bench, report, 'approved', 'position')).toMatchObject({ state: 'superseded' });
    expect(await correctionsOf(bench)).toEqual(['CorrectionApproved', 'CorrectionSuperseded']);
  });

  test('can not be sold any more by an exit that was planned before', async () => {
    const { bench, tradeId, report } = await soldByHand('0.5');
    const runner = bench.runner();
    await runner.run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    const planned = await nextOf(bench, tradeId);
    await decide(bench, report, 'approved', 'position');
    const { order, terms } = planned as Extract<typeof planned, { step: 'place' }>;
    expect(terms.quantity).toBe('0.999');
    expect(await runner.run('placeOrder', [{ ...order, terms }])).toMatchObject({
      status: 'denied',
      reasonCode: 'EXIT_EXCEEDS_POSITION',
    });
  });
});
