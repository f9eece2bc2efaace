import { invariant, unreachable } from './invariant.ts';

/** In capitals, as the pattern's own words: CLOSED lets entries through, OPEN holds them back, HALF_OPEN tries a few. */
type BreakerStatus = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export type BreakerSettings = {
  /** As many failures within the window open it. */
  readonly failureThreshold: number;
  readonly failureWindowMs: number;
  /** How long it stays OPEN before it lets probes through. */
  readonly openTimeoutMs: number;
  /** Probes that may be out while HALF_OPEN; as many successes close it. */
  readonly halfOpenProbesMax: number;
  /** Whether a failure that is exactly one window old still counts (`inclusive`) or not. */
  readonly windowBoundary: 'exclusive' | 'inclusive';
  /** It never stays OPEN for less than this, however short the timeout. */
  readonly dwellMs: number;
  /** A probe that has not reported after this gives its place to another. */
  readonly probeTimeoutMs: number;
};

export const breakerDefaults: BreakerSettings = {
  failureThreshold: 5,
  failureWindowMs: 60_000,
  openTimeoutMs: 300_000,
  halfOpenProbesMax: 3,
  windowBoundary: 'exclusive',
  dwellMs: 0,
  probeTimeoutMs: 30_000,
};

/** Small and plain JSON. `openedAtMs` is kept while HALF_OPEN and cleared by closing. */
export type BreakerState = {
  readonly status: BreakerStatus;
  /** The newest failures, oldest first, never more than the threshold: more can't change a decision. */
  readonly failuresAtMs: readonly number[];
  readonly openedAtMs: number | null;
  readonly halfOpenSuccesses: number;
};

/** `tick` says that time has passed, `reset` is an operator's. A stored outcome has the same form. */
export type BreakerEvent = { readonly kind: 'failure' | 'success' | 'tick' | 'reset'; readonly atMs: number };

export type BreakerTransition = {
  readonly from: BreakerStatus;
  readonly to: BreakerStatus;
  readonly cause: 'threshold' | 'timeout' | 'probe-failed' | 'probes-succeeded' | 'reset';
  /** Failures in the window as last reported, or successful probes where these are the cause. */
  readonly count: number;
  /** When it became true, which may be before anybody looked. */
  readonly atMs: number;
};

/** `transitions` is in order: an event long after the timeout finds the breaker HALF_OPEN first. */
export type BreakerStep = { readonly state: BreakerState; readonly transitions: readonly BreakerTransition[] };

/** The breaker as the gate sees it. */
export type BreakerReading = {
  readonly state: BreakerStatus;
  /** How many more entries may go out as probes; zero unless HALF_OPEN. */
  readonly probesLeft: number;
  /** What an entry that goes out now as a probe is reserved with: its period and its end. Null unless HALF_OPEN. */
  readonly probe: { readonly halfOpenAtMs: number; readonly expiresAtMs: number } | null;
  readonly nextTransitionAtMs: number | null;
};

export const closedBreaker: BreakerState = {
  status: 'CLOSED',
  failuresAtMs: [],
  openedAtMs: null,
  halfOpenSuccesses: 0,
};

/** The breaker after one event. Time only moves what it must: a late report never moves it back. */
export function stepBreaker(settings: BreakerSettings, state: BreakerState, event: BreakerEvent): BreakerStep {
  const { state: present, transitions } = passTime(settings, state, event.atMs);
  const step = applyEvent(settings, present, event);
  return { state: step.state, transitions: [...transitions, ...step.transitions] };
}

/** All events in order. Folding them in parts comes to the same: the gate and the workflow may each fold theirs. */
export function foldOutcomes(
  settings: BreakerSettings,
  state: BreakerState,
  events: readonly BreakerEvent[],
): BreakerStep {
  const transitions: BreakerTransition[] = [];
  let present = state;
  for (const event of events) {
    const step = stepBreaker(settings, present, event);
    present = step.state;
    transitions.push(...step.transitions);
  }
  return { state: present, transitions };
}

/** The breaker as it stands at `nowMs` without an event: OPEN becomes HALF_OPEN by itself. */
export const breakerAt = (settings: BreakerSettings, state: BreakerState, nowMs: number): BreakerState =>
  passTime(settings, state, nowMs).state;

/**
 * The breaker with the outcomes that its lifecycle has not folded yet, so that whoever reads it never sees OPEN late.
 * `state` is null where nothing was ever written.
 */
export const breakerWith = (
  settings: BreakerSettings,
  { state, unapplied }: { readonly state: BreakerState | null; readonly unapplied: readonly BreakerEvent[] },
): BreakerState => foldOutcomes(settings, state ?? closedBreaker, unapplied).state;

/** When the state changes by itself, for a timer; null = only by an event. */
export const nextTransitionAtMs = (settings: BreakerSettings, state: BreakerState): number | null =>
  state.status === 'OPEN' ? halfOpenAtMs(settings, state) : null;

/** Failures that count at `nowMs`. */
export const failuresInWindow = (settings: BreakerSettings, { failuresAtMs }: BreakerState, nowMs: number): number =>
  failuresAtMs.filter((failureAtMs) => isInWindow(settings, failureAtMs, nowMs)).length;

/**
 * What the gate needs of it. `probes` are the entries that were let through and have neither reported nor expired; those
 * of an earlier period HALF_OPEN take up no room in this one.
 */
export function breakerReadingAt(
  settings: BreakerSettings,
  state: BreakerState,
  nowMs: number,
  probes: readonly { readonly halfOpenAtMs: number }[],
): BreakerReading {
  const present = breakerAt(settings, state, nowMs);
  const view = { state: present.status, nextTransitionAtMs: nextTransitionAtMs(settings, present) };
  if (present.status !== 'HALF_OPEN') return { ...view, probesLeft: 0, probe: null };
  const sinceMs = halfOpenAtMs(settings, present);
  const out = probes.filter((probe) => probe.halfOpenAtMs === sinceMs).length;
  return {
    ...view,
    probesLeft: Math.max(0, settings.halfOpenProbesMax - present.halfOpenSuccesses - out),
    probe: { halfOpenAtMs: sinceMs, expiresAtMs: nowMs + settings.probeTimeoutMs },
  };
}

/** Whether an entry may go out. Cancels and exits never ask. */
export const admitsEntry = ({ state, probesLeft }: BreakerReading): boolean =>
  state === 'CLOSED' || (state === 'HALF_OPEN' && probesLeft > 0);

function passTime(settings: BreakerSettings, state: BreakerState, nowMs: number): BreakerStep {
  const dueAtMs = nextTransitionAtMs(settings, state);
  if (dueAtMs === null || nowMs < dueAtMs) return { state, transitions: [] };
  const halfOpen: BreakerState = { ...state, status: 'HALF_OPEN', halfOpenSuccesses: 0 };
  return move(state, halfOpen, 'timeout', state.failuresAtMs.length, dueAtMs);
}

function applyEvent(settings: BreakerSettings, state: BreakerState, { kind, atMs }: BreakerEvent): BreakerStep {
  switch (kind) {
    case 'failure':
      return fail(settings, { ...state, failuresAtMs: withFailure(settings, state.failuresAtMs, atMs) }, atMs);
    case 'success':
      return succeed(settings, state, atMs);
    case 'reset':
      if (state.status === 'CLOSED') return stay(closedBreaker);
      return move(state, closedBreaker, 'reset', state.failuresAtMs.length, atMs);
    case 'tick':
      return stay(state);
    default:
      return unreachable(kind);
  }
}

// A failure always enters the window. While OPEN that is all: it neither extends the open period nor shortens it.
function fail(settings: BreakerSettings, state: BreakerState, atMs: number): BreakerStep {
  const count = state.failuresAtMs.length;
  const openedAtMs = state.failuresAtMs.at(-1) ?? atMs;
  const opened: BreakerState = { ...state, status: 'OPEN', openedAtMs, halfOpenSuccesses: 0 };
  if (isProbeReport(settings, state, atMs)) return move(state, opened, 'probe-failed', count, openedAtMs);
  if (state.status === 'CLOSED' && count >= settings.failureThreshold) {
    return move(state, opened, 'threshold', count, openedAtMs);
  }
  return stay(state);
}

// A success means nothing while CLOSED: in a sliding window, failures go by age alone.
function succeed(settings: BreakerSettings, state: BreakerState, atMs: number): BreakerStep {
  if (!isProbeReport(settings, state, atMs)) return stay(state);
  const count = state.halfOpenSuccesses + 1;
  if (count < settings.halfOpenProbesMax) return stay({ ...state, halfOpenSuccesses: count });
  return move(state, closedBreaker, 'probes-succeeded', count, atMs);
}

// A report from before the breaker was HALF_OPEN, heard late, belongs to the open period, where reports change nothing.
const isProbeReport = (settings: BreakerSettings, state: BreakerState, atMs: number): boolean =>
  state.status === 'HALF_OPEN' && atMs >= halfOpenAtMs(settings, state);

// Reports of several processes arrive a little out of order: the window ends at the newest failure, not at the last heard.
function withFailure(settings: BreakerSettings, failuresAtMs: readonly number[], atMs: number): readonly number[] {
  invariant(settings.failureThreshold >= 1, `a threshold is at least one, was ${settings.failureThreshold}`);
  const sorted = [...failuresAtMs, atMs].sort((a, b) => a - b);
  const newestAtMs = sorted.at(-1) ?? atMs;
  return sorted
    .filter((failureAtMs) => isInWindow(settings, failureAtMs, newestAtMs))
    .slice(-settings.failureThreshold);
}

function isInWindow(settings: BreakerSettings, failureAtMs: number, endsAtMs: number): boolean {
  const ageMs = endsAtMs - failureAtMs;
  return settings.windowBoundary === 'inclusive' ? ageMs <= settings.failureWindowMs : ageMs < settings.failureWindowMs;
}

function halfOpenAtMs(settings: BreakerSettings, { openedAtMs }: BreakerState): number {
  invariant(openedAtMs !== null, 'a breaker that is not CLOSED knows when it opened');
  return openedAtMs + Math.max(settings.openTimeoutMs, settings.dwellMs);
}

const stay = (state: BreakerState): BreakerStep => ({ state, transitions: [] });

const move = (
  { status: from }: BreakerState,
  state: BreakerState,
  cause: BreakerTransition['cause'],
  count: number,
  atMs: number,
): BreakerStep => ({ state, transitions: [{ from, to: state.status, cause, count, atMs }] });
