import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partsOf, planOf } from './orders-parts.ts';
import { drawOrders } from './orders-plan.ts';
import { shrink } from './shrink.ts';

describe('what failed is made small', () => {
  test('to the parts that it takes together, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 4 }), async (guilty) => {
        const parts = Array.from({ length: 31 }, (_, i) => i);
        const kept = await shrink(parts, async (some) => guilty.every((part) => some.includes(part)));
        expect([...kept].sort()).toEqual([...guilty].sort());
      }),
    );
  });

  test('with a limit on the runs that it takes', async () => {
    let asked = 0;
    await shrink(
      Array.from({ length: 100 }, (_, i) => i),
      async () => {
        asked += 1;
        return false;
      },
      20,
    );
    expect(asked).toBe(20);
  });
});

describe('a plan of the order path', () => {
  test('is the same each time that its seed is drawn', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(drawOrders(seed)).toEqual(drawOrders(seed));
      }),
    );
  });

  test('is the sum of its parts, and JSON', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const plan = drawOrders(seed);
        expect(planOf(plan, partsOf(plan))).toEqual(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
        expect(partsOf(planOf(plan, []))).toEqual([]);
      }),
    );
  });
});
