import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, isRetryable, jitteredMs, reconnectDelaysMs } from '../../src/domain/backoff.ts';

test.each([
  [0, 200],
  [1, 400],
  [5, 6_400],
  [6, 8_000],
  [2_000, 8_000],
])('attempt %i waits %i ms', (attempt, expected) => {
  expect(backoffMs({ baseMs: 200, capMs: 8_000, factor: 2, attempt })).toBe(expected);
});

test('reconnects after 1, 2, 4, 8, 16 seconds', () => {
  expect(reconnectDelaysMs(5)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  expect(reconnectDelaysMs(0)).toEqual([]);
});

test('a jittered wait lies between nothing and the whole of it', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (delayMs, random) => {
      const waitMs = jitteredMs(delayMs, random);
      expect(waitMs >= 0 && waitMs <= delayMs).toBe(true);
    }),
  );
});

describe('isRetryable', () => {
  test.each([
    [429, true],
    [500, true],
    [503, true],
    [504, true],
    [400, false],
    [401, false],
    [404, false],
    [418, false],
    [200, false],
  ])('an answer with status %i: %s', (status, expected) => {
    expect(isRetryable({ kind: 'http', status })).toBe(expected);
  });

  test('the network can come back', () => {
    expect(isRetryable({ kind: 'transport', failure: 'timeout', firstByteSent: true })).toBe(true);
  });

  test('what is not understood does not', () => {
    expect(isRetryable({ kind: 'unknown' })).toBe(false);
  });
});
