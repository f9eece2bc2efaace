import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import {
  alertCodes,
  aTheater,
  canceling,
  immediate,
  limitThatRests,
  market,
  placements,
  placing,
  status,
} from './stories.ts';

const theater = aTheater();

/** A gap of the stream is repaired by a poll within it. */
const pollMaxMs = 30_000;

const lastOrder = ({ simulator }: OrderBench) => {
  const order = [...simulator.exchange.books.orders.values()].at(-1);
  if (order === undefined) throw new Error('the venue has no order yet');
  return order;
};

/** Somebody trades with the order that rests. */
const fill = (bench: OrderBench, quantity?: string) =>
  bench.control('fill', { orderId: lastOrder(bench).orderId, ...(quantity && { quantity }) });

/** A fault of the account's stream. */
const streaming = (action: FaultRule['do'], on: FaultRule['on'] = {}): FaultRule => ({
  on: { path: '/ws-api/v3', ...on },
  phase: 'stream',
  do: action,
});

const reports = { match: { e: 'executionReport' } } as const;

describe('F28: a partial fill, then silence', () => {
  test('is found by a poll, and the position is as large as what was filled', async () => {
    const bench = await theater.open();
    let filledAtMs = 0;
    const { tradeId, entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      faults: [streaming({ action: 'drop' })],
      market: [
        async () => {
          await fill(bench, '0.3');
          filledAtMs = bench.nowMs();
        },
      ],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'canceled', filledQuantity: '0.3' });
    const evidence = await bench.evidence();
    expect(evidence.positions).toMatchObject([{ trade_id: tradeId, entry_quantity: '0.3' }]);
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0.3', voided_quantity: '0.7' }]);
    const [progress] = evidence.events.filter(({ type }) => type === 'OrderProgressed');
    const heardAtMs = Date.parse(String(progress?.body['at']));
    expect(heardAtMs - filledAtMs).toBeLessThanOrEqual(pollMaxMs);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F29: a partial fill, then EXPIRED', () => {
  test.each([
    ['MARKET without liquidity', market],
    ['IOC', immediate],
  ])('of a %s is the end of the order and a position', async (_name, entry) => {
    const bench = await theater.open();
    await bench.control('thinBook', { levels: 1, quantity: '0.4' });
    const outcome = await bench.trade({ entry, exits: false });
    expect(outcome.entry).toMatchObject({ status: 'expired', filledQuantity: '0.4', fillsComplete: true });
    const evidence = await bench.evidence();
    expect(evidence.positions).toMatchObject([{ entry_quantity: '0.4' }]);
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0.4', voided_quantity: '0.6' }]);
    expect(evidence.trades).toMatchObject([{ phase: 'open' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('of the exit is followed by the next one until nothing is left', async () => {
    const bench = await theater.open();
    const { closed } = await bench.trade({
      market: [],
      exitFaults: [],
      exits: true,
      entry: market,
      strikes: [],
    });
    expect(closed).toMatchObject({ dust: '0' });
    await bench.control('thinBook', { levels: 1, quantity: '0.4' });
    const thin = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      market: [() => fill(bench)],
    });
    expect(thin.closed).toMatchObject({ entryQuantity: '1', exitQuantity: '0.999' });
    const evidence = await bench.evidence();
    expect(
      evidence.orders.filter(({ purpose, trade_id }) => purpose === 'exit' && trade_id === thin.tradeId),
    ).toHaveLength(3);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F30: self-trade prevention', () => {
  const sellInto = async (bench: OrderBench) => {
    // Nobody else buys, so that whoever sells meets our own order.
    await bench.control('thinBook', { levels: 0 });
    const order = { symbol: 'BTCUSDT', side: 'SELL', type: 'LIMIT', timeInForce: 'IOC', quantity: '1', price: '99' };
    await bench.control('external', { type: 'order', order: { ...order, selfTradePreventionMode: 'EXPIRE_MAKER' } });
    await bench.control('thinBook', { end: true });
  };

  test.each([
    ['unfilled', undefined, 'unfilled'],
    ['filled in part', '0.25', 'open'],
  ])('expires an entry that is %s: the venue says EXPIRED_IN_MATCH', async (_name, quantity, phase) => {
    const bench = await theater.open({ simulator: { deposits: { USDT: '1000000', BTC: '10' } } });
    const { entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      market: [() => quantity && fill(bench, quantity), () => sellInto(bench)],
      exits: false,
    });
    expect([...bench.simulator.exchange.books.orders.values()][0]).toMatchObject({ status: 'EXPIRED_IN_MATCH' });
    expect(entry).toMatchObject({ status: 'expired', filledQuantity: quantity ?? '0', fillsComplete: true });
    const evidence = await bench.evidence();
    expect(evidence.trades).toMatchObject([{ phase }]);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('expires an entry that would trade with what the account sells, and that stands', async () => {
    const bench = await theater.open({ simulator: { deposits: { USDT: '1000000', BTC: '10' } } });
    await bench.control('trigger', { name: 'self-trade', side: 'SELL' });
    const { entry } = await bench.trade({ entry: market, exits: false });
    expect(entry).toMatchObject({ status: 'expired', filledQuantity: '0', fillsComplete: true });
    const statuses = [...bench.simulator.exchange.books.orders.values()].map(({ status: each }) => each);
    expect(statuses).toEqual(['NEW', 'EXPIRED_IN_MATCH']);
    const evidence = await bench.evidence();
    expect(evidence.trades).toMatchObject([{ phase: 'unfilled' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('lets an exit through what the account buys', async () => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({ entry: market, exits: false });
    await bench.control('trigger', { name: 'self-trade', side: 'BUY' });
    expect(await bench.exit(tradeId)).toMatchObject({ exitQuantity: '0.999' });
    const statuses = [...bench.simulator.exchange.books.orders.values()].map(({ status: each }) => each);
    expect(statuses).toEqual(['FILLED', 'EXPIRED_IN_MATCH', 'FILLED']);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F31: the fill comes before the answer', () => {
  test.each([
    ['to the placement', placing('before_response', { action: 'delay', ms: 400 })],
    ['that is lost', placing('before_response', { action: 'drop' })],
  ])('%s: it counts once', async (_name, fault) => {
    const bench = await theater.open();
    const { entry, closed } = await bench.trade({ entry: market, faults: [fault] });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1', fillsComplete: true });
    expect(closed).toMatchObject({ entryQuantity: '1' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F32: reports of the stream', () => {
  test.each<[string, FaultRule['do']]>([
    ['come twice', { action: 'dup' }],
    ['come in reverse', { action: 'reorder', frames: 3, ms: 2_000 }],
    ['come late', { action: 'delay', ms: 15_000 }],
  ])('that %s count once, and quantities never fall', async (_name, action) => {
    const bench = await theater.open();
    const { entry, closed } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      faults: [streaming(action, reports)],
      market: [() => fill(bench, '0.2'), () => fill(bench, '0.3'), () => fill(bench, '0.5')],
    });
    await bench.settle();
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1' });
    expect(closed).toMatchObject({ entryQuantity: '1', exitQuantity: '0.999' });
    const evidence = await bench.evidence();
    expect(evidence.fills.filter(({ side }) => side === 'BUY')).toHaveLength(3);
    const seen = evidence.events
      .filter(({ body }) => body['clientOrderId'] === entry?.clientOrderId && body['filledQuantity'] !== undefined)
      .map(({ body }) => Number(body['filledQuantity']));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F32: fills of the same millisecond', () => {
  test('are two, and both count', async () => {
    // No stream that would tell them one by one.
    const bench = await theater.open({ watch: false });
    const { entry, closed } = await bench.trade({ quantity: '70' });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '70', fillsComplete: true });
    const evidence = await bench.evidence();
    const bought = evidence.ledger.fills.filter(({ side }) => side === 'BUY');
    expect(bought).toHaveLength(2);
    expect(new Set(bought.map(({ tradedAtMs }) => tradedAtMs)).size).toBe(1);
    expect(closed).toMatchObject({ entryQuantity: '70', exitQuantity: '69.93', dust: '0' });
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F33: a report is missing', () => {
  test.each([1, 2, 3, 4])('the %d. one: a poll repairs it within 30 s', async (nth) => {
    const bench = await theater.open();
    const { entry, tookMs } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 120_000 },
      faults: [streaming({ action: 'drop' }, { ...reports, nth })],
      market: [() => fill(bench, '0.2'), () => fill(bench, '0.3'), () => fill(bench)],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1', fillsComplete: true });
    // Three steps of the market, and no more than one gap.
    expect(tookMs).toBeLessThan(3_000 + pollMaxMs);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F35: the cancel races a fill', () => {
  test.each([
    ['completely', undefined, 'filled', '1'],
    ['in part', '0.4', 'canceled', '0.4'],
  ])('and the order fills %s first: that counts', async (_name, quantity, ends, filled) => {
    const bench = await theater.open();
    const { entry, closed } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      faults: [canceling('before_accept', { action: 'fill', ...(quantity && { quantity }) })],
    });
    expect(entry).toMatchObject({ status: ends, filledQuantity: filled });
    expect(closed).toMatchObject({ entryQuantity: filled });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });
});

describe('F36: the answer to the cancel is lost', () => {
  test.each<[string, FaultRule[]]>([
    ['once', [canceling('before_response', { action: 'drop' })]],
    ['and the cancel never arrived', [canceling('before_auth', { action: 'reset' })]],
    ['as a 5xx', [canceling('before_response', status(504, { code: -1007, msg: 'Timeout.' }))]],
    ['three times', [1, 2, 3].map((nth) => canceling('before_response', { action: 'drop' }, nth))],
  ])('%s: it is looked up, and the order is canceled', async (_name, faults) => {
    const bench = await theater.open();
    const { entry, tookMs } = await bench.trade({ entry: { ...limitThatRests, expireAfterMs: 5_000 }, faults });
    expect(entry).toMatchObject({ status: 'canceled', filledQuantity: '0' });
    expect(tookMs).toBeLessThan(60_000);
    const evidence = await bench.evidence();
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F37: a cancel after a partial fill', () => {
  test('gives back the rest alone', async () => {
    const bench = await theater.open();
    const { entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      market: [() => fill(bench, '0.25')],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'canceled', filledQuantity: '0.25' });
    const evidence = await bench.evidence();
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0.25', voided_quantity: '0.75' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F75: dust and fees', () => {
  test('what a fee in the base asset leaves too small to sell is dust, and the trade is closed', async () => {
    const bench = await theater.open();
    // A thousandth of 0.5 is the fee: the half of a step stays behind.
    const { closed } = await bench.trade({ quantity: '0.5' });
    expect(closed).toMatchObject({ entryQuantity: '0.5', exitQuantity: '0.499', dust: '0.0005' });
    const evidence = await bench.evidence();
    expect(evidence.trades).toMatchObject([{ phase: 'closed' }]);
    expect(evidence.events.some(({ type, body }) => type === 'PositionClosed' && body['legs'] !== undefined)).toBe(
      true,
    );
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('a position that is all dust is closed without an order', async () => {
    const bench = await theater.open();
    const { closed } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      quantity: '0.1',
      market: [() => fill(bench, '0.001')],
    });
    expect(closed).toMatchObject({ entryQuantity: '0.001', exitQuantity: '0', dust: '0.000999' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each([
    ['in the quote asset', { paidIn: 'quote' }, '1', '-0.20999'],
    ['in the received asset', { paidIn: 'received' }, '0.999', '-0.20988001'],
  ] as const)('a fee %s is in the P&L to the last digit', async (_name, fees, sold, pnl) => {
    const bench = await theater.open({ simulator: { fees } });
    const { closed } = await bench.trade();
    expect(closed).toMatchObject({ exitQuantity: sold, pnl });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('a fee in a third asset counts at its price', async () => {
    const bench = await theater.open({
      simulator: {
        fees: { paidIn: 'third', third: { asset: 'BNB', price: decimal('500'), share: decimal('0.75') } },
        replay: 'manual',
        markets: [
          { symbol: 'BTC/USDT', price: '100', stepSize: '0.001', tradeQuantity: '1' },
          { symbol: 'BNB/USDT', price: '500' },
        ],
        deposits: { USDT: '1000000', BNB: '5' },
      },
    });
    const { closed } = await bench.trade();
    // 0.1 x 0.75 of a dollar to buy and 0.09999 x 0.75 to sell, each cut to eight decimals of BNB at 500.
    expect(closed).toMatchObject({ exitQuantity: '1', fees: '0.14999', pnl: '-0.15999' });
    const evidence = await bench.evidence();
    expect(
      evidence.fills
        .map(({ fee, fee_asset }) => `${fee} ${fee_asset}`)
        .sort()
        .reverse(),
    ).toEqual(['0.00015 BNB', '0.00014998 BNB']);
    expect(alertCodes(evidence)).not.toContain('FEE_UNVALUED');
    // The oracle counts what is paid in base and quote; the figures above say the rest.
    expect(judgeBench(evidence, 'I13')).toEqual([]);
  });
});

describe('F77: the venue tells a fill otherwise when it is asked again', () => {
  test('the first telling is kept, the other one recorded and raised, once', async () => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({
      entry: { ...limitThatRests, expireAfterMs: 60_000 },
      // The second fill's report is lost, so the fills are asked for, the first one again among them.
      faults: [streaming({ action: 'drop' }, { ...reports, nth: 3 })],
      market: [
        () => fill(bench, '0.4'),
        async () => {
          const [first] = bench.simulator.exchange.books.fills;
          await bench.control('editFill', { tradeId: first?.tradeId, fee: '0.0005' });
          await fill(bench);
        },
      ],
      exits: false,
    });
    expect(entry).toMatchObject({ status: 'filled', fillsComplete: true });
    await bench.settle();
    const evidence = await bench.evidence();
    expect(evidence.fills.map(({ quantity, fee }) => [quantity, fee])).toEqual([
      ['0.4', '0.0004'],
      ['0.6', '0.0006'],
    ]);
    const corrections = evidence.events.filter(({ type }) => type === 'FillCorrection');
    expect(corrections).toMatchObject([{ tradeId, body: { kept: { fee: '0.0004' }, reported: { fee: '0.0005' } } }]);
    expect(alertCodes(evidence).filter((code) => code === 'FILL_CORRECTED')).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});

describe('F78: an order that the venue has archived', () => {
  test('has ended without a fill: what was reserved is given back', async () => {
    const bench = await theater.open({ watch: false });
    const { entry, tookMs } = await bench.trade({
      entry: { type: 'LIMIT', price: decimal('99'), timeInForce: 'IOC' },
      faults: [
        placing('before_response', { action: 'drop' }),
        {
          on: { method: 'GET', path: '/api/v3/order' },
          phase: 'before_response',
          do: status(400, {
            code: -2026,
            msg: 'Order was canceled or expired with no executed qty over 90 days ago and has been archived.',
          }),
        },
      ],
    });
    expect(entry).toMatchObject({ status: 'expired', inDoubt: false, reasonCode: 'ORDER_ARCHIVED' });
    expect(tookMs).toBeLessThan(10_000);
    const evidence = await bench.evidence();
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(placements(evidence)).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});
