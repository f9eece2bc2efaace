import type { Clock } from '../clock.ts';
import type { VenueClockState } from '../venue.ts';

export type VenueClock = {
  /** The venue's time now. Rejects only when it was never measured and can't be. */
  nowMs(): Promise<number>;
  /** The venue's clock minus ours. */
  offsetMs(): Promise<number>;
  /**
   * The venue has refused a timestamp: the next question measures anew. One that was in time by our own measurement
   * counts against the clock, once a measurement; one that came late by our own clock as well proves nothing.
   */
  refused(timestamp?: { readonly signedAtMs: number; readonly recvWindowMs: number }): void;
  /** The venue has accepted a timestamp. */
  confirmed(): void;
  state(): VenueClockState;
};

/** A measurement differs from what the one before had foretold, by more than both can be wrong. */
export type ClockDrift = { readonly driftMs: number; readonly offsetMs: number; readonly uncertaintyMs: number };

export type VenueClockOptions = {
  readonly askServerTimeMs: () => Promise<number>;
  readonly clock: Clock;
  readonly onMeasured?: (offsetMs: number) => void;
  readonly onDrift?: (drift: ClockDrift) => void;
};

const measuredForMs = 60_000;
// So long two steady clocks stay together well within what the venue allows.
const goodForMs = 600_000;
const refusalsMax = 3;
// A wall clock that NTP slews gains or loses half a millisecond a second: that is no jump.
const jumpMs = 250;
// A measurement can be wrong by half its round trip, so a slow one is taken again, and the fastest counts.
const uncertaintyWantedMs = 100;
const samplesMax = 3;

type Anchor = {
  readonly venueMs: number;
  readonly monotonicMs: number;
  readonly uncertaintyMs: number;
  /** Our wall clock minus the monotonic one: changes when somebody sets the wall clock, or the machine slept. */
  readonly wallAheadMs: number;
};

/**
 * Follows the venue's clock: measured once a minute in which it is asked for, at the midpoint of a round trip, and
 * carried on by the monotonic clock in between, so that a step of our own wall clock does not make our timestamps wrong. Such a step is a reason to
 * measure again all the same: the monotonic clock stands still while a machine sleeps, and only the wall clock shows it.
 */
export function createVenueClock({ askServerTimeMs, clock, onMeasured, onDrift }: VenueClockOptions): VenueClock {
  let anchor: Anchor | null = null;
  let isExpired = true;
  let measuring: Promise<Anchor> | null = null;
  let refusalsInARow = 0;

  async function sample(): Promise<Anchor> {
    const sentAt = clock.monotonicMs();
    const venueMs = await askServerTimeMs();
    const receivedAt = clock.monotonicMs();
    return {
      venueMs,
      monotonicMs: (sentAt + receivedAt) / 2,
      uncertaintyMs: (receivedAt - sentAt) / 2,
      wallAheadMs: clock.nowMs() - receivedAt,
    };
  }

  async function measure(): Promise<Anchor> {
    let best = await sample();
    for (let taken = 1; taken < samplesMax && best.uncertaintyMs > uncertaintyWantedMs; taken += 1) {
      // One sample is an answer already; what a further one meets on its way takes nothing from it.
      const next = await sample().catch(() => best);
      if (next.uncertaintyMs < best.uncertaintyMs) best = next;
    }
    tellDrift(anchor, best);
    isExpired = false;
    anchor = best;
    onMeasured?.(offsetOf(best));
    return best;
  }

  function tellDrift(before: Anchor | null, now: Anchor): void {
    if (before === null) return;
    const driftMs = now.venueMs - (before.venueMs + now.monotonicMs - before.monotonicMs);
    const uncertaintyMs = before.uncertaintyMs + now.uncertaintyMs;
    if (Math.abs(driftMs) <= uncertaintyMs + 1) return;
    onDrift?.({ driftMs, offsetMs: offsetOf(now), uncertaintyMs });
  }

  const ageOf = (known: Anchor): number => clock.monotonicMs() - known.monotonicMs;
  const isGood = (known: Anchor): boolean => {
    const jumped = Math.abs(clock.nowMs() - clock.monotonicMs() - known.wallAheadMs) > jumpMs;
    return !isExpired && !jumped && ageOf(known) < goodForMs;
  };
  const measureOnce = (): Promise<Anchor> => {
    measuring ??= measure().finally(() => {
      measuring = null;
    });
    return measuring;
  };

  async function current(): Promise<Anchor> {
    if (anchor !== null && isGood(anchor)) {
      // Nobody waits for the usual look at the clock, an exit least of all.
      if (ageOf(anchor) >= measuredForMs) measureOnce().catch(() => undefined);
      return anchor;
    }
    try {
      return await measureOnce();
    } catch (error) {
      // An old measurement is as good as the two clocks are steady; none at all is a guess.
      if (anchor === null) throw error;
      return anchor;
    }
  }

  const venueNowBy = ({ venueMs, monotonicMs }: Anchor): number =>
    Math.round(venueMs + clock.monotonicMs() - monotonicMs);
  const offsetOf = (known: Anchor): number => venueNowBy(known) - clock.nowMs();

  return {
    nowMs: async () => venueNowBy(await current()),
    offsetMs: async () => offsetOf(await current()),
    refused(timestamp) {
      const wasInTime = timestamp !== undefined && anchor !== null && isInTime(timestamp, venueNowBy(anchor));
      // Requests that were under way together are all refused for the same wrong measurement.
      if (wasInTime && !isExpired) refusalsInARow += 1;
      isExpired = true;
    },
    confirmed() {
      refusalsInARow = 0;
    },
    state: () => ({
      isUsable: refusalsInARow <= refusalsMax,
      offsetMs: anchor === null ? null : offsetOf(anchor),
      uncertaintyMs: anchor?.uncertaintyMs ?? null,
      refusalsInARow,
    }),
  };
}

// The venue's own rule. It takes a timestamp that is up to a second ahead of its clock.
const isInTime = (
  { signedAtMs, recvWindowMs }: { readonly signedAtMs: number; readonly recvWindowMs: number },
  venueNowMs: number,
): boolean => signedAtMs < venueNowMs + 1000 && venueNowMs - signedAtMs <= recvWindowMs;
