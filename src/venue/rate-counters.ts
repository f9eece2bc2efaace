import {
  costOf,
  countAfter,
  type RateCharge,
  type RateLimit,
  type RateLimitKind,
  type RateRequest,
  shareOf,
  windowStartMs,
} from '../domain/rate-limit.ts';

/** The venue's own counts, over all processes that share the limit, as an answer tells them. */
export type RateUsed = readonly { readonly kind: RateLimitKind; readonly windowMs: number; readonly count: number }[];

/** Why a request must wait for our own count, and until when. */
type Overdrawn = { readonly limit: RateLimit; readonly untilMs: number };

export type RateCounters = {
  learn(limits: readonly RateLimit[]): void;
  limits(): readonly RateLimit[];
  /** The first limit of which the request's lane has no share left. */
  overdrawn(request: RateRequest, venueNowMs: number): Overdrawn | null;
  /** Counts a request as under way. A limit that it costs nothing is named, too: its answer may tell of it. */
  charge(request: RateRequest, venueNowMs: number): readonly RateCharge[];
  /** It has been answered (null: nobody knows), or was never sent. */
  settle(charges: readonly RateCharge[], used: RateUsed | null, venueNowMs: number): void;
  release(charges: readonly RateCharge[]): void;
};

type Counter = { readonly limit: RateLimit; startMs: number; used: number; inFlight: number };

/** The requests of this process, in the venue's fixed windows, corrected by what the venue says it has counted. */
export function createRateCounters(): RateCounters {
  const counters = new Map<string, Counter>();

  /** Begins a new window where one is due. What is in flight may be counted in it, so it stays. */
  const roll = (counter: Counter, venueNowMs: number): void => {
    const startMs = windowStartMs(counter.limit.windowMs, venueNowMs);
    if (counter.startMs === startMs) return;
    counter.startMs = startMs;
    counter.used = 0;
  };

  return {
    learn(limits) {
      for (const limit of limits) {
        const known = counters.get(keyOf(limit)) ?? { startMs: 0, used: 0, inFlight: 0 };
        counters.set(keyOf(limit), { ...known, limit });
      }
    },
    limits: () => [...counters.values()].map(({ limit }) => limit),
    overdrawn(request, venueNowMs) {
      for (const counter of counters.values()) {
        roll(counter, venueNowMs);
        const share = shareOf(counter.limit, request.lane);
        const cost = costOf(counter.limit.kind, request);
        if (share === null || cost === 0 || counter.used + counter.inFlight + cost <= share) continue;
        return { limit: counter.limit, untilMs: counter.startMs + counter.limit.windowMs };
      }
      return null;
    },
    charge: (request, venueNowMs) =>
      [...counters.values()].map((counter) => {
        roll(counter, venueNowMs);
        const { kind, windowMs } = counter.limit;
        const cost = costOf(kind, request);
        counter.inFlight += cost;
        return { kind, windowMs, startMs: counter.startMs, cost };
      }),
    settle(charges, used, venueNowMs) {
      for (const charge of charges) {
        const counter = counters.get(keyOf(charge));
        if (counter === undefined) continue;
        roll(counter, venueNowMs);
        counter.inFlight -= charge.cost;
        // The venue's count of a window that is over says nothing about the one that has begun.
        const reported = counter.startMs === charge.startMs ? reportedOf(used, charge) : null;
        counter.used = countAfter(charge.kind, counter.used, charge.cost, reported);
      }
    },
    release(charges) {
      for (const charge of charges) {
        const counter = counters.get(keyOf(charge));
        if (counter !== undefined) counter.inFlight -= charge.cost;
      }
    },
  };
}

/** What the venue says of the limit that was charged, or null when it says nothing. */
export const reportedOf = (used: RateUsed | null, { kind, windowMs }: RateCharge): number | null =>
  used?.find((each) => each.kind === kind && each.windowMs === windowMs)?.count ?? null;

const keyOf = ({ kind, windowMs }: Pick<RateLimit, 'kind' | 'windowMs'>): string => `${kind}/${windowMs}`;
