import {
  admitsEntry,
  type BreakerEvent,
  type BreakerSettings,
  type BreakerState,
  breakerAt,
  breakerDefaults,
  breakerReadingAt,
  closedBreaker,
  failuresInWindow,
  foldOutcomes,
  stepBreaker,
} from '../../src/domain/circuit-breaker.ts';
import type { Adapter, Inputs, Values } from './adapter.ts';

const milliseconds = (seconds: unknown): number => Math.round(Number(seconds) * 1_000);

const settingsOf = (params: Values): BreakerSettings => ({
  ...breakerDefaults,
  failureThreshold: Number(params['failure_threshold']),
  failureWindowMs: milliseconds(params['failure_window_secs']),
  openTimeoutMs: milliseconds(params['open_timeout_secs']),
  halfOpenProbesMax: Number(params['half_open_max_tries']),
  windowBoundary: 'exclusive',
});

const kinds: Readonly<Record<string, BreakerEvent['kind']>> = { ask: 'tick', ok: 'success', fail: 'failure' };

function replay({ params, steps }: Inputs): unknown {
  const settings = settingsOf(params);
  let state = closedBreaker;
  let atMs = 0;
  return steps.map((step) => {
    atMs = step['t'] === undefined ? atMs : milliseconds(step['t']);
    state = stepBreaker(settings, state, { kind: kinds[String(step['op'])] ?? 'tick', atMs }).state;
    const reading = breakerReadingAt(settings, state, atMs, []);
    return { state: reading.state, allowed: admitsEntry(reading) };
  });
}

/** Brings a breaker into a state by what happens to it, not by writing the state down. */
function broughtInto(status: unknown): BreakerState {
  const failure: BreakerEvent = { kind: 'failure', atMs: 0 };
  if (status === 'CLOSED') return stepBreaker(breakerDefaults, closedBreaker, failure).state;
  const failures = Array.from({ length: breakerDefaults.failureThreshold }, () => failure);
  const { state } = foldOutcomes(breakerDefaults, closedBreaker, failures);
  return status === 'HALF_OPEN' ? breakerAt(breakerDefaults, state, breakerDefaults.openTimeoutMs) : state;
}

function reset({ params }: Inputs): unknown {
  const atMs = breakerDefaults.openTimeoutMs;
  const { state } = stepBreaker(breakerDefaults, broughtInto(params['state']), { kind: 'reset', atMs });
  return {
    state: state.status,
    failures: failuresInWindow(breakerDefaults, state, atMs),
    opened_at: state.openedAtMs,
    half_open_tries: state.halfOpenSuccesses,
  };
}

const defaults = (): unknown => ({
  failure_threshold: breakerDefaults.failureThreshold,
  failure_window_secs: breakerDefaults.failureWindowMs / 1_000,
  open_timeout_secs: breakerDefaults.openTimeoutMs / 1_000,
  half_open_timeout_secs: breakerDefaults.probeTimeoutMs / 1_000,
  half_open_max_tries: breakerDefaults.halfOpenProbesMax,
});

export const adapter: Adapter = { offered: { main: replay, reset, defaults } };
