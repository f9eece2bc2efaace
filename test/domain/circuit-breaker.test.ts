import { describe, expect, test } from 'vitest';
import {
  admitsEntry,
  type BreakerEvent,
  type BreakerSettings,
  type BreakerState,
  type BreakerStep,
  breakerAt,
  breakerDefaults,
  breakerReadingAt,
  closedBreaker,
  failuresInWindow,
  foldOutcomes,
  nextTransitionAtMs,
  stepBreaker,
} from '../../src/domain/circuit-breaker.ts';
import { fail, settings, tick } from './any-breaker.ts';

const succeed = (...atMs: number[]): BreakerEvent[] => atMs.map((at) => ({ kind: 'success', atMs: at }));
const reset = (atMs: number): BreakerEvent[] => [{ kind: 'reset', atMs }];

const fold = (events: readonly BreakerEvent[], changed: Partial<BreakerSettings> = {}): BreakerStep =>
  foldOutcomes({ ...settings, ...changed }, closedBreaker, events);

describe('the circuit breaker', () => {
  test.each<{
    name: string;
    given: BreakerEvent[];
    changed?: Partial<BreakerSettings>;
    expected: Partial<BreakerState>;
  }>([
    {
      name: 'stays CLOSED below the threshold',
      given: fail(0, 1),
      expected: { status: 'CLOSED', failuresAtMs: [0, 1] },
    },
    { name: 'opens at the threshold', given: fail(0, 1, 2), expected: { status: 'OPEN', openedAtMs: 2 } },
    {
      name: 'does not count a failure exactly one window old',
      given: fail(0, 50, 100),
      expected: { status: 'CLOSED' },
    },
    { name: 'counts a failure a moment younger', given: fail(1, 50, 100), expected: { status: 'OPEN' } },
    {
      name: 'counts a failure exactly one window old where the boundary is inclusive',
      given: fail(0, 50, 100),
      changed: { windowBoundary: 'inclusive' },
      expected: { status: 'OPEN' },
    },
    {
      name: 'does not count an older one there either',
      given: fail(0, 50, 101),
      changed: { windowBoundary: 'inclusive' },
      expected: { status: 'CLOSED' },
    },
    {
      name: 'forgets nothing on a success while CLOSED',
      given: [...fail(0, 1), ...succeed(2), ...fail(3)],
      expected: { status: 'OPEN' },
    },
    {
      name: 'is not extended by a failure while OPEN',
      given: [...fail(0, 1, 2, 400), ...tick(502)],
      expected: { status: 'HALF_OPEN', openedAtMs: 2 },
    },
    {
      name: 'is not shortened by a success while OPEN',
      given: [...fail(0, 1, 2), ...succeed(3, 4), ...tick(501)],
      expected: { status: 'OPEN', halfOpenSuccesses: 0 },
    },
    {
      name: 'is OPEN a moment before the timeout',
      given: [...fail(0, 1, 2), ...tick(501)],
      expected: { status: 'OPEN' },
    },
    { name: 'is HALF_OPEN at the timeout', given: [...fail(0, 1, 2), ...tick(502)], expected: { status: 'HALF_OPEN' } },
    {
      name: 'stays OPEN for the dwell time where that is longer',
      given: [...fail(0, 1, 2), ...tick(701)],
      changed: { dwellMs: 700 },
      expected: { status: 'OPEN' },
    },
    {
      name: 'counts a success of a probe',
      given: [...fail(0, 1, 2), ...succeed(600)],
      expected: { status: 'HALF_OPEN', halfOpenSuccesses: 1 },
    },
    {
      name: 'closes and forgets at as many successes as there are probes',
      given: [...fail(0, 1, 2), ...succeed(600, 601)],
      expected: closedBreaker,
    },
    {
      name: 'opens anew at the first failure while HALF_OPEN, and forgets the successes',
      given: [...fail(0, 1, 2), ...succeed(600), ...fail(610)],
      expected: { status: 'OPEN', openedAtMs: 610, halfOpenSuccesses: 0 },
    },
    {
      name: 'opens anew by a failure at the very moment it is HALF_OPEN',
      given: [...fail(0, 1, 2), ...fail(502)],
      expected: { status: 'OPEN', openedAtMs: 502 },
    },
    {
      name: 'has its full time OPEN again then',
      given: [...fail(0, 1, 2, 610), ...tick(1109)],
      expected: { status: 'OPEN', openedAtMs: 610 },
    },
    {
      name: 'leaves reports of the open period that are heard late to that period',
      given: [...fail(0, 1, 2), ...tick(600), ...fail(300), ...succeed(301)],
      expected: { status: 'HALF_OPEN', openedAtMs: 2, halfOpenSuccesses: 0 },
    },
    {
      name: 'closes and forgets on a reset while OPEN',
      given: [...fail(0, 1, 2), ...reset(3)],
      expected: closedBreaker,
    },
    {
      name: 'closes and forgets on a reset while HALF_OPEN',
      given: [...fail(0, 1, 2), ...succeed(600), ...reset(601)],
      expected: closedBreaker,
    },
    {
      name: 'forgets on a reset while CLOSED',
      given: [...fail(0, 1), ...reset(2), ...fail(3)],
      expected: { status: 'CLOSED' },
    },
    {
      name: 'keeps no more failures than can matter',
      given: fail(0, 1, 2, 3, 4, 5, 6),
      expected: { status: 'OPEN', openedAtMs: 2, failuresAtMs: [4, 5, 6] },
    },
    {
      name: 'opens at the first failure where one is enough',
      given: fail(7),
      changed: { failureThreshold: 1 },
      expected: { status: 'OPEN' },
    },
  ])('$name', ({ given, changed = {}, expected }) => {
    expect(fold(given, changed).state).toMatchObject(expected);
  });

  test('tells each transition once, with its cause, its count and the moment it became true', () => {
    const { transitions } = fold([
      ...fail(0, 1, 2, 3),
      ...fail(600),
      ...succeed(1_200, 1_201),
      ...fail(1_300, 1_301, 1_302),
      ...reset(1_310),
    ]);
    expect(transitions).toEqual([
      { from: 'CLOSED', to: 'OPEN', cause: 'threshold', count: 3, atMs: 2 },
      { from: 'OPEN', to: 'HALF_OPEN', cause: 'timeout', count: 3, atMs: 502 },
      { from: 'HALF_OPEN', to: 'OPEN', cause: 'probe-failed', count: 1, atMs: 600 },
      { from: 'OPEN', to: 'HALF_OPEN', cause: 'timeout', count: 1, atMs: 1_100 },
      { from: 'HALF_OPEN', to: 'CLOSED', cause: 'probes-succeeded', count: 2, atMs: 1_201 },
      { from: 'CLOSED', to: 'OPEN', cause: 'threshold', count: 3, atMs: 1_302 },
      { from: 'OPEN', to: 'CLOSED', cause: 'reset', count: 3, atMs: 1_310 },
    ]);
  });

  test('says when it changes by itself, and then does', () => {
    const { state } = fold(fail(0, 1, 2));
    expect(nextTransitionAtMs(settings, state)).toBe(502);
    expect(breakerAt(settings, state, 501).status).toBe('OPEN');
    expect(breakerAt(settings, state, 502).status).toBe('HALF_OPEN');
    expect(nextTransitionAtMs(settings, breakerAt(settings, state, 502))).toBeNull();
    expect(nextTransitionAtMs(settings, closedBreaker)).toBeNull();
  });

  test('counts the failures of the window that ends now', () => {
    const { state } = fold(fail(0, 60));
    expect([60, 99, 100, 159, 160].map((atMs) => failuresInWindow(settings, state, atMs))).toEqual([2, 2, 1, 1, 0]);
  });

  test('has the documented defaults', () => {
    expect(breakerDefaults).toEqual({
      failureThreshold: 5,
      failureWindowMs: 60_000,
      openTimeoutMs: 300_000,
      halfOpenProbesMax: 3,
      windowBoundary: 'exclusive',
      dwellMs: 0,
      probeTimeoutMs: 30_000,
    });
  });

  test('refuses to run without a threshold', () => {
    expect(() => fold(fail(0), { failureThreshold: 0 })).toThrow('a threshold is at least one');
  });

  test('refuses an event it does not know', () => {
    expect(() => stepBreaker(settings, closedBreaker, { kind: 'wish', atMs: 0 } as never)).toThrow(
      'every case is handled',
    );
  });
});

describe('what the gate sees of it', () => {
  const open = fold(fail(0, 1, 2)).state;
  const oneSuccess = fold([...fail(0, 1, 2), ...succeed(600)]).state;
  const halfOpenAtMs = 502;

  test.each([
    { name: 'CLOSED admits', state: closedBreaker, nowMs: 5, probes: [], admits: true, probesLeft: 0 },
    { name: 'OPEN does not', state: open, nowMs: 501, probes: [], admits: false, probesLeft: 0 },
    { name: 'HALF_OPEN admits its probes', state: open, nowMs: 502, probes: [], admits: true, probesLeft: 2 },
    {
      name: 'a probe that is out takes a place',
      state: open,
      nowMs: 600,
      probes: [{ halfOpenAtMs }],
      admits: true,
      probesLeft: 1,
    },
    {
      name: 'a success takes one too',
      state: oneSuccess,
      nowMs: 700,
      probes: [{ halfOpenAtMs }],
      admits: false,
      probesLeft: 0,
    },
    {
      name: 'more than all of them is still none left',
      state: oneSuccess,
      nowMs: 700,
      probes: [{ halfOpenAtMs }, { halfOpenAtMs }],
      admits: false,
      probesLeft: 0,
    },
    {
      name: 'a probe of an earlier period takes none',
      state: open,
      nowMs: 600,
      probes: [{ halfOpenAtMs: 1 }],
      admits: true,
      probesLeft: 2,
    },
  ])('$name', ({ state, nowMs, probes, admits, probesLeft }) => {
    const reading = breakerReadingAt(settings, state, nowMs, probes);
    expect({ admits: admitsEntry(reading), probesLeft: reading.probesLeft }).toEqual({ admits, probesLeft });
  });

  test('names the period of a probe and its end while HALF_OPEN, and the next transition while OPEN', () => {
    expect(breakerReadingAt(settings, open, 600, [])).toMatchObject({
      state: 'HALF_OPEN',
      probe: { halfOpenAtMs, expiresAtMs: 1_600 },
      nextTransitionAtMs: null,
    });
    expect(breakerReadingAt({ ...settings, probeTimeoutMs: 7 }, open, 600, []).probe?.expiresAtMs).toBe(607);
    expect(breakerReadingAt(settings, open, 10, [])).toMatchObject({
      state: 'OPEN',
      probe: null,
      nextTransitionAtMs: 502,
    });
  });
});
