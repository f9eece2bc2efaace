import type { Clock } from '../clock.ts';

export type VenueClock = {
  /** The venue's time now. Rejects only when it was never measured and can't be. */
  nowMs(): Promise<number>;
  /** The venue's clock minus ours. */
  offsetMs(): Promise<number>;
  /** The next question measures anew: the venue has just refused a timestamp. */
  expire(): void;
};

const measuredForMs = 60_000;

type Anchor = { readonly venueMs: number; readonly monotonicMs: number };

/**
 * Follows the venue's clock: measured once a minute at the midpoint of a round trip, and carried on by the monotonic
 * clock in between, so that a step of our own wall clock does not make our timestamps wrong.
 */
export function createVenueClock(askServerTimeMs: () => Promise<number>, clock: Clock): VenueClock {
  let anchor: Anchor | null = null;
  let isExpired = true;
  let measuring: Promise<Anchor> | null = null;

  async function measure(): Promise<Anchor> {
    const sentAt = clock.monotonicMs();
    const venueMs = await askServerTimeMs();
    const receivedAt = clock.monotonicMs();
    isExpired = false;
    anchor = { venueMs, monotonicMs: (sentAt + receivedAt) / 2 };
    return anchor;
  }

  async function current(): Promise<Anchor> {
    if (anchor !== null && !isExpired && clock.monotonicMs() - anchor.monotonicMs < measuredForMs) return anchor;
    measuring ??= measure().finally(() => {
      measuring = null;
    });
    try {
      return await measuring;
    } catch (error) {
      // An old measurement is as good as the two clocks are steady; none at all is a guess.
      if (anchor === null) throw error;
      return anchor;
    }
  }

  async function nowMs(): Promise<number> {
    const { venueMs, monotonicMs } = await current();
    return Math.round(venueMs + clock.monotonicMs() - monotonicMs);
  }

  return {
    nowMs,
    offsetMs: async () => (await nowMs()) - clock.nowMs(),
    expire() {
      isExpired = true;
    },
  };
}
