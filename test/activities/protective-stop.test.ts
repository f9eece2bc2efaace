import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { exitAtVenue, guarded, replacing, standing, stopsOf, tighten } from './protecting.ts';
import { alertCodes, aTheater, canceling, limitThatRests, placements, placing, status } from './stories.ts';

const theater = aTheater();

const refusals = ({ simulator }: OrderBench) => simulator.requests().filter(({ code }) => code === -2010);

describe('is held at the venue', () => {
  test('for what the position has, at the local stop, and sells there by itself', async () => {
    const { bench, tradeId } = await guarded(theater);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '95' }]);
    bench.simulator.tick({ price: '94.9' });
    await bench.settle();
    expect(await bench.protect(tradeId)).toEqual({ step: 'done' });
    expect(await bench.exit(tradeId)).toMatchObject({ exitReason: 'protectiveStop', exitQuantity: '0.999', dust: '0' });
    const evidence = await bench.evidence();
    expect(placements(evidence).length).toBe(2);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('and grows with the entry', async () => {
    const bench = await theater.open();
    const entry = bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      exits: false,
      exit: exitAtVenue,
      market: [
        () => bench.control('fill', { orderId: 1, quantity: '0.3' }),
        async () => {
          // The stream brings it, and nobody waits for the stream.
          await expect.poll(async () => (await bench.evidence()).positions.length, { timeout: 10_000 }).toBe(1);
          await bench.runner().run('armGuards', [`${bench.account}-1`]);
          await bench.protect(`${bench.account}-1`);
          expect(standing(bench)).toMatchObject([{ stopPrice: '95' }]);
        },
        () => bench.control('fill', { orderId: 1, quantity: '0.4' }),
      ],
    });
    const { tradeId } = await entry;
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.699', stopPrice: '95' }]);
    expect(await bench.exit(tradeId)).toMatchObject({ exitReason: 'operator' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('and follows the local stop by a step, after the interval, in one request', async () => {
    const { bench, tradeId } = await guarded(theater);
    await tighten(theater, { bench, tradeId }, '95.1');
    await bench.protect(tradeId);
    expect(stopsOf(bench).length).toBe(1);
    await tighten(theater, { bench, tradeId }, '97');
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '97' }]);
    const [first, second] = stopsOf(bench);
    expect((second?.acceptedAtMs ?? 0) - (first?.acceptedAtMs ?? 0)).toBeGreaterThanOrEqual(60_000);
    expect(bench.simulator.requests().filter(({ path }) => path.endsWith('cancelReplace')).length).toBe(1);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each<[string, FaultRule]>([
    ['is lost', replacing('before_response', { action: 'drop' })],
    ['never left', replacing('before_auth', { action: 'reset' })],
    ['is a 504', replacing('before_response', status(504, { code: -1007, msg: 'Timeout.' }))],
  ])('and comes to rest with one stop when the answer to the replacement %s', async (_name, fault) => {
    const { bench, tradeId } = await guarded(theater);
    await tighten(theater, { bench, tradeId }, '97');
    bench.simulator.plan(fault);
    await bench.protect(tradeId);
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '97' }]);
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('again, with an alert, when somebody else has canceled it', async () => {
    const { bench, tradeId } = await guarded(theater);
    await bench.pass(10_000);
    await bench.control('external', { type: 'cancel', orderId: stopsOf(bench)[0]?.orderId });
    await bench.settle();
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '95' }]);
    const evidence = await bench.evidence();
    expect(evidence.alerts).toMatchObject([{ code: 'PROTECTIVE_STOP_GONE' }]);
    expect(evidence.alerts[0]).not.toMatchObject({ resolved_at_ms: null });
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('as soon as the venue takes it, and says so while it does not', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    const refused = { code: -1013, msg: 'Filter failure: MAX_NUM_ALGO_ORDERS' };
    bench.simulator.plan(placing('before_auth', status(400, refused)), placing('before_auth', status(400, refused), 2));
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '95' }]);
    const evidence = await bench.evidence();
    expect(evidence.alerts).toMatchObject([{ code: 'PROTECTIVE_STOP_UNAVAILABLE' }]);
    expect(evidence.alerts[0]).not.toMatchObject({ resolved_at_ms: null });
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
  });

  test('no more when its price is traded already: the exit is asked for at once', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    const planned = await bench.runner().run('planProtection', [tradeId]);
    if (planned.step !== 'place') throw new Error(`a stop is placed, not ${planned.step}`);
    bench.simulator.tick({ price: '94' });
    const placed = await bench.runner().run('placeOrder', [{ ...planned.order, terms: planned.terms }]);
    expect(placed).toMatchObject({ status: 'rejected', reason: expect.stringContaining('trigger immediately') });
    expect(await bench.protect(tradeId)).toEqual({ step: 'done' });
    expect(await bench.exit(tradeId)).toMatchObject({ exitReason: 'protectiveStop', dust: '0' });
    const evidence = await bench.evidence();
    expect(alertCodes(evidence)).toEqual([]);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F54: everybody is down while the price falls through the stop', () => {
  test('the venue sells, and the trade is settled from its ledger when somebody is back', async () => {
    const { bench, tradeId } = await guarded(theater, { watch: false });
    bench.simulator.tick({ price: '94.9' });
    await bench.pass(600_000);
    expect(stopsOf(bench)).toMatchObject([{ status: 'FILLED', filledQuantity: '0.999' }]);
    const book = await bench.evidence();
    expect(book.orders.find(({ purpose }) => purpose === 'stop')).toMatchObject({ status: 'new' });

    // The first who asks, asks for a cancel: the venue knows no such order any more, so it is looked up.
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    const evidence = await bench.evidence();
    expect(placements(evidence).length).toBe(2);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('what the stop has sold in part is sold to the end, once', async () => {
    const { bench, tradeId } = await guarded(theater, { watch: false });
    await bench.control('thinBook', { levels: 1, quantity: '0.3' });
    bench.simulator.tick({ price: '94.9' });
    await bench.control('thinBook', { end: true });
    expect(stopsOf(bench)[0]?.status).toBe('PARTIALLY_FILLED');
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F74: our own stop locks what the exit is to sell', () => {
  test('the stop is canceled first, then the rest is sold, and nothing is refused', async () => {
    const { bench, tradeId } = await guarded(theater);
    const startedAtMs = bench.nowMs();
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(bench.nowMs() - startedAtMs).toBeLessThan(5_000);
    expect(refusals(bench)).toEqual([]);
    const evidence = await bench.evidence();
    const ends = Object.fromEntries(evidence.orders.map(({ purpose, status: end }) => [purpose, end]));
    expect(ends).toEqual({ entry: 'filled', stop: 'canceled', exit: 'filled' });
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('an exit that is sent beside the stop is denied before it leaves', async () => {
    const { bench, tradeId } = await guarded(theater);
    const terms = {
      side: 'SELL',
      orderType: 'MARKET',
      quantity: decimal('0.999'),
      limitPrice: null,
      stopPrice: null,
    } as const;
    const denied = await bench.runner().run('placeOrder', [{ tradeId, leg: 0, purpose: 'exit', generation: 1, terms }]);
    expect(denied).toMatchObject({ status: 'denied', reasonCode: 'EXIT_EXCEEDS_POSITION' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('the stop fills while it is canceled: what it sold is not sold again', async () => {
    const { bench, tradeId } = await guarded(theater);
    bench.simulator.plan(canceling('before_auth', { action: 'delay', ms: 50 }));
    bench.simulator.tick({ price: '94.9' });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('whoever keeps it dies', () => {
  const points = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

  test.each(points)('while it places the stop, at #%d: one stands all the same', async (point) => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    await bench.protect(tradeId, [{ activity: 'placeOrder', point, kind: 'crash' }]);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '95' }]);
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each(points)('while it moves the stop, at #%d: one stands all the same', async (point) => {
    const { bench, tradeId } = await guarded(theater);
    await tighten(theater, { bench, tradeId }, '97');
    await bench.protect(tradeId, [{ activity: 'replaceOrder', point, kind: 'crash' }]);
    await bench.protect(tradeId);
    expect(standing(bench)).toEqual([{ quantity: '0.999', stopPrice: '97' }]);
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});
