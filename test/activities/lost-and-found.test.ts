import { describe, expect, test, vi } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import { resolveOrder } from '../../src/store/orders/orders.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import type { BenchEvidence } from '../support/order-bench/evidence.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, limitThatRests, market, placements, placing, reservationOf, status } from './stories.ts';

const theater = aTheater();

const silentStream: FaultRule = { on: { path: '/ws-api/v3' }, phase: 'stream', do: { action: 'drop' } };

/** Whatever is asked about orders and fills, the last so many milliseconds are not there yet. */
const lagging = (paths: readonly string[], ms: number): readonly FaultRule[] =>
  paths.map((path) => ({
    on: { method: 'GET', path: `/api/v3/${path}` },
    phase: 'before_accept',
    do: { action: 'lagQuery', ms },
  }));

const lists = ['order', 'openOrders', 'allOrders'];

const named = ({ alerts }: BenchEvidence, id: string | undefined) =>
  alerts.filter(({ context }) => context['clientOrderId'] === id).map(({ code }) => code);

describe('F08: an order that appears later than its fence', () => {
  const lateOrder = (bench: OrderBench, entry: object, paths: readonly string[]) =>
    bench.trade({
      entry: entry as typeof market,
      validForMs: 300_000,
      faults: [placing('before_response', { action: 'drop' }), silentStream, ...lagging(paths, 60_000)],
      exits: false,
    });

  test('with policy park: it is parked, found, and adopted', async () => {
    const bench = await theater.open();
    const { tradeId, entry } = await lateOrder(bench, market, [...lists, 'myTrades']);
    expect(entry).toMatchObject({ status: 'parked' });
    expect((await bench.evidence()).reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '0' }]);
    await bench.settle();
    await bench.settle();
    const evidence = await bench.evidence();
    expect(evidence.orders).toMatchObject([{ status: 'filled', in_doubt: false }]);
    expect(evidence.trades).toMatchObject([{ trade_id: tradeId, phase: 'open' }]);
    expect(evidence.alerts.find(({ context }) => context['clientOrderId'] === entry?.clientOrderId)).toMatchObject({
      code: 'ORDER_PARKED',
      resolved_at_ms: expect.anything(),
    });
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('with policy resend: filled, it belongs to its trade, counts, is told of, and is sold with it', async () => {
    const bench = await theater.open({ unresolved: 'resend' });
    const { tradeId, entry } = await lateOrder(bench, market, [...lists, 'myTrades']);
    expect(entry).toMatchObject({ generation: 2, status: 'filled' });
    await bench.settle();
    await bench.settle();
    const evidence = await bench.evidence();
    const [orphan] = evidence.orders.filter(({ generation }) => generation === '1');
    expect(orphan).toMatchObject({ status: 'filled', filled_quantity: '1', reason_code: 'ORDER_PRESUMED_DEAD' });
    expect(named(evidence, orphan?.client_order_id)).toEqual(['ORPHAN_ORDER']);
    expect(evidence.positions).toMatchObject([{ entry_quantity: '2' }]);
    expect(evidence.reservations).toMatchObject([{ quantity: '1', posted_quantity: '1', voided_quantity: '0' }]);
    const closed = await bench.exit(tradeId);
    expect(closed).toMatchObject({ entryQuantity: '2', exitQuantity: '1.998', dust: '0' });
    const accepted = ['I2'] as const;
    expect(judgeBench(await bench.evidence(), ...accepted)).toEqual([]);
  });

  test('with policy resend: working, it is canceled', async () => {
    const bench = await theater.open({ unresolved: 'resend' });
    const { entry } = await lateOrder(bench, { ...limitThatRests, expireAfterMs: 100_000 }, [...lists, 'myTrades']);
    await bench.settle();
    await bench.settle();
    const evidence = await bench.evidence();
    const [first, second] = evidence.ledger.orders;
    expect(evidence.ledger.orders).toHaveLength(2);
    expect(first?.status).toBe('CANCELED');
    expect(second?.clientOrderId).toBe(entry?.clientOrderId);
    expect(named(evidence, first?.clientOrderId)).toEqual(['ORPHAN_ORDER']);
    expect(judgeBench(evidence, 'I2')).toEqual([]);
  });

  test('with policy resend: a fill of an order that nobody knows keeps it from being sent again', async () => {
    const bench = await theater.open({ unresolved: 'resend' });
    const { entry } = await lateOrder(bench, market, lists);
    expect(entry).toMatchObject({ generation: 1, status: 'parked' });
    await bench.settle();
    await bench.settle();
    const evidence = await bench.evidence();
    expect(evidence.ledger.orders).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('policy resend', () => {
  const never = (nth: number) => placing('before_auth', { action: 'drop' }, nth);

  test('sends a third time, and then a person decides', async () => {
    const bench = await theater.open({ unresolved: 'resend' });
    const { entry } = await bench.trade({ validForMs: 600_000, faults: [never(1), never(2), never(3)] });
    const evidence = await bench.evidence();
    expect(placements(evidence)).toHaveLength(3);
    expect(entry).toMatchObject({ generation: 3, status: 'parked' });
    expect(evidence.orders.map(({ status: each, reason_code }) => [each, reason_code])).toEqual([
      ['canceled', 'ORDER_PRESUMED_DEAD'],
      ['canceled', 'ORDER_PRESUMED_DEAD'],
      ['parked', 'ORDER_PARKED'],
    ]);
    expect(evidence.reservations).toMatchObject([{ quantity: '1', posted_quantity: '0', voided_quantity: '0' }]);
    expect(evidence.events.filter(({ type }) => type === 'OrderPresumedDead')).toHaveLength(2);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('does not send a request again whose time is over', async () => {
    const bench = await theater.open({ unresolved: 'resend' });
    const { entry } = await bench.trade({ validForMs: 20_000, faults: [never(1)] });
    expect(entry).toMatchObject({ generation: 1, status: 'parked' });
    expect(placements(await bench.evidence())).toHaveLength(1);
  });

  test('sends nothing again while the breaker is open, which the lost order itself has opened', async () => {
    const breaker = { failureThreshold: 1, openTimeoutMs: 600_000 };
    const bench = await theater.open({ unresolved: 'resend', breaker });
    const { entry } = await bench.trade({ validForMs: 600_000, faults: [never(1)] });
    expect(entry).toMatchObject({ generation: 1, status: 'parked' });
    const evidence = await bench.evidence();
    expect(placements(evidence)).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])(
    'struck while it sends again, at #%d: one order in the end',
    async (late) => {
      const bench = await theater.open({ unresolved: 'resend' });
      const { entry, struck } = await bench.trade({
        validForMs: 600_000,
        faults: [never(1)],
        // The boundaries of the last look, where it presumes the first dead and sends the second.
        strikes: [{ activity: 'findOrder', call: 10, point: 2 * late, kind: late % 2 === 0 ? 'crash' : 'pause' }],
      });
      expect(struck.length).toBeLessThanOrEqual(1);
      expect(entry?.status).toMatch(/^(filled|denied)$/);
      const evidence = await bench.evidence();
      expect(evidence.ledger.orders.filter(({ side }) => side === 'BUY').length).toBe(
        entry?.status === 'filled' ? 1 : 0,
      );
      expect(judgeBench(evidence)).toEqual([]);
    },
  );

  test('an order that somebody else has just sent again is followed to its next generation', async () => {
    const bench = await theater.open({ unresolved: 'resend', watch: false });
    await bench.trade();
    const request = bench.request({ validForMs: 600_000 });
    const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
    bench.simulator.plan(never(1));
    await bench.runner().run('checkLimits', [request, 'run-1']);
    expect(await bench.runner().run('placeOrder', [ref])).toMatchObject({ inDoubt: true });
    await bench.pass(40_000);
    // Ours has read the first generation when the other one presumes it dead.
    const { openOrders } = bench.venue;
    vi.spyOn(bench.venue, 'openOrders').mockImplementationOnce(async (...asked) => {
      expect(await bench.runner().run('findOrder', [ref])).toMatchObject({ generation: 2, status: 'filled' });
      return openOrders(...asked);
    });
    expect(await bench.runner().run('findOrder', [ref])).toMatchObject({ generation: 2, status: 'filled' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('a parked order that a person declares dead gives back what it reserved', async () => {
    const bench = await theater.open();
    const { entry } = await bench.trade({ faults: [never(1)] });
    const clientOrderId = entry?.clientOrderId ?? '';
    await resolveOrder(theater.db(), {
      clientOrderId,
      verdict: 'dead',
      actor: 'alice',
      reason: 'not in the account',
      nowMs: bench.nowMs(),
    });
    const evidence = await bench.evidence();
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(evidence.trades).toMatchObject([{ phase: 'unfilled' }]);
  });
});

describe('F51: a reservation whose entry died', () => {
  test('before the intent: a look gives it back, once, wherever that is struck', async () => {
    for (let point = 0; point < 30; point += 3) {
      const bench = await theater.open({ watch: false });
      await bench.trade();
      const request = bench.request();
      await bench.runner().run('checkLimits', [request, 'run-1']);
      const runner = bench.runner([{ activity: 'findOrder', point, kind: 'crash' }]);
      const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
      expect(await runner.run('findOrder', [ref])).toMatchObject({ status: 'denied', reasonCode: 'ORDER_NOT_SENT' });
      const evidence = await bench.evidence();
      expect(reservationOf(evidence, request.tradeId)).toMatchObject({ posted_quantity: '0', voided_quantity: '1' });
      const voided = evidence.events.filter(
        ({ type, tradeId }) => type === 'ReservationVoided' && tradeId === request.tradeId,
      );
      expect(voided).toHaveLength(1);
      expect(judgeBench(evidence)).toEqual([]);
    }
  });

  test('after the intent: it is kept until the order is proven dead', async () => {
    const bench = await theater.open({ watch: false });
    await bench.trade();
    const { tradeId, entry, tookMs } = await bench.trade({
      // It dies with the intent committed and nothing sent, and so does whoever comes after it.
      strikes: [{ activity: 'placeOrder', point: 0, before: 'placeOrder', kind: 'crash' }],
    });
    expect(entry).toMatchObject({ status: 'parked' });
    expect(tookMs).toBeGreaterThan(33_000);
    const evidence = await bench.evidence();
    expect(reservationOf(evidence, tradeId)).toMatchObject({ posted_quantity: '0', voided_quantity: '0' });
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F20: one order in the place of another', () => {
  const stop = (tradeId: string, generation: number, price: string, quantity = '0.999') =>
    ({
      tradeId,
      leg: 0,
      purpose: 'stop',
      generation,
      terms: {
        side: 'SELL',
        orderType: 'STOP_LIMIT',
        quantity: decimal(quantity),
        limitPrice: decimal('80'),
        stopPrice: decimal(price),
      },
    }) as const;

  const guarded = async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ exits: false });
    const runner = bench.runner();
    const { terms: _, ...first } = stop(tradeId, 1, '90');
    expect(await runner.run('placeOrder', [stop(tradeId, 1, '90')])).toMatchObject({ status: 'new' });
    return { bench, tradeId, runner, first };
  };
  const replacing = (phase: FaultRule['phase'], action: FaultRule['do']): FaultRule => ({
    on: { method: 'POST', path: '/api/v3/order/cancelReplace', nth: 1 },
    phase,
    do: action,
  });

  test('both succeed', async () => {
    const { bench, tradeId, runner, first } = await guarded();
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95') }]);
    expect(replaced).toMatchObject({ canceled: { status: 'canceled' }, placed: { status: 'new' } });
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('the stop has just been hit: nothing is placed, and it is known', async () => {
    const { bench, tradeId, runner, first } = await guarded();
    bench.simulator.tick({ price: '89.5' });
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95') }]);
    expect(replaced).toMatchObject({ canceled: { status: 'filled' }, placed: { status: 'denied' } });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('the old one is canceled and the new one refused: the position is closed all the same', async () => {
    const { bench, tradeId, runner, first } = await guarded();
    // A stop above the market would trigger at once.
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '120') }]);
    expect(replaced).toMatchObject({ canceled: { status: 'canceled' }, placed: { status: 'rejected' } });
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('too many orders (429): nothing happened, and both are known', async () => {
    const { bench, tradeId, runner, first } = await guarded();
    await bench.control('limits', { ordersPer10s: 0 });
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95') }]);
    expect(replaced).toMatchObject({ canceled: { status: 'new' }, placed: { status: 'denied' } });
    await bench.control('limits', { ordersPer10s: 1_000_000 });
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each<[string, FaultRule]>([
    ['is lost', replacing('before_response', { action: 'drop' })],
    ['never left', replacing('before_auth', { action: 'reset' })],
    ['is a 504', replacing('before_response', status(504, { code: -1007, msg: 'Timeout.' }))],
    ['is no JSON', replacing('before_response', { action: 'garbage' })],
  ])('the answer %s: both are looked up, and nothing is sold twice', async (_name, fault) => {
    const { bench, tradeId, runner, first } = await guarded();
    bench.simulator.plan(fault);
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95') }]);
    expect(replaced.placed.inDoubt).toBe(true);
    expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
    await bench.settle();
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('asks for more than there is: refused here, and the old one stays', async () => {
    const { bench, tradeId, runner, first } = await guarded();
    const replaced = await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95', '1') }]);
    expect(replaced).toMatchObject({
      canceled: { status: 'new' },
      placed: { status: 'denied', reasonCode: 'EXIT_EXCEEDS_POSITION' },
    });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each([3, 5, 7, 9, 11, 13, 15, 17, 19, 21])(
    'dies at #%d and comes again: one order in its place, or none',
    async (point) => {
      const { bench, tradeId, first } = await guarded();
      const runner = bench.runner([{ activity: 'replaceOrder', point, kind: 'crash' }]);
      await runner.run('replaceOrder', [{ cancel: first, order: stop(tradeId, 2, '95') }]);
      expect(await bench.exit(tradeId)).toMatchObject({ dust: '0' });
      await bench.settle();
      const evidence = await bench.evidence();
      expect(evidence.ledger.requests.filter(({ path }) => path.endsWith('cancelReplace')).length).toBeLessThanOrEqual(
        1,
      );
      expect(judgeBench(evidence)).toEqual([]);
    },
  );
});
