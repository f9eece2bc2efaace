import type { BreakerEvent, BreakerSettings } from '../../src/domain/circuit-breaker.ts';

export const settings: BreakerSettings = {
  failureThreshold: 3,
  failureWindowMs: 100,
  openTimeoutMs: 500,
  halfOpenProbesMax: 2,
  windowBoundary: 'exclusive',
  dwellMs: 0,
  probeTimeoutMs: 1_000,
};

export const fail = (...atMs: number[]): BreakerEvent[] => atMs.map((at) => ({ kind: 'failure', atMs: at }));
export const tick = (atMs: number): BreakerEvent[] => [{ kind: 'tick', atMs }];
