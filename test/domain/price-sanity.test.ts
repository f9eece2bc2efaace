import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import { createJumpCheck, isJump, priceJumpMaxPercentDefault } from '../../src/domain/price-sanity.ts';

const d = decimal;

describe('isJump', () => {
  test.each([
    ['nothing', '100', '100', false],
    ['exactly the limit up', '100', '110', false],
    ['exactly the limit down', '100', '90', false],
    ['a tick more than the limit up', '100', '110.00000001', true],
    ['a tick more than the limit down', '100', '89.99999999', true],
    ['a crash by a fifth', '100', '80', true],
    ['ten times', '100', '1000', true],
    ['a decimal shift', '46000', '460', true],
    ['a decimal shift of a small price', '0.00123', '0.000123', true],
    ['a tenth up, and down again by the same amount, of which the way down is less', '110', '100', false],
  ])('finds that %s is one, or not: %s to %s', (_name, from, to, expected) => {
    expect(isJump(d(from), d(to), priceJumpMaxPercentDefault)).toBe(expected);
  });
});

const aPrice = fc.integer({ min: 1, max: 10_000_000 }).map((ticks) => d((ticks / 100).toFixed(2)));
/** From one price to the next by a few percent, with a jump now and then. */
const aWalk = fc.tuple(
  aPrice,
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 93, max: 107 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 1_000 }) },
    ),
    { maxLength: 50 },
  ),
);

test('I15: the check that keeps a band answers as the plain calculation does, wherever the prices have been', () => {
  fc.assert(
    fc.property(aWalk, fc.integer({ min: 1, max: 90 }), ([start, steps], percent) => {
      const limit = d(String(percent));
      const check = createJumpCheck(limit);
      let from: Decimal = start;
      for (const step of steps) {
        const to = d(((Number(from) * step) / 100 + 0.01).toFixed(2));
        const expected = isJump(from, to, limit);
        expect({ from, to, isJump: check(from, to) }).toEqual({ from, to, isJump: expected });
        // A suspect is not taken over as the last price.
        if (!expected) from = to;
      }
    }),
    { numRuns: 500 },
  );
});
