import { expect, test } from 'vitest';
import { type ClosedTrade, summaryLines } from '../../src/bot/summary.ts';
import { decimal } from '../../src/client/index.ts';

const aTrade = (changed: Partial<ClosedTrade>): ClosedTrade => ({
  tradeId: 'bot-1',
  entered: decimal('46030'),
  left: decimal('46100.5'),
  why: 'trailingStop',
  pnl: decimal('1.25'),
  pnlAsset: 'USDT',
  ...changed,
});

test('the summary has a row a trade and the exact total', () => {
  const lines = summaryLines([aTrade({}), aTrade({ tradeId: 'bot-2', pnl: decimal('-0.15'), why: 'timeStop' })]);
  expect(lines.join('\n')).toMatch(/bot-1 .*46030 .*46100\.5 .*trailingStop .*\+1\.25/);
  expect(lines.join('\n')).toMatch(/bot-2 .*timeStop .*-0\.15/);
  expect(lines.at(-1)).toBe('2 trades closed, in all +1.1 USDT');
});

test('a summary of nothing says so', () => {
  expect(summaryLines([])).toEqual(['No trade was closed.']);
});
