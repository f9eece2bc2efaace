import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNarrator } from '../../src/bot/narrate.ts';
import { sentenceOf } from '../../src/bot/sentences.ts';
import type { TradeRecord } from '../../src/client/index.ts';

const record = (type: string, data: Record<string, unknown>): TradeRecord => ({
  no: 1,
  seq: null,
  type,
  at: '2026-11-21T14:00:00.000000Z',
  actor: { type: 'system', id: 'test' },
  data,
});

const fill = (clientOrderId: string, purpose: 'entry' | 'exit', quantity: string, quoteQuantity: string) =>
  record('Fill', { clientOrderId, purpose, symbol: 'BTC/USDT', quantity, quoteQuantity });
const order = (type: string, clientOrderId: string, status: string, reportedQuantity: string, more = {}) =>
  record(type, { clientOrderId, symbol: 'BTC/USDT', status, reportedQuantity, ...more });
const closed = (pnl: string) =>
  record('PositionClosed', {
    legs: [{ symbol: 'BTC/USDT', exitReason: 'trailingStop', entryQuantity: '0.1', pnl, pnlAsset: 'USDT' }],
  });

const tell = (records: readonly TradeRecord[]): readonly string[] => {
  const narrator = createNarrator('t-1');
  return records.flatMap((one) => narrator.hear(one)).map(sentenceOf);
};

describe('the life of a trade', () => {
  test('is told in plain lines from the entry to the profit', () => {
    expect(
      tell([
        record('TradeDecided', { outcome: 'approved' }),
        record('OrderIntent', { clientOrderId: 'e1' }),
        fill('e1', 'entry', '0.04', '1840'),
        fill('e1', 'entry', '0.06', '2763'),
        order('OrderAcked', 'e1', 'filled', '0.1'),
        record('PositionOpened', { symbol: 'BTC/USDT' }),
        record('StopArmed', { kind: 'stopLoss', terms: { price: '45500' }, state: { status: 'armed' } }),
        record('StopArmed', { kind: 'trailingStop', terms: {}, state: { status: 'trailing', stopPrice: '45900' } }),
        record('StopMoved', { kind: 'trailingStop', stopPrice: '45950' }),
        record('StopTriggered', { kind: 'trailingStop', price: '45949.5' }),
        record('StopMoved', { kind: 'trailingStop', stopPrice: '45960' }),
        order('ExitAcked', 'x1', 'filled', '0.0999'),
        fill('x1', 'exit', '0.0999', '4590.3'),
        closed('-12.7'),
      ]),
    ).toEqual([
      't-1  entered 0.1 BTC/USDT at 46030',
      't-1  stop loss at 45500',
      't-1  trailing stop at 45900',
      't-1  trailing stop moved to 45950',
      't-1  trailing stop triggered by 45949.5',
      't-1  exit filled: 0.0999 BTC/USDT at 45948.94894894',
      't-1  closed BTC/USDT by trailing stop: P&L -12.7 USDT after fees',
    ]);
  });

  test.each([
    {
      name: 'an entry that was rejected',
      records: [order('OrderRejected', 'e1', 'rejected', '0', { reason: 'no balance' })],
      lines: ['t-1  not entered: no balance'],
    },
    {
      name: 'an entry that a hold stopped',
      records: [record('EntryDenied', { clientOrderId: 'e1', code: 'TRADING_STATE_BLOCKED' })],
      lines: ['t-1  not entered: TRADING_STATE_BLOCKED'],
    },
    {
      name: 'an exit order that filled nothing',
      records: [order('ExitClosed', 'x1', 'expired', '0')],
      lines: ['t-1  ATTENTION: an exit order filled nothing: expired'],
    },
    {
      name: 'a trailing stop that waits',
      records: [record('StopArmed', { kind: 'trailingStop', state: { status: 'waiting', stopPrice: null } })],
      lines: ['t-1  trailing stop waits for its activation'],
    },
    {
      name: 'a person who closes it',
      records: [record('ExitRequested', { reason: 'operator', note: 'news' })],
      lines: ['t-1  leaving: news'],
    },
    {
      name: 'the time stop',
      records: [record('ExitRequested', { reason: 'timeStop' })],
      lines: ['t-1  leaving: time stop'],
    },
    {
      name: 'a profit, with its sign',
      records: [closed('3.5')],
      lines: ['t-1  closed BTC/USDT by trailing stop: P&L +3.5 USDT after fees'],
    },
    {
      name: 'an order nobody knows',
      records: [record('OrderParked', { clientOrderId: 'e1' })],
      lines: ['t-1  ATTENTION: nobody knows the order e1: see ratchet resolve'],
    },
  ])('tells of $name', ({ records, lines }) => {
    expect(tell(records)).toEqual(lines);
  });

  test('is told of every leg that was filled', () => {
    const leg = { exitReason: 'stopLoss', pnlAsset: 'USDT' };
    const legs = [
      { ...leg, symbol: 'BTC/USDT', entryQuantity: '0.1', pnl: '-12.7' },
      { ...leg, symbol: 'ETH/USDT', entryQuantity: '2', pnl: '3' },
      { ...leg, symbol: 'XRP/USDT', entryQuantity: '0', pnl: '0' },
    ];
    const of = (symbol: string, one: TradeRecord) => ({ ...one, data: { ...one.data, symbol } });
    expect(
      tell([
        fill('e1', 'entry', '0.1', '4600'),
        order('OrderAcked', 'e1', 'filled', '0.1'),
        of('ETH/USDT', fill('e2', 'entry', '2', '5000')),
        of('ETH/USDT', order('OrderAcked', 'e2', 'filled', '2')),
        record('PositionClosed', { legs }),
      ]),
    ).toEqual([
      't-1  entered 0.1 BTC/USDT at 46000',
      't-1  entered 2 ETH/USDT at 2500',
      't-1  closed BTC/USDT by stop loss: P&L -12.7 USDT after fees',
      't-1  closed ETH/USDT by stop loss: P&L +3 USDT after fees',
    ]);
  });

  test('tells an entry once, at its average price, in whatever order its fills and reports come', () => {
    const parts = [
      fill('e1', 'entry', '0.04', '1840'),
      fill('e1', 'entry', '0.06', '2763'),
      order('OrderProgressed', 'e1', 'partiallyFilled', '0.04'),
      order('OrderClosed', 'e1', 'filled', '0.1'),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: 4 }), (shuffled) => {
        expect(tell(shuffled)).toEqual(['t-1  entered 0.1 BTC/USDT at 46030']);
      }),
    );
  });
});
