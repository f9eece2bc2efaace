import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, type Decimal, decimal, isNegative, isPositive } from '../../../src/domain/decimal.ts';
import { accountCapacity, remainingCapacity } from '../../../src/domain/limits/capacity.ts';
import { portfolioHealth } from '../../../src/domain/limits/health.ts';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import type { Snapshot } from '../../../src/domain/limits/snapshot.ts';
import { aLeg, anEntry, aSnapshot, decide, holding, withLimits } from './fixtures.ts';

const warnings = (snapshot: Snapshot, limits = paperLimits as Parameters<typeof portfolioHealth>[1]) =>
  portfolioHealth(snapshot, limits).map(({ control, scope }) => `${control} ${scope}`);

describe('the health of the portfolio', () => {
  test('is good when nothing is held, and at every limit', () => {
    expect(warnings(aSnapshot())).toEqual([]);
    expect(warnings(holding({ notional: decimal('5000'), unitGamma: decimal('1') }))).toEqual([]);
  });

  test('warns of every broken limit in order, once for each symbol and each group', () => {
    const snapshot = holding(
      { tradeId: 'a', notional: decimal('9000'), unitGamma: decimal('2') },
      { tradeId: 'b', symbol: 'ETH/USDT', notional: decimal('8500') },
      { tradeId: 'c', symbol: 'SOL/USDT', notional: decimal('100') },
    );
    expect(warnings(snapshot, withLimits({ totalExposureCap: decimal('17599') }))).toEqual([
      'portfolio_delta account',
      'portfolio_gamma account',
      'symbol_delta BTC/USDT',
      'symbol_delta ETH/USDT',
      'concentration account',
      'correlated_exposure BTC',
      'correlated_exposure ETH',
      'total_exposure_cap account',
    ]);
  });

  test('measures shares of the exposure where the limits say so', () => {
    const snapshot = holding(
      { notional: decimal('60') },
      { tradeId: 'b', symbol: 'ETH/USDT', notional: decimal('40') },
    );
    expect(warnings(snapshot, withLimits({ options: { exposureBase: 'exposure' } }))).toEqual([
      'concentration account',
    ]);
    expect(warnings(aSnapshot(), withLimits({ options: { exposureBase: 'exposure' } }))).toEqual([]);
  });

  test('warns of what it can not measure', () => {
    expect(warnings(aSnapshot({ book: null }))).toEqual([
      'portfolio_delta account',
      'portfolio_gamma account',
      'concentration account',
      'total_exposure_cap account',
    ]);
    expect(warnings(aSnapshot(), {})).toHaveLength(4);
  });
});

describe('the remaining capacity', () => {
  const held = holding({ notional: decimal('4000') }, { tradeId: 'b', symbol: 'ETH/USDT', notional: decimal('1000') });

  test.each([
    {
      name: 'is what the limits leave',
      limits: paperLimits,
      symbol: 'BTC/USDT',
      expected: { delta: '5000', symbolDelta: '1000', exposure: '4000' },
    },
    {
      name: 'is all of it in another symbol',
      limits: paperLimits,
      symbol: 'SOL/USDT',
      expected: { delta: '5000', symbolDelta: '5000', exposure: '5000' },
    },
    {
      name: 'is bounded by the cap',
      limits: withLimits({ totalExposureCap: decimal('5100') }),
      symbol: 'SOL/USDT',
      expected: { delta: '5000', symbolDelta: '5000', exposure: '100' },
    },
    {
      name: 'is bounded by the limit of one order',
      limits: withLimits({ orderNotionalMax: decimal('70') }),
      symbol: 'SOL/USDT',
      expected: { exposure: '70' },
    },
    {
      name: 'is never less than nothing',
      limits: withLimits({
        portfolioDeltaMax: decimal('0.1'),
        symbolDeltaMax: decimal('0.1'),
        totalExposureCap: decimal('1'),
      }),
      symbol: 'BTC/USDT',
      expected: { delta: '0', symbolDelta: '0', exposure: '0' },
    },
    {
      name: 'counts a share of the exposure with the entry',
      limits: withLimits({ correlatedExposureMax: decimal('0.9'), options: { exposureBase: 'exposure' } }),
      symbol: 'BTC/USDT',
      expected: { exposure: '5000' },
    },
    {
      name: 'is not bounded by a share of all',
      limits: withLimits({
        concentrationMax: decimal('1'),
        correlatedExposureMax: decimal('1'),
        options: { exposureBase: 'exposure' },
      }),
      symbol: 'BTC/USDT',
      expected: { exposure: '25000' },
    },
    {
      name: 'can not be told without limits',
      limits: {},
      symbol: 'BTC/USDT',
      expected: { delta: null, symbolDelta: null, exposure: null },
    },
  ])('$name', ({ limits, symbol, expected }) => {
    expect(remainingCapacity(held, limits, symbol)).toMatchObject(expected);
  });

  test('is as small for a short position', () => {
    const short = holding({ notional: decimal('4000'), side: 'short' });
    expect(remainingCapacity(short, paperLimits, 'BTC/USDT')).toMatchObject({ delta: '6000', symbolDelta: '1000' });
  });

  test('can not be told without a book or an equity', () => {
    const unknown = { delta: null, symbolDelta: null, exposure: null };
    expect(remainingCapacity(aSnapshot({ book: null }), paperLimits, 'BTC/USDT')).toEqual(unknown);
    const equity = { amount: null, ageMs: null, fault: null };
    expect(remainingCapacity(aSnapshot({ equity }), paperLimits, 'BTC/USDT')).toEqual(unknown);
  });

  test.each([
    { ageMs: 60_000, delta: '10000' },
    { ageMs: 60_001, delta: null },
    { ageMs: null, delta: null },
  ])('is $delta on an equity that is $ageMs ms old', ({ ageMs, delta }) => {
    const old = aSnapshot({ equity: { amount: decimal('10000'), ageMs, fault: null } });
    expect(remainingCapacity(old, paperLimits, 'BTC/USDT')).toMatchObject({ delta });
    const symbolDelta = delta === null ? null : '5000';
    expect(remainingCapacity(old, paperLimits, 'BTC/USDT')).toMatchObject({ symbolDelta, exposure: symbolDelta });
    expect(accountCapacity(old, paperLimits)).toEqual({ delta, exposure: symbolDelta });
  });

  test('is what the gate lets through, and not a cent more', () => {
    const cents = fc.integer({ min: 1, max: 900_000 }).map((whole): Decimal => decimal((whole / 100).toFixed(2)));
    const smallest = (values: readonly (Decimal | null)[]) =>
      values.reduce<number>((least, value) => Math.min(least, Number(value)), Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(cents, cents, (inSymbol, elsewhere) => {
        const snapshot = holding({ notional: inSymbol }, { tradeId: 'b', symbol: 'ETH/USDT', notional: elsewhere });
        const { delta, symbolDelta, exposure } = remainingCapacity(snapshot, paperLimits, 'BTC/USDT');
        const room = decimal(smallest([delta, symbolDelta, exposure]).toFixed(2));
        const buying = (notional: Decimal) =>
          decide(
            anEntry({ legs: [aLeg({ quantity: notional })], entry: { type: 'LIMIT', price: decimal('1') } }),
            snapshot,
          ).outcome;
        expect(isNegative(room)).toBe(false);
        if (isPositive(room)) expect(buying(room)).toBe('approved');
        expect(buying(add(room, decimal('0.01')))).toBe('denied');
      }),
    );
  });

  test('of an account is that of a symbol whose group holds nothing, and no symbol has more', () => {
    const bases = fc.constantFrom<'equity' | 'exposure'>('equity', 'exposure');
    const notionals = fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 5 });
    fc.assert(
      fc.property(notionals, bases, (amounts, exposureBase) => {
        const limits = withLimits({ totalExposureCap: decimal('20000'), options: { exposureBase } });
        const positions = amounts.map((amount, index) => ({ tradeId: `t${index}`, notional: decimal(String(amount)) }));
        const { exposure, delta } = accountCapacity(holding(...positions), limits);
        expect(remainingCapacity(holding(...positions), limits, 'SOL/USDT')).toMatchObject({ exposure, delta });
        const held = remainingCapacity(holding(...positions), limits, 'BTC/USDT');
        expect(Number(held.exposure)).toBeLessThanOrEqual(Number(exposure));
      }),
    );
  });
});
