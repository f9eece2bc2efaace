import type { Clock } from './clock.ts';
import type { Lane } from './venue.ts';

/** What a venue counts: the weight of requests, placements that have not filled, requests as such. */
export type RateLimitKind = 'weight' | 'orders' | 'requests';

/** So much in a fixed window: one of 60,000 ms begins at each full minute of the venue's clock. */
export type RateLimit = { readonly kind: RateLimitKind; readonly windowMs: number; readonly max: number };

type RateRequest = { readonly lane: Lane; readonly weight: number; readonly isPlacement: boolean };

/** What an answer of the venue tells about its limits. */
export type RateAnswer = {
  /** The venue's own counts, over all processes that share the limit. */
  readonly used: readonly { readonly kind: RateLimitKind; readonly windowMs: number; readonly count: number }[];
  readonly pause?: RatePause;
};

/** Whom the venue told to wait, and until when. A ban covers everything and gets worse with every request sent. */
export type RatePause = {
  readonly scope: 'everything' | 'placements' | 'entries';
  readonly untilMs: number;
  readonly reason: string;
  readonly isBan: boolean;
};

type RateGrant =
  /** `settle` is called once with what the answer said, or with null when none came. */
  | { readonly outcome: 'granted'; settle(answer: RateAnswer | null): void }
  | { readonly outcome: 'refused'; readonly retryAtMs: number; readonly reason: string };

/**
 * One venue's request budget. Nobody waits in here: a request is granted at once or refused with the time to try
 * again, so that nothing slow stands in front of something urgent. This one counts for its own process and learns the
 * others' use from the venue's answers; one shared by processes can stand behind the same type.
 */
export type RateBudget = {
  take(request: RateRequest): Promise<RateGrant>;
  learnLimits(limits: readonly RateLimit[]): void;
  /** The venue's clock minus ours: its windows begin by its own clock. */
  learnClockOffset(offsetMs: number): void;
  /** While the venue bans us: when the ban ends. */
  bannedUntilMs(): number | null;
};

export type RateBudgetOptions = {
  /** Known from the start; the venue's adapter teaches the rest. */
  readonly limits?: readonly RateLimit[];
  readonly clock: Clock;
  /** Called once for each pause that the venue asks for. */
  readonly onPause?: (pause: RatePause) => void;
};

type Counter = { readonly limit: RateLimit; windowStartMs: number; used: number; inFlight: number };

// A fifth below the venue's limits: others share the address, and our count lags behind the venue's.
const budgetPercent = 80;

/** How far into the budget each lane may go. What lies beyond is kept for the lanes above it. */
const lanePercent: Record<Lane, number> = { exit: 100, cancel: 90, entry: 75, report: 60 };

const scopeCovers: Record<RatePause['scope'], (request: RateRequest) => boolean> = {
  everything: () => true,
  placements: (request) => request.isPlacement,
  entries: (request) => request.isPlacement && request.lane === 'entry',
};

export function createRateBudget({ limits = [], clock, onPause }: RateBudgetOptions): RateBudget {
  const counters = new Map<string, Counter>();
  let pauses: readonly RatePause[] = [];
  let offsetMs = 0;

  const learnLimits = (learned: readonly RateLimit[]): void => {
    for (const limit of learned) {
      const key = keyOf(limit);
      counters.set(key, { ...(counters.get(key) ?? { windowStartMs: 0, used: 0, inFlight: 0 }), limit });
    }
  };
  learnLimits(limits);

  const windowStart = (windowMs: number): number => {
    const venueNowMs = clock.nowMs() + offsetMs;
    return venueNowMs - (venueNowMs % windowMs);
  };

  /** Begins a new window where one is due. What is in flight may be counted in it, so it stays. */
  const roll = (counter: Counter): void => {
    const startMs = windowStart(counter.limit.windowMs);
    if (counter.windowStartMs === startMs) return;
    counter.windowStartMs = startMs;
    counter.used = 0;
  };

  const refusalOf = (request: RateRequest): { retryAtMs: number; reason: string } | null => {
    pauses = pauses.filter(({ untilMs }) => untilMs > clock.nowMs());
    const pause = pauses.find(({ scope }) => scopeCovers[scope](request));
    if (pause !== undefined) return { retryAtMs: pause.untilMs, reason: pause.reason };
    for (const counter of counters.values()) {
      roll(counter);
      const { kind, windowMs, max } = counter.limit;
      const share = Math.floor((max * budgetPercent * lanePercent[request.lane]) / 10_000);
      const cost = costOf(kind, request);
      if (cost === 0 || counter.used + counter.inFlight + cost <= share) continue;
      const retryAtMs = counter.windowStartMs + windowMs - offsetMs;
      return { retryAtMs, reason: `the ${request.lane} share of ${max} ${kind} in ${windowMs} ms is used up` };
    }
    return null;
  };

  const pause = (asked: RatePause): void => {
    // Requests that were under way together are all told the same thing.
    if (pauses.some(({ scope, untilMs }) => scope === asked.scope && untilMs >= asked.untilMs)) return;
    pauses = [...pauses, asked].sort((a, b) => b.untilMs - a.untilMs);
    onPause?.(asked);
  };

  const charge = (request: RateRequest): ((answer: RateAnswer | null) => void) => {
    const charged = [...counters].map(([key, counter]) => {
      roll(counter);
      const cost = costOf(counter.limit.kind, request);
      counter.inFlight += cost;
      return { key, cost, windowStartMs: counter.windowStartMs };
    });
    return (answer) => {
      for (const { key, cost, windowStartMs } of charged) {
        const counter = counters.get(key);
        if (counter === undefined) continue;
        roll(counter);
        counter.inFlight -= cost;
        // The venue's count of a window that is over says nothing about the one that has begun.
        const reported = counter.windowStartMs === windowStartMs ? countIn(answer, counter.limit) : undefined;
        counter.used = usedAfter(counter, cost, reported);
      }
      if (answer?.pause !== undefined) pause(answer.pause);
    };
  };

  return {
    async take(request) {
      const refusal = refusalOf(request);
      return refusal === null ? { outcome: 'granted', settle: charge(request) } : { outcome: 'refused', ...refusal };
    },
    learnLimits,
    learnClockOffset(measuredMs) {
      offsetMs = measuredMs;
    },
    bannedUntilMs() {
      const ban = pauses.find(({ isBan, untilMs }) => isBan && untilMs > clock.nowMs());
      return ban?.untilMs ?? null;
    },
  };
}

const keyOf = ({ kind, windowMs }: Pick<RateLimit, 'kind' | 'windowMs'>): string => `${kind}/${windowMs}`;

function costOf(kind: RateLimitKind, request: RateRequest): number {
  if (kind === 'weight') return request.weight;
  return kind === 'requests' || request.isPlacement ? 1 : 0;
}

/** Answers overtake each other, but only the count of placements can fall: each first fill takes one off. */
function usedAfter({ limit, used }: Counter, cost: number, reported: number | undefined): number {
  if (reported === undefined) return used + cost;
  return limit.kind === 'orders' ? reported : Math.max(used, reported);
}

const countIn = (answer: RateAnswer | null, limit: RateLimit): number | undefined =>
  answer?.used.find(({ kind, windowMs }) => kind === limit.kind && windowMs === limit.windowMs)?.count;
