import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BreakerEvent,
  type BreakerSettings,
  type BreakerStep,
  breakerAt,
  closedBreaker,
  foldOutcomes,
  nextTransitionAtMs,
  stepBreaker,
} from '../../src/domain/circuit-breaker.ts';
import { fail, settings, tick } from './any-breaker.ts';

describe('the circuit breaker, for any events', () => {
  const someSettings = fc.record({
    failureThreshold: fc.integer({ min: 1, max: 4 }),
    failureWindowMs: fc.integer({ min: 1, max: 30 }),
    openTimeoutMs: fc.integer({ min: 1, max: 60 }),
    halfOpenProbesMax: fc.integer({ min: 1, max: 3 }),
    windowBoundary: fc.constantFrom<BreakerSettings['windowBoundary']>('exclusive', 'inclusive'),
    dwellMs: fc.integer({ min: 0, max: 80 }),
    probeTimeoutMs: fc.constant(1_000),
  });
  const kind = fc.constantFrom<BreakerEvent['kind']>(
    'failure',
    'failure',
    'failure',
    'success',
    'success',
    'tick',
    'reset',
  );
  const inAnyOrder = fc.array(fc.record({ kind, atMs: fc.integer({ min: 0, max: 400 }) }), { maxLength: 40 });
  const inOrder = fc
    .array(fc.record({ kind, sinceMs: fc.integer({ min: 0, max: 40 }) }), { maxLength: 40 })
    .map((steps) => {
      let atMs = 0;
      return steps.map(({ kind: what, sinceMs }): BreakerEvent => {
        atMs += sinceMs;
        return { kind: what, atMs };
      });
    });

  const documented = new Set([
    'CLOSED OPEN threshold',
    'OPEN HALF_OPEN timeout',
    'HALF_OPEN OPEN probe-failed',
    'HALF_OPEN CLOSED probes-succeeded',
    'OPEN CLOSED reset',
    'HALF_OPEN CLOSED reset',
  ]);

  test('only the documented transitions happen, and they join up', () => {
    fc.assert(
      fc.property(someSettings, inAnyOrder, (anySettings, events) => {
        const { state, transitions } = foldOutcomes(anySettings, closedBreaker, events);
        let status = 'CLOSED';
        for (const { from, to, cause } of transitions) {
          expect(from).toBe(status);
          expect(documented).toContain(`${from} ${to} ${cause}`);
          status = to;
        }
        expect(state.status).toBe(status);
      }),
    );
  });

  test('the state stays small and whole', () => {
    fc.assert(
      fc.property(someSettings, inAnyOrder, (anySettings, events) => {
        const { state } = foldOutcomes(anySettings, closedBreaker, events);
        expect(state.failuresAtMs.length).toBeLessThanOrEqual(anySettings.failureThreshold);
        expect(state.failuresAtMs).toEqual([...state.failuresAtMs].sort((a, b) => a - b));
        expect(state.halfOpenSuccesses).toBeLessThan(anySettings.halfOpenProbesMax);
        expect(state.openedAtMs === null).toBe(state.status === 'CLOSED');
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
    );
  });

  test('folding in two parts is folding at once', () => {
    fc.assert(
      fc.property(someSettings, inAnyOrder, fc.nat(40), (anySettings, events, cut) => {
        const first = foldOutcomes(anySettings, closedBreaker, events.slice(0, cut));
        const second = foldOutcomes(anySettings, first.state, events.slice(cut));
        expect({ state: second.state, transitions: [...first.transitions, ...second.transitions] }).toEqual(
          foldOutcomes(anySettings, closedBreaker, events),
        );
      }),
    );
  });

  test('a breaker that a timer wakes and one that is only asked agree', () => {
    const wokenByTimer = (anySettings: BreakerSettings, events: readonly BreakerEvent[]): BreakerStep => {
      let state = closedBreaker;
      const transitions = [];
      for (const event of events) {
        const dueAtMs = nextTransitionAtMs(anySettings, state);
        const woken = dueAtMs !== null && dueAtMs <= event.atMs ? [...tick(dueAtMs), event] : [event];
        const step = foldOutcomes(anySettings, state, woken);
        state = step.state;
        transitions.push(...step.transitions);
      }
      return { state, transitions };
    };
    fc.assert(
      fc.property(someSettings, inOrder, (anySettings, events) => {
        expect(wokenByTimer(anySettings, events)).toEqual(foldOutcomes(anySettings, closedBreaker, events));
      }),
    );
  });

  test('asking changes nothing that a later look would not see', () => {
    fc.assert(
      fc.property(someSettings, inOrder, fc.nat(500), fc.nat(500), (anySettings, events, sooner, more) => {
        const { state } = foldOutcomes(anySettings, closedBreaker, events);
        const later = breakerAt(anySettings, state, sooner + more);
        expect(breakerAt(anySettings, breakerAt(anySettings, state, sooner), sooner + more)).toEqual(later);
      }),
    );
  });

  test('reports while OPEN change nothing but the window', () => {
    fc.assert(
      fc.property(
        someSettings,
        inAnyOrder,
        fc.constantFrom<BreakerEvent['kind']>('failure', 'success'),
        fc.nat(400),
        (anySettings, events, what, atMs) => {
          const { state } = foldOutcomes(anySettings, closedBreaker, events);
          fc.pre(state.status === 'OPEN' && breakerAt(anySettings, state, atMs).status === 'OPEN');
          const next = stepBreaker(anySettings, state, { kind: what, atMs });
          expect(next.transitions).toEqual([]);
          expect({ ...next.state, failuresAtMs: [] }).toEqual({ ...state, failuresAtMs: [] });
        },
      ),
    );
  });

  test('which of several failures is heard first does not matter while CLOSED', () => {
    const failures = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(failures, fc.infiniteStream(fc.nat(100)), (times, dice) => {
        const roomy = { ...settings, failureThreshold: 9 };
        const shuffled = times.map((atMs) => ({ atMs, key: dice.next().value })).sort((a, b) => a.key - b.key);
        const heard = foldOutcomes(
          roomy,
          closedBreaker,
          shuffled.flatMap(({ atMs }) => fail(atMs)),
        );
        expect(heard).toEqual(foldOutcomes(roomy, closedBreaker, fail(...times)));
      }),
    );
  });
});
