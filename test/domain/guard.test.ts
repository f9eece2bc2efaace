import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { type Guard, guardThresholds, joinGuards, stepGuard } from '../../src/domain/guard.ts';
import { isReached } from '../../src/domain/thresholds.ts';
import { centPrice } from '../support/arbitrary-decimal.ts';
import { anyGuard } from './any-guard.ts';

const priceGuard = (kind: 'stopLoss' | 'takeProfit', side: 'long' | 'short'): Guard => ({
  kind,
  terms: { side, price: decimal('100') },
  state: { status: 'armed' },
});

describe('stepGuard', () => {
  test.each([
    ['stopLoss', 'long', '100.01', 'hold'],
    ['stopLoss', 'long', '100', 'triggered'],
    ['stopLoss', 'long', '50', 'triggered'],
    ['stopLoss', 'short', '99.99', 'hold'],
    ['stopLoss', 'short', '100', 'triggered'],
    ['stopLoss', 'short', '150', 'triggered'],
    ['takeProfit', 'long', '99.99', 'hold'],
    ['takeProfit', 'long', '100', 'triggered'],
    ['takeProfit', 'long', '150', 'triggered'],
    ['takeProfit', 'short', '100.01', 'hold'],
    ['takeProfit', 'short', '100', 'triggered'],
    ['takeProfit', 'short', '50', 'triggered'],
  ] as const)('a %s of a %s position at 100 answers %s with %s', (kind, side, price, action) => {
    const step = stepGuard(priceGuard(kind, side), decimal(price));
    expect(step.action).toBe(action);
    expect(step.guard.state.status).toBe(action === 'triggered' ? 'triggered' : 'armed');
  });

  test('tells a new extreme from a milestone', () => {
    const terms = {
      side: 'long',
      by: 'absolute',
      distance: decimal('1'),
      activationPrice: decimal('102'),
      tickSize: null,
      minimumMovePercent: null,
      extremeFrom: 'start',
    } as const;
    let guard: Guard = {
      kind: 'trailingStop',
      terms,
      state: { status: 'waiting', extreme: decimal('100'), stopPrice: null },
    };
    const actions = ['99', '101', '102', '103', '102.5', '102', '101'].map((price) => {
      const step = stepGuard(guard, decimal(price));
      guard = step.guard;
      return step.action;
    });
    expect(actions).toEqual(['hold', 'changed', 'activated', 'changed', 'hold', 'triggered', 'hold']);
  });

  test('keeps the very same guard when nothing changes, and triggers for good', () => {
    fc.assert(
      fc.property(anyGuard, centPrice(), centPrice(), (guard, price, next) => {
        const step = stepGuard(guard, price);
        expect(step.guard === guard).toBe(step.action === 'hold');
        if (step.action === 'triggered')
          expect(stepGuard(step.guard, next)).toEqual({ guard: step.guard, action: 'hold' });
      }),
    );
  });

  test('refuses what is no price', () => {
    const refusal = expect.objectContaining({ code: 'PRICE_INVALID' });
    expect(() => stepGuard(priceGuard('stopLoss', 'long'), decimal('0'))).toThrow(refusal);
  });
});

describe('guardThresholds', () => {
  test('a price changes the guard exactly when it reaches one of them', () => {
    fc.assert(
      fc.property(anyGuard, centPrice(), (guard, anyPrice) => {
        const { below, above } = guardThresholds(guard);
        for (const price of [anyPrice, below?.price ?? anyPrice, above?.price ?? anyPrice]) {
          const reaches =
            (below !== null && isReached(below, 'below', price)) ||
            (above !== null && isReached(above, 'above', price));
          expect(stepGuard(guard, price).action !== 'hold').toBe(reaches);
        }
      }),
    );
  });
});

describe('joinGuards', () => {
  test('gives the later of two reports of one guard', () => {
    fc.assert(
      fc.property(anyGuard, fc.array(centPrice(), { maxLength: 10 }), (guard, prices) => {
        const later = prices.reduce((at, price) => stepGuard(at, price).guard, guard);
        expect(joinGuards(guard, later)).toEqual(later);
        expect(joinGuards(later, guard)).toEqual(later);
      }),
    );
  });

  test('keeps the terms of the first, and a trigger of the second', () => {
    const amended = { ...priceGuard('stopLoss', 'long'), terms: { side: 'long', price: decimal('90') } } as Guard;
    const triggered = stepGuard(priceGuard('stopLoss', 'long'), decimal('95')).guard;
    expect(joinGuards(amended, triggered)).toEqual({ ...amended, state: { status: 'triggered' } });
  });

  test('applies an amended distance to the best price that the earlier version has seen', () => {
    const terms = {
      side: 'long',
      by: 'absolute',
      activationPrice: null,
      tickSize: null,
      minimumMovePercent: null,
    } as const;
    const trailing = (distance: string, extreme: string, stopPrice: string): Guard => ({
      kind: 'trailingStop',
      terms: { ...terms, distance: decimal(distance), extremeFrom: 'start' },
      state: { status: 'trailing', extreme: decimal(extreme), stopPrice: decimal(stopPrice) },
    });
    const joined = joinGuards(trailing('1', '100', '99'), trailing('5', '105', '100'));
    expect(joined).toEqual(trailing('1', '105', '104'));
  });

  test('joins no guard with one of another kind', () => {
    const terms = {
      side: 'long',
      by: 'absolute',
      activationPrice: null,
      tickSize: null,
      minimumMovePercent: null,
    } as const;
    const trailing: Guard = {
      kind: 'trailingStop',
      terms: { ...terms, distance: decimal('1'), extremeFrom: 'start' },
      state: { status: 'triggered', extreme: decimal('100'), stopPrice: decimal('99') },
    };
    const guards = [priceGuard('stopLoss', 'long'), priceGuard('takeProfit', 'long'), trailing];
    for (const one of guards) {
      for (const other of guards.filter(({ kind }) => kind !== one.kind)) {
        expect(() => joinGuards(one, other)).toThrow('its own kind');
      }
    }
  });
});
