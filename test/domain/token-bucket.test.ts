import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BucketLevel,
  bucketOf,
  fullBucket,
  type TokenBucket,
  takeFromAll,
  takeTokens,
} from '../../src/domain/token-bucket.ts';

const bucket: TokenBucket = { capacity: 100, ratePerSecond: 10 };
const level = (tokens: number, atMs = 0): BucketLevel => ({ tokens, atMs });

describe('takeTokens', () => {
  test.each([
    { name: 'takes what is there', from: 100, cost: 60, nowMs: 0, outcome: 'taken', tokens: 40 },
    { name: 'takes the last one', from: 60, cost: 60, nowMs: 0, outcome: 'taken', tokens: 0 },
    { name: 'removes nothing where it is short', from: 59, cost: 60, nowMs: 0, outcome: 'short', tokens: 59 },
    { name: 'counts what has been gained since', from: 59, cost: 60, nowMs: 100, outcome: 'taken', tokens: 0 },
    { name: 'gains nothing beyond its capacity', from: 99, cost: 0, nowMs: 60_000, outcome: 'taken', tokens: 100 },
    { name: 'gains nothing when the clock goes back', from: 5, cost: 0, nowMs: -60_000, outcome: 'taken', tokens: 5 },
    {
      name: 'can not give what it can not hold',
      from: 100,
      cost: 101,
      nowMs: 0,
      outcome: 'exceedsCapacity',
      tokens: 100,
    },
  ])('$name', ({ from, cost, nowMs, outcome, tokens }) => {
    const taken = takeTokens({ bucket, level: level(from), cost }, nowMs);
    expect(taken.outcome).toBe(outcome);
    expect(taken.level.tokens).toBeCloseTo(tokens, 9);
  });

  test('says how long until there are enough', () => {
    expect(takeTokens({ bucket, level: level(20), cost: 50 }, 0)).toMatchObject({ outcome: 'short', waitMs: 3000 });
  });

  test('never gives more in any stretch of time than its capacity and what it gains in that time', () => {
    const steps = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 3000 }), cost: fc.integer({ min: 0, max: 40 }) }),
      {
        minLength: 1,
        maxLength: 100,
      },
    );
    fc.assert(
      fc.property(steps, (sequence) => {
        let nowMs = 0;
        let now = fullBucket(bucket, 0);
        const taken: { readonly atMs: number; readonly cost: number }[] = [];
        for (const { afterMs, cost } of sequence) {
          nowMs += afterMs;
          const next = takeTokens({ bucket, level: now, cost }, nowMs);
          now = next.level;
          expect(now.tokens).toBeGreaterThanOrEqual(0);
          if (next.outcome === 'taken') taken.push({ atMs: nowMs, cost });
        }
        for (const [first, { atMs }] of taken.entries()) {
          let given = 0;
          for (const { atMs: untilMs, cost } of taken.slice(first)) {
            given += cost;
            expect(given).toBeLessThanOrEqual(
              bucket.capacity + ((untilMs - atMs) * bucket.ratePerSecond) / 1000 + 1e-6,
            );
          }
        }
      }),
    );
  });

  test('gives after the wait that it named', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 100 }), (tokens, cost) => {
        const taken = takeTokens({ bucket, level: level(tokens), cost }, 0);
        if (taken.outcome !== 'short') return;
        const later = takeTokens({ bucket, level: taken.level, cost }, Math.ceil(taken.waitMs));
        expect(later.outcome).toBe('taken');
      }),
    );
  });
});

describe('takeFromAll', () => {
  const ip = { bucket: { capacity: 1200, ratePerSecond: 20 }, level: level(1200), cost: 50 };
  const orders = { bucket: { capacity: 1, ratePerSecond: 2 }, level: level(1), cost: 1 };

  test('takes from every bucket', () => {
    expect(takeFromAll([ip, orders], 0)).toEqual({ outcome: 'taken', levels: [level(1150), level(0)], waitMs: 0 });
  });

  test('takes from none where one is short, and waits for the slowest', () => {
    const empty = { ...orders, level: level(0) };
    const slow = { ...ip, level: level(10) };
    expect(takeFromAll([ip, empty], 0)).toEqual({ outcome: 'short', levels: [level(1200), level(0)], waitMs: 500 });
    expect(takeFromAll([slow, empty], 0)).toMatchObject({ outcome: 'short', waitMs: 2000 });
  });

  test('says where no wait helps', () => {
    expect(takeFromAll([{ ...ip, cost: 1201 }, orders], 0)).toMatchObject({
      outcome: 'exceedsCapacity',
      levels: [level(1200), level(1)],
    });
  });

  test('takes from all or from none, whatever is asked', () => {
    const charge = fc.record({
      bucket: fc.record({ capacity: fc.integer({ min: 1, max: 50 }), ratePerSecond: fc.integer({ min: 1, max: 20 }) }),
      tokens: fc.integer({ min: 0, max: 50 }),
      cost: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(charge, { minLength: 1, maxLength: 4 }), (wanted) => {
        const charges = wanted.map(({ tokens, ...rest }) => ({
          ...rest,
          level: level(Math.min(tokens, rest.bucket.capacity)),
        }));
        const { outcome, levels } = takeFromAll(charges, 0);
        const expected = charges.map((each) => each.level.tokens - (outcome === 'taken' ? each.cost : 0));
        expect(levels.map(({ tokens }) => tokens)).toEqual(expected);
        expect(Math.min(...expected)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test('a name has a bucket of its own or the usual one', () => {
  const named = { usual: bucket, own: { place_order: { capacity: 5, ratePerSecond: 5 } } };
  expect(bucketOf('place_order', named).capacity).toBe(5);
  expect(bucketOf('cancel_order', named)).toBe(bucket);
});
