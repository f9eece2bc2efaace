import { expect, test } from 'vitest';
import { type ClosedLeg, closedTradeOf, summaryLines } from '../../src/bot/summary.ts';
import { decimal, type TradeView } from '../../src/client/index.ts';

const aLeg = (changed: Partial<ClosedLeg> = {}): ClosedLeg => ({
  symbol: 'BTC/USDT',
  entered: decimal('46030'),
  left: decimal('46100.5'),
  why: 'trailingStop',
  pnl: decimal('1.25'),
  pnlAsset: 'USDT',
  ...changed,
});

test('the summary has a row a trade and the exact total', () => {
  const second = aLeg({ pnl: decimal('-0.15'), why: 'timeStop' });
  const lines = summaryLines([
    { tradeId: 'bot-1', legs: [aLeg()] },
    { tradeId: 'bot-2', legs: [second] },
  ]);
  expect(lines.join('\n')).toMatch(/bot-1 .*BTC\/USDT .*46030 .*46100\.5 .*trailingStop .*\+1\.25 USDT/);
  expect(lines.join('\n')).toMatch(/bot-2 .*timeStop .*-0\.15 USDT/);
  expect(lines.at(-1)).toBe('2 trades closed, in all +1.1 USDT');
});

test('a trade of several legs has a row a leg, and a total in each asset', () => {
  const other = aLeg({ symbol: 'XRP/ETH', entered: null, left: null, pnl: decimal('-0.02'), pnlAsset: 'ETH' });
  const lines = summaryLines([{ tradeId: 'bot-1', legs: [aLeg(), other] }]);
  expect(lines.join('\n')).toMatch(/bot-1 .*BTC\/USDT .*\+1\.25 USDT/);
  expect(lines.join('\n')).toMatch(/bot-1 .*XRP\/ETH .* - .* - .*-0\.02 ETH/);
  expect(lines.at(-1)).toBe('1 trades closed, in all +1.25 USDT and -0.02 ETH');
});

test('what has closed is told with all its legs', () => {
  const leg = { entryQuantity: '2', entryQuote: '200', exitQuantity: '2', exitQuote: '210', exitReason: 'takeProfit' };
  const result = [
    { ...leg, symbol: 'BTC/USDT', pnl: '10', pnlAsset: 'USDT' },
    { ...leg, symbol: 'ETH/USDT', pnl: '9', pnlAsset: 'USDT' },
  ];
  const view = { tradeId: 'bot-1', phase: 'closed', result } as unknown as TradeView;
  expect(closedTradeOf(view)?.legs).toMatchObject([
    { symbol: 'BTC/USDT', entered: '100', left: '105', pnl: '10' },
    { symbol: 'ETH/USDT', entered: '100', left: '105', pnl: '9' },
  ]);
});

test('a summary of nothing says so', () => {
  expect(summaryLines([])).toEqual(['No trade was closed.']);
});
