import { type BreakerState, breakerDefaults, closedBreaker, stepBreaker } from '../../src/domain/circuit-breaker.ts';
import { countsAsBreakerFailure, type VenueSignal } from '../../src/domain/outcome.ts';

/** The breaker of a run, which a second count of the same failures watches. */
export type CountedBreaker = {
  /** What the answer makes the breaker do that it should not. */
  count(signal: VenueSignal, nowMs: number): readonly string[];
  status(): BreakerState['status'];
  /** Requests that failed as the breaker counts it. */
  failures(): number;
};

export function countedBreaker(): CountedBreaker {
  let breaker = closedBreaker;
  let failures = 0;
  let recentAtMs: readonly number[] = [];
  return {
    count(signal, nowMs) {
      const isFailure = countsAsBreakerFailure(signal);
      if (isFailure) {
        failures += 1;
        recentAtMs = [...recentAtMs, nowMs].filter((atMs) => nowMs - atMs < breakerDefaults.failureWindowMs);
      }
      const before = breaker;
      breaker = stepBreaker(breakerDefaults, before, { kind: isFailure ? 'failure' : 'success', atMs: nowMs }).state;
      return breakerFaults(
        before,
        breaker,
        recentAtMs.filter((atMs) => nowMs - atMs < breakerDefaults.failureWindowMs),
      );
    },
    status: () => breaker.status,
    failures: () => failures,
  };
}

/** It never opens before the threshold. */
function breakerFaults(before: BreakerState, after: BreakerState, recentAtMs: readonly number[]): readonly string[] {
  const isEarly = recentAtMs.length < breakerDefaults.failureThreshold;
  return before.status === 'CLOSED' && after.status === 'OPEN' && isEarly
    ? [`the breaker opens at ${recentAtMs.length} failures`]
    : [];
}
