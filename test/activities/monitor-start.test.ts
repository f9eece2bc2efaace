import { describe, expect, test } from 'vitest';
import { positionId } from '../../src/contracts/messages/names.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, canceling, immediate, limitThatRests, market, placing } from './stories.ts';

const theater = aTheater();

/** Somebody trades with the order that rests. */
const fill = (bench: OrderBench, quantity: string) => {
  const order = [...bench.simulator.exchange.books.orders.values()].at(-1);
  return bench.control('fill', { orderId: order?.orderId, quantity });
};

type Told = { readonly entryQuantity: string; readonly isFinal: boolean; readonly firstVenueTradeId: string };

/** What the monitor of a trade was told, the first of which starts it, and when. */
async function toldTo(tradeId: string) {
  const rows = await theater
    .db()
    .selectFrom('outbox')
    .select(['workflow_type', 'signal_name', 'signal_args', 'created_at_ms'])
    .where('workflow_id', '=', positionId(tradeId))
    .where('signal_name', '=', 'entryProgressed')
    .orderBy('message_id')
    .execute();
  return rows.map(({ workflow_type, signal_args, created_at_ms }) => {
    const [{ entryQuantity, isFinal, firstVenueTradeId }] = signal_args as unknown as [Told];
    return { starts: workflow_type, entryQuantity, isFinal, firstVenueTradeId, atMs: created_at_ms };
  });
}

describe('I4: the monitor is started by the first fill, and is as large as what was filled', () => {
  test('F28: of a partial fill after which nothing is heard, not before it', async () => {
    const bench = await theater.open();
    let filledAtMs = Infinity;
    const { tradeId } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      faults: [{ on: { path: '/ws-api/v3' }, phase: 'stream', do: { action: 'drop' } }],
      market: [
        () => undefined,
        async () => {
          await fill(bench, '0.3');
          filledAtMs = bench.nowMs();
        },
      ],
      exits: false,
    });
    const told = await toldTo(tradeId);
    expect(told[0]).toMatchObject({ starts: 'positionMonitoring', entryQuantity: '0.3', isFinal: false });
    expect(told.every(({ entryQuantity }) => entryQuantity === '0.3')).toBe(true);
    expect(told.at(-1)).toMatchObject({ isFinal: true });
    expect(told[0]?.atMs).toBeGreaterThanOrEqual(filledAtMs);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each([
    ['MARKET', market],
    ['IOC', immediate],
  ])('F29: of a %s that expires with a part of it filled', async (_name, entry) => {
    const bench = await theater.open();
    await bench.control('thinBook', { levels: 1, quantity: '0.4' });
    const { tradeId } = await bench.trade({ entry, exits: false });
    const told = await toldTo(tradeId);
    expect(new Set(told.map(({ entryQuantity }) => entryQuantity))).toEqual(new Set(['0.4']));
    expect(told.at(-1)).toMatchObject({ starts: 'positionMonitoring', isFinal: true });
  });

  test.each([
    ['comes late', placing('before_response', { action: 'delay', ms: 400 })],
    ['is lost', placing('before_response', { action: 'drop' })],
  ])('F31: of an order whose answer %s', async (_name, fault) => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({ entry: market, faults: [fault], exits: false });
    expect(entry).toMatchObject({ status: 'filled' });
    const [first, ...more] = await toldTo(tradeId);
    const [bought] = (await bench.evidence()).ledger.fills;
    expect(first).toMatchObject({
      starts: 'positionMonitoring',
      entryQuantity: '1',
      firstVenueTradeId: String(bought?.tradeId),
    });
    expect(first?.atMs).toBeGreaterThanOrEqual(bought?.tradedAtMs ?? Infinity);
    expect(more.every(({ entryQuantity }) => entryQuantity === '1')).toBe(true);
  });

  test('F35: of an order that fills as it is canceled, not while it rests', async () => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      faults: [canceling('before_accept', { action: 'fill', quantity: '0.4' })],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'canceled', filledQuantity: '0.4' });
    const told = await toldTo(tradeId);
    const [bought] = (await bench.evidence()).ledger.fills;
    expect(told[0]).toMatchObject({ starts: 'positionMonitoring', entryQuantity: '0.4' });
    expect(told[0]?.atMs).toBeGreaterThanOrEqual(bought?.tradedAtMs ?? Infinity);
  });

  test('of an order that fills nothing there is none', async () => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({ entry: { ...limitThatRests, expireAfterMs: 5_000 } });
    expect(entry).toMatchObject({ status: 'canceled', filledQuantity: '0' });
    expect(await toldTo(tradeId)).toEqual([]);
  });
});
