import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BreakerEvent, breakerDefaults, closedBreaker, foldOutcomes } from '../../src/domain/circuit-breaker.ts';

// A breaker that looked at prices could trip on a stale one. It looks at what the venue did, and when.
test('F80: what trips the breaker is the kind and the time of an outcome, and nothing that is carried beside it', () => {
  const event = fc.record({
    kind: fc.constantFrom<BreakerEvent['kind']>('failure', 'success', 'tick'),
    atMs: fc.integer({ min: 0, max: 600_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.string(), (events, price) => {
      const carrying = events.map((each) => ({ ...each, price, lossInQuote: price }));
      expect(foldOutcomes(breakerDefaults, closedBreaker, carrying)).toEqual(
        foldOutcomes(breakerDefaults, closedBreaker, events),
      );
    }),
  );
});

test('F80: for any outcomes, between two openings the breaker was half open or closed', () => {
  const event = fc.record({
    kind: fc.constantFrom<BreakerEvent['kind']>('failure', 'failure', 'success', 'tick'),
    atMs: fc.integer({ min: 0, max: 2_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const { transitions } = foldOutcomes(breakerDefaults, closedBreaker, events);
      const openings = transitions.map(({ to }) => to);
      expect(openings.some((to, n) => to === 'OPEN' && openings[n - 1] === 'OPEN')).toBe(false);
    }),
  );
});
