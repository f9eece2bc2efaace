import { describe, expect, test } from 'vitest';
import { isLegFlat } from '../../../src/domain/exit.ts';
import type { SymbolFilters } from '../../../src/domain/filters.ts';
import { openPosition, realizedPnl, sellableQuantity } from '../../../src/domain/position.ts';
import { correctionIdOf, correctionOf, describeCorrection } from '../../../src/domain/reconciliation/correction.ts';
import {
  type Difference,
  describeDifference,
  isSameDifference,
  keyOf,
} from '../../../src/domain/reconciliation/difference.ts';
import { aDrift, aFill, anExternalOrder, aShortage, d, tolerances } from './fixtures.ts';

const { transactedAtMs: _, ...ref } = aFill('7');
const numbers = { quantity: d('1'), price: d('100'), quoteQuantity: d('100'), fee: d('0.001'), feeAsset: 'BTC' };
const fillRef = { ...ref, transactedAtMs: 1_000 };

const everyKind: readonly Difference[] = [
  anExternalOrder(),
  { kind: 'missingOrder', symbol: 'BTC/USDT', clientOrderId: 'rte-1', tradeId: 't-1', status: 'new' },
  { kind: 'missingFill', ...fillRef },
  { kind: 'uncountedFill', ...fillRef },
  { kind: 'changedFill', ...fillRef, kept: numbers, reported: { ...numbers, fee: d('0.002') } },
  aDrift('USDT', '100', '90', '-10'),
  aShortage(),
];

describe('a difference of each kind', () => {
  test('has a key of its own, which survives being stored', () => {
    expect(new Set(everyKind.map(keyOf)).size).toBe(everyKind.length);
    // A database may give the fields back in another order.
    const turned = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, inner]) => [name, turned(inner)]),
          )
        : value;
    for (const difference of everyKind) {
      const stored = turned(JSON.parse(JSON.stringify(difference))) as Difference;
      expect(keyOf(stored)).toBe(keyOf(difference));
      expect(isSameDifference(stored, difference, tolerances)).toBe(true);
    }
  });

  test('is told in words that name what and how much', () => {
    expect(everyKind.map(describeDifference)).toEqual([
      'BUY 1 BTC/USDT (by-hand) is not ours: it works, filled 0',
      'order rte-1 of trade t-1 is new in the book, and the venue does not know it',
      'fill 7 of order rte-1 (1 BTC/USDT) is in the book and not at the venue',
      'fill 7 of order rte-1 (1 BTC/USDT) is at the venue and the book does not take it',
      'fill 7 of order rte-1 was 1 at 100, fee 0.001 BTC and is now told as 1 at 100, fee 0.002 BTC',
      'USDT: the venue has 90, expected 100, a drift of -10',
      'BTC: open positions hold 1, the venue has 0.4, 0.6 is missing',
    ]);
  });

  test('has one correction, whose effect is told before anybody decides', () => {
    expect(everyKind.map((each) => `${correctionOf(each)}: ${describeCorrection(each)}`)).toEqual([
      'acknowledge: take note of the order by-hand: its exposure stays outside of the limits',
      'endOrder: end order rte-1 with what it has filled',
      'acknowledge: take note of fill 7: the book keeps what it has',
      'acknowledge: take note of fill 7: the book keeps what it has',
      'acknowledge: take note of fill 7: the book keeps what it has',
      'acceptBalance: take -10 USDT for a transfer, so that 90 is expected',
      'writeOff: write off 0.6 BTC/USDT of trade t-1',
    ]);
  });

  test('has corrections with ids that a shell and a workflow can carry, one a content', () => {
    for (const difference of everyKind) {
      expect(correctionIdOf(difference, 7, 1)).toMatch(/^[A-Za-z]+-[A-Z0-9-]+-7$/);
      expect(correctionIdOf(difference, 7, 2)).toBe(`${correctionIdOf(difference, 7, 1)}.2`);
    }
  });
});

describe('what is written off', () => {
  const position = {
    ...openPosition({ side: 'long', baseAsset: 'BTC', quoteAsset: 'USDT' }),
    entryQuantity: d('1'),
    entryQuote: d('100'),
    baseFee: d('0.001'),
  };

  test('is not there to sell, and worth nothing in the P&L', () => {
    const left = { ...position, writtenOff: d('0.5') };
    expect(sellableQuantity(left)).toBe('0.499');
    expect(realizedPnl({ ...left, exitQuantity: d('0.499'), exitQuote: d('49.9') })).toBe('-50.1');
  });

  test('never makes a position negative', () => {
    expect(sellableQuantity({ ...position, writtenOff: d('5') })).toBe('0');
  });

  test.each([
    { writtenOff: '0.998', isFlat: false },
    { writtenOff: '0.9985', isFlat: true },
    { writtenOff: '0.999', isFlat: true },
  ])('of $writtenOff leaves the leg flat: $isFlat', ({ writtenOff, isFlat }) => {
    const filters = { stepSize: d('0.001'), quantityMin: d('0.001'), notionalMin: null } as unknown as SymbolFilters;
    const leg = { entryQuantity: d('1'), exitQuantity: d('0'), baseFee: d('0.001'), writtenOff: d(writtenOff) };
    const rest = { leg: 0, symbol: 'BTC/USDT', exitSide: 'SELL', orders: [], filters, price: d('100'), freeBase: null };
    expect(isLegFlat({ ...leg, ...rest } as Parameters<typeof isLegFlat>[0])).toBe(isFlat);
  });
});
