import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decimal, decimal } from '../../../src/domain/decimal.ts';
import { type Limits, type LimitsRead, paperLimits } from '../../../src/domain/limits/limits.ts';
import { loosenedLimits, onlyTightened } from '../../../src/domain/limits/loosening.ts';

const changed = (change: Partial<Limits>): LimitsRead => ({ ...paperLimits, ...change });
const without = (name: keyof Limits): LimitsRead => {
  const { [name]: _, ...rest } = paperLimits;
  return rest;
};

describe('loosenedLimits', () => {
  test.each<[string, LimitsRead, LimitsRead, readonly string[]]>([
    ['nothing changed', paperLimits, paperLimits, []],
    ['an amount raised', paperLimits, changed({ orderNotionalMax: decimal('25000.01') }), ['orderNotionalMax']],
    ['an amount lowered', paperLimits, changed({ orderNotionalMax: decimal('24999.99') }), []],
    ['the same amount written differently', paperLimits, changed({ concentrationMax: '0.50' as Decimal }), []],
    ['an age raised', paperLimits, changed({ priceAgeMsMax: 5_001 }), ['priceAgeMsMax']],
    ['a cap set where there was none', paperLimits, changed({ totalExposureCap: decimal('1') }), []],
    ['a cap taken away', changed({ totalExposureCap: decimal('1') }), paperLimits, ['totalExposureCap']],
    ['a limit set that was missing', without('symbolDeltaMax'), paperLimits, ['symbolDeltaMax']],
    ['a limit taken away, which denies', paperLimits, without('symbolDeltaMax'), []],
    ['short entries allowed', paperLimits, changed({ options: { shortEntriesAllowed: true } }), ['options']],
  ])('%s', (_, before, after, loosened) => {
    expect(loosenedLimits(before, after)).toEqual(loosened);
  });

  test('groups in another order are the same groups', () => {
    const groups = (correlationGroups: Record<string, string>) => changed({ options: { correlationGroups } });
    expect(loosenedLimits(groups({ 'A/B': 'x', 'C/D': 'y' }), groups({ 'C/D': 'y', 'A/B': 'x' }))).toEqual([]);
  });
});

describe('onlyTightened', () => {
  const amount = fc.integer({ min: 0, max: 1_000 }).map((n) => decimal(String(n)));
  const limits = fc.record({
    orderNotionalMax: amount,
    symbolDeltaMax: amount,
    totalExposureCap: fc.oneof(fc.constant(null), amount),
    equityAgeMsMax: fc.integer({ min: 1, max: 9 }),
    options: fc.record({ shortEntriesAllowed: fc.boolean() }),
  });

  test('never loosens, and keeps every tightening', () => {
    fc.assert(
      fc.property(limits, limits, (before, after) => {
        const applied = onlyTightened(before, after);
        expect(loosenedLimits(before, applied)).toEqual([]);
        expect(loosenedLimits(applied, after)).toEqual(loosenedLimits(before, after));
      }),
    );
  });
});
