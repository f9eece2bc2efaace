import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decimal, decimal, sum } from '../../../src/domain/decimal.ts';
import { bookOf } from '../../../src/domain/limits/book.ts';
import { groupOf } from '../../../src/domain/limits/limits.ts';
import { amountIn } from '../../../src/domain/limits/sums.ts';
import { anExposure } from './fixtures.ts';

describe('the book', () => {
  test('is empty without exposures', () => {
    expect(bookOf([], {})).toEqual({
      portfolioDelta: '0',
      portfolioGamma: '0',
      deltaBySymbol: {},
      exposureTotal: '0',
      exposureByGroup: {},
      exposureLargest: '0',
      openCount: 0,
    });
  });

  test('adds up positions and reservations by symbol, group and trade', () => {
    const book = bookOf(
      [
        anExposure({ tradeId: 'a', notional: decimal('1000'), unitGamma: decimal('0.2') }),
        anExposure({ tradeId: 'a', notional: decimal('500') }),
        anExposure({
          tradeId: 'b',
          symbol: 'BTC/EUR',
          notional: decimal('700'),
          side: 'short',
          unitGamma: decimal('0.1'),
        }),
        anExposure({ tradeId: 'c', symbol: 'ETH/USDT', notional: decimal('100'), unitDelta: decimal('0.5') }),
      ],
      {},
    );
    expect(book).toEqual({
      portfolioDelta: '850', // 1000 + 500 - 700 + 0.5 x 100
      portfolioGamma: '1', // 0.2 x 10 - 0.1 x 10
      deltaBySymbol: { 'BTC/USDT': '1500', 'BTC/EUR': '-700', 'ETH/USDT': '50' },
      exposureTotal: '2300',
      exposureByGroup: { BTC: '2200', ETH: '100' },
      exposureLargest: '1500',
      openCount: 3,
    });
  });

  test('groups by base asset, or as configured', () => {
    const limits = { options: { correlationGroups: { 'ETH/USDT': 'large caps' } } };
    expect(groupOf(limits, 'BTC/USDT')).toBe('BTC');
    expect(groupOf(limits, 'ETH/USDT')).toBe('large caps');
    expect(bookOf([anExposure({ symbol: 'ETH/USDT' })], limits).exposureByGroup).toEqual({ 'large caps': '1000' });
  });

  test('takes a group by whatever name it has', () => {
    const names = ['constructor', '__proto__', 'toString'];
    for (const name of names) {
      const limits = { options: { correlationGroups: { 'ETH/USDT': name } } };
      const { exposureByGroup } = bookOf([anExposure({ symbol: 'ETH/USDT' })], limits);
      expect(amountIn(exposureByGroup, name)).toBe('1000');
      expect(amountIn(bookOf([], limits).exposureByGroup, name)).toBe('0');
    }
  });

  test('does not depend on the order of its exposures, and loses nothing', () => {
    const exposure = fc
      .record({
        tradeId: fc.constantFrom('a', 'b', 'c'),
        symbol: fc.constantFrom('BTC/USDT', 'ETH/USDT', 'BTC/EUR'),
        side: fc.constantFrom<'long' | 'short'>('long', 'short'),
        notional: fc.nat(100_000).map((cents): Decimal => decimal((cents / 100).toFixed(2))),
      })
      .map(anExposure);
    fc.assert(
      fc.property(fc.array(exposure, { maxLength: 8 }), (exposures) => {
        const book = bookOf(exposures, {});
        expect(bookOf(exposures.toReversed(), {})).toEqual(book);
        expect(book.exposureTotal).toBe(sum(exposures.map(({ notional }) => notional)));
        expect(sum(Object.values(book.exposureByGroup))).toBe(book.exposureTotal);
        expect(sum(Object.values(book.deltaBySymbol))).toBe(book.portfolioDelta);
      }),
    );
  });
});
