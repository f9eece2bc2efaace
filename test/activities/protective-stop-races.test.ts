import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../src/simulator/server.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { guarded, replacing, standing, stopsOf, tighten } from './protecting.ts';
import { alertCodes, aTheater, placing } from './stories.ts';

// Who sells: the stop that the venue holds, its keeper here, and the exit meet at the same moment.
const theater = aTheater();

const silentStream: FaultRule = { on: { path: '/ws-api/v3' }, phase: 'stream', do: { action: 'drop' } };

describe('a stop at the venue is not moved', () => {
  test('once it has sold a part that nobody here has heard of: the rest would be sold twice', async () => {
    const { bench, tradeId } = await guarded(theater, { watch: false });
    await tighten(theater, { bench, tradeId }, '97');
    const planned = await bench.runner().run('planProtection', [tradeId]);
    if (planned.step !== 'replace') throw new Error(`the stop is moved, not ${planned.step}`);
    // What else lies in the account would let the venue take a second order for all of it.
    await bench.control('external', { type: 'balance', asset: 'BTC', change: '5' });
    await bench.control('thinBook', { levels: 1, quantity: '0.3' });
    bench.simulator.tick({ price: '94.9' });
    await bench.control('thinBook', { end: true });
    expect(stopsOf(bench)[0]?.status).toBe('PARTIALLY_FILLED');
    const { cancel, order, terms } = planned;
    const replaced = await bench.runner().run('replaceOrder', [{ cancel, order: { ...order, terms } }]);
    expect(replaced).toMatchObject({ canceled: { status: 'partiallyFilled' }, placed: { status: 'denied' } });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('nor placed once the exit was asked for', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    const first = await bench.runner().run('planProtection', [tradeId]);
    if (first.step !== 'place') throw new Error(`a stop is placed, not ${first.step}`);
    const place = () => bench.runner().run('placeOrder', [{ ...first.order, terms: first.terms }]);
    await place();
    await tighten(theater, { bench, tradeId }, '97');
    const moving = await bench.runner().run('planProtection', [tradeId]);
    if (moving.step !== 'replace') throw new Error(`the stop is moved, not ${moving.step}`);
    await bench.runner().run('requestExit', [{ tradeId, reason: 'operator', source: 'test' }]);
    const { cancel, order, terms } = moving;
    const moved = await bench.runner().run('replaceOrder', [{ cancel, order: { ...order, terms } }]);
    expect(moved).toMatchObject({ canceled: { status: 'new' }, placed: { reasonCode: 'STOP_WITHDRAWN' } });
    const again = { ...first.order, generation: 3, terms: first.terms };
    expect(await bench.runner().run('placeOrder', [again])).toMatchObject({ reasonCode: 'STOP_WITHDRAWN' });
    // Whoever asks again for what stands there is told so.
    expect(await place()).toMatchObject({ status: 'new' });
    expect(stopsOf(bench).length).toBe(1);
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('the exit is asked for while the stop is being', () => {
  const afterMs = [0, 20, 40, 60, 80, 120, 200];

  /** Asks for the exit so long after the stop's intent, whose request is on its way for a while, and so is its answer. */
  async function leaveMeanwhile(
    { bench, tradeId }: Awaited<ReturnType<typeof guarded>>,
    slow: typeof placing,
    ms: number,
  ): Promise<void> {
    bench.simulator.plan(slow('after_accept', { action: 'delay', ms: 50 }));
    bench.simulator.plan(slow('before_response', { action: 'delay', ms: 50 }));
    const keeping = bench.protect(tradeId);
    await bench.pass(ms);
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(await keeping).toEqual({ step: 'done' });
    await bench.settle();
    expect(standing(bench)).toEqual([]);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  }

  test.each(afterMs)('placed, %d ms after its intent: everything is sold once', async (ms) => {
    const position = await guarded(theater, { isHeld: false });
    await leaveMeanwhile(position, placing, ms);
  });

  test.each(afterMs)('moved, %d ms after its intent: everything is sold once', async (ms) => {
    const position = await guarded(theater);
    await tighten(theater, position, '97');
    await leaveMeanwhile(position, replacing, ms);
  });

  test('placed, and its answer is lost: it is found, canceled, and everything is sold once', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    const planned = await bench.runner().run('planProtection', [tradeId]);
    if (planned.step !== 'place') throw new Error(`a stop is placed, not ${planned.step}`);
    // The stream would say that it is there.
    bench.simulator.plan(placing('before_response', { action: 'drop' }), silentStream);
    const placed = await bench.runner().run('placeOrder', [{ ...planned.order, terms: planned.terms }]);
    expect(placed).toMatchObject({ status: 'pendingNew', inDoubt: true });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(standing(bench)).toEqual([]);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('a stop that was presumed dead', () => {
  test('does not keep the exit waiting once the one in its place is canceled', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    bench.simulator.plan(placing('before_auth', { action: 'drop' }));
    await bench.protect(tradeId);
    expect(stopsOf(bench).length).toBe(1);
    const { orders } = await bench.evidence();
    expect(orders.filter(({ purpose }) => purpose === 'stop').map(({ status }) => status)).toEqual(['parked', 'new']);
    await bench.settle();
    const startedAtMs = bench.nowMs();
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(bench.nowMs() - startedAtMs).toBeLessThan(3_000);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  const lagging = (path: string): FaultRule => ({
    on: { method: 'GET', path: `/api/v3/${path}` },
    phase: 'before_accept',
    do: { action: 'lagQuery', ms: 100_000 },
  });

  test('and appears after its trade has ended, is an orphan: it is canceled, and people are told', async () => {
    const { bench, tradeId } = await guarded(theater, { isHeld: false });
    // What else lies in the account would let the venue sell it.
    await bench.control('external', { type: 'balance', asset: 'BTC', change: '5' });
    bench.simulator.plan(placing('before_response', { action: 'drop' }), silentStream);
    bench.simulator.plan(...['order', 'openOrders', 'allOrders'].map(lagging));
    const planned = await bench.runner().run('planProtection', [tradeId]);
    if (planned.step !== 'place') throw new Error(`a stop is placed, not ${planned.step}`);
    await bench.runner().run('placeOrder', [{ ...planned.order, terms: planned.terms }]);
    expect(await bench.runner().run('findOrder', [planned.order])).toMatchObject({ status: 'parked' });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999', dust: '0' });
    expect(standing(bench).length).toBe(1);
    await bench.pass(100_000);
    await bench.settle();
    expect(standing(bench)).toEqual([]);
    const evidence = await bench.evidence();
    expect(alertCodes(evidence)).toContain('ORPHAN_ORDER');
    // For as long as nobody could know of it there was one more than the position needed.
    expect(judgeBench(evidence, 'I2')).toEqual([]);
  });
});
