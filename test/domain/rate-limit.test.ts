import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  costOf,
  countAfter,
  type Lane,
  pacingOf,
  type RatePause,
  resumesAtMs,
  scopesOver,
  shareOf,
  windowStartMs,
  withPause,
} from '../../src/domain/rate-limit.ts';

const limit = { kind: 'orders', windowMs: 10_000, max: 50 } as const;
const lanes: readonly Lane[] = ['exit', 'cancel', 'entry', 'report'];
const aPause = (scope: RatePause['scope'], untilMs: number): RatePause => ({
  scope,
  untilMs,
  reason: scope,
  isBan: false,
});

describe('shares', () => {
  test.each([
    { lane: 'exit', share: null },
    { lane: 'cancel', share: null },
    { lane: 'entry', share: 40 },
    { lane: 'report', share: 30 },
  ] as const)('$lane may see $share of 50 used', ({ lane, share }) => {
    expect(shareOf(limit, lane)).toBe(share);
  });

  test('are rounded down', () => {
    expect(shareOf({ ...limit, max: 6 }, 'entry')).toBe(4);
  });
});

test.each([
  { kind: 'weight', isPlacement: true, cost: 20 },
  { kind: 'requests', isPlacement: false, cost: 1 },
  { kind: 'orders', isPlacement: false, cost: 0 },
  { kind: 'orders', isPlacement: true, cost: 1 },
] as const)('a request costs $cost of $kind (placement: $isPlacement)', ({ kind, isPlacement, cost }) => {
  expect(costOf(kind, { lane: 'entry', weight: 20, isPlacement })).toBe(cost);
});

describe('pacing', () => {
  test('lets a quarter of the share go at once, and the share in a window', () => {
    expect(pacingOf(limit, 'entry')).toEqual({ capacity: 10, ratePerSecond: 4 });
    expect(pacingOf(limit, 'report')).toEqual({ capacity: 7.5, ratePerSecond: 3 });
  });

  test('is for nobody whom our own count does not hold back', () => {
    expect([pacingOf(limit, 'exit'), pacingOf(limit, 'cancel')]).toEqual([null, null]);
  });

  test('lets one request go where the share is tiny', () => {
    expect(pacingOf({ ...limit, max: 2 }, 'entry')).toEqual({ capacity: 1, ratePerSecond: 0.1 });
  });

  test('and what it lets go at once never exceed the limit together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 100_000 }), (max) => {
        const bucket = pacingOf({ ...limit, max }, 'entry');
        const inAnyWindow = (bucket?.capacity ?? 0) + ((bucket?.ratePerSecond ?? 0) * limit.windowMs) / 1000;
        expect(inAnyWindow).toBeLessThanOrEqual(max + 1e-6);
      }),
    );
  });
});

test('windows begin at full multiples', () => {
  expect(windowStartMs(60_000, 1_234_567)).toBe(1_200_000);
  expect(windowStartMs(60_000, 1_200_000)).toBe(1_200_000);
});

describe('pauses', () => {
  test.each([
    { name: 'an exit', lane: 'exit', isPlacement: true, held: ['everything', 'placements'] },
    { name: 'an entry', lane: 'entry', isPlacement: true, held: ['everything', 'placements', 'entries'] },
    { name: 'a cancel', lane: 'cancel', isPlacement: false, held: ['everything'] },
    { name: 'a report', lane: 'report', isPlacement: false, held: ['everything'] },
  ] as const)('$name is held by $held', ({ lane, isPlacement, held }) => {
    const request = { lane, weight: 1, isPlacement };
    expect(scopesOver(request)).toEqual(held);
    for (const scope of ['everything', 'placements', 'entries'] as const) {
      const resumes = resumesAtMs([aPause(scope, 5_000)], request, 1_000);
      expect(resumes !== null).toBe((held as readonly string[]).includes(scope));
    }
  });

  test('the last one to end counts', () => {
    const pauses = [aPause('everything', 5_000), aPause('placements', 9_000), aPause('entries', 7_000)];
    expect(resumesAtMs(pauses, { lane: 'exit', weight: 1, isPlacement: true }, 1_000)).toBe(9_000);
    expect(resumesAtMs(pauses, { lane: 'cancel', weight: 1, isPlacement: false }, 1_000)).toBe(5_000);
  });

  test('end in the order of the lanes', () => {
    const ends = lanes.map((lane) =>
      resumesAtMs([aPause('everything', 5_000)], { lane, weight: 1, isPlacement: false }, 0),
    );
    expect(ends).toEqual([5_000, 5_000, 5_500, 6_000]);
  });

  test('are news only where they last longer than what is known of their scope', () => {
    const known = [aPause('everything', 5_000)];
    expect(withPause(known, aPause('everything', 5_000))).toBeNull();
    expect(withPause(known, aPause('everything', 5_001))).toEqual([aPause('everything', 5_001)]);
    expect(withPause(known, aPause('entries', 1))).toEqual([...known, aPause('entries', 1)]);
  });

  test('hold until the latest of those that were told, in whatever order', () => {
    const told = fc.array(
      fc.record({ scope: fc.constantFrom('everything', 'placements', 'entries' as const), untilMs: fc.nat(10_000) }),
    );
    fc.assert(
      fc.property(told, fc.constantFrom(...lanes), fc.boolean(), (given, lane, isPlacement) => {
        const request = { lane, weight: 1, isPlacement };
        const pauses = given.map(({ scope, untilMs }) => aPause(scope as RatePause['scope'], untilMs));
        const join = (all: readonly RatePause[]) =>
          all.reduce<readonly RatePause[]>((kept, one) => withPause(kept, one) ?? kept, []);
        expect(resumesAtMs(join(pauses), request, -1)).toBe(resumesAtMs(join(pauses.toReversed()), request, -1));
      }),
    );
  });
});

describe('the count after an answer', () => {
  test.each([
    { kind: 'weight', used: 10, cost: 5, reported: null, after: 15 },
    { kind: 'weight', used: 10, cost: 5, reported: 40, after: 40 },
    { kind: 'weight', used: 50, cost: 5, reported: 40, after: 50 },
    { kind: 'orders', used: 5, cost: 1, reported: 2, after: 2 },
    { kind: 'orders', used: 5, cost: 1, reported: null, after: 6 },
    { kind: 'requests', used: 5, cost: 1, reported: null, after: 6 },
  ] as const)('of $kind: $used and $cost, told $reported, is $after', ({ kind, used, cost, reported, after }) => {
    expect(countAfter(kind, used, cost, reported)).toBe(after);
  });
});
