import { describe, expect, test } from 'vitest';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import { anEntry, aSnapshot, decide, deniedBy, saidBy, withLimits } from './fixtures.ts';

const recent = (changed: object) => aSnapshot({ recent: { identical: 0, entries: 0, ...changed } });

describe('F81: the throttle of a strategy that repeats itself', () => {
  test.each([
    { name: 'lets the 300th in a minute pass', identical: 299, denied: [] },
    { name: 'switches the strategy off at the 301st', identical: 300, denied: ['repeated_entries'] },
  ])('$name', ({ identical, denied }) => {
    expect(deniedBy(decide(anEntry(), recent({ identical })))).toEqual(denied);
  });

  test('follows the limits file', () => {
    const limits = withLimits({ options: { throttle: { identicalMax: 2, windowMs: 1_000 } } });
    expect(deniedBy(decide(anEntry(), recent({ identical: 1 }), limits))).toEqual([]);
    const verdict = decide(anEntry(), recent({ identical: 2 }), limits);
    expect(saidBy('repeated_entries', verdict)).toMatchObject({
      code: 'STRATEGY_THROTTLED',
      current: '2',
      wouldBe: '3',
      limit: '2',
      allowed: false,
    });
  });
});

describe('the rate of entries of an account', () => {
  test.each([
    { entries: 599, denied: [] },
    { entries: 600, denied: ['entry_rate'] },
  ])('with $entries in the last minute denies $denied', ({ entries, denied }) => {
    expect(deniedBy(decide(anEntry(), recent({ entries })))).toEqual(denied);
  });

  test('follows the limits file', () => {
    const limits = withLimits({ options: { entryRate: { entriesMax: 1, windowMs: 1_000 } } });
    expect(deniedBy(decide(anEntry(), recent({ entries: 1 }), limits))).toEqual(['entry_rate']);
  });
});

test('what was sent lately and can not be read denies', () => {
  expect(deniedBy(decide(anEntry(), aSnapshot({ recent: null }), paperLimits))).toEqual([
    'repeated_entries',
    'entry_rate',
  ]);
});

test.each(['WORKER_LAGGING', 'HALT_NOT_IMPORTED'] as const)(
  'F82: a process with the brake %s denies with its code',
  (code) => {
    const verdict = decide(anEntry(), aSnapshot({ brake: { code, note: 'as it says' } }));
    expect(saidBy('entry_brake', verdict)).toMatchObject({ code, note: 'as it says', allowed: false });
  },
);
