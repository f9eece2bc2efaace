import { bucketOf, type TokenBucket } from './token-bucket.ts';

/** Who is served first when requests run short. */
export type Lane = 'exit' | 'cancel' | 'entry' | 'report';

/** What a venue counts: the weight of requests, placements that have not filled, requests as such. */
export type RateLimitKind = 'weight' | 'orders' | 'requests';

/** So much in a fixed window: one of 60,000 ms begins at each full minute of the venue's clock. */
export type RateLimit = { readonly kind: RateLimitKind; readonly windowMs: number; readonly max: number };

export type RateRequest = { readonly lane: Lane; readonly weight: number; readonly isPlacement: boolean };

/** What one request was charged of one limit, and in the window that began when by the venue's clock. */
export type RateCharge = {
  readonly kind: RateLimitKind;
  readonly windowMs: number;
  readonly startMs: number;
  readonly cost: number;
};

/**
 * Whom the venue told to wait, and until when. A ban covers everything and gets worse with every request sent;
 * `placements` covers every new order; `entries` those that add risk.
 */
export type RatePause = {
  readonly scope: 'everything' | 'placements' | 'entries';
  readonly untilMs: number;
  readonly reason: string;
  readonly isBan: boolean;
};

/** How much of a limit the lane may see used, over all lanes, before it waits. Null = it never waits for our own count. */
export function shareOf({ max }: RateLimit, lane: Lane): number | null {
  const percent = lanePercent[lane];
  return percent === null ? null : Math.floor((max * percent) / 100);
}

// A fifth below the venue's limits for what can wait: others share the address, our count lags behind the venue's, and
// exits and cancels need what is left. Those are stopped by nobody but the venue.
const lanePercent = { exit: null, cancel: null, entry: 80, report: 60 } as const satisfies Record<Lane, number | null>;

/** What a request takes of a limit of this kind. */
export function costOf(kind: RateLimitKind, { weight, isPlacement }: RateRequest): number {
  if (kind === 'weight') return weight;
  return kind === 'requests' || isPlacement ? 1 : 0;
}

/**
 * The bucket that spreads a lane's share over a window. It lets a quarter go at once, so that in no stretch of a
 * window's length more than 5/4 of the share passes, wherever the venue's window begins: where it begins we know only
 * as well as the venue's clock.
 */
export function pacingOf(limit: RateLimit, lane: Lane): TokenBucket | null {
  if (lanePercent[lane] === null) return null;
  const spread = (percent: number): TokenBucket => {
    const share = Math.floor((limit.max * percent) / 100);
    return { capacity: Math.max(1, share / 4), ratePerSecond: (share * 1000) / limit.windowMs };
  };
  return bucketOf(lane, { usual: spread(lanePercent.entry), own: { report: spread(lanePercent.report) } });
}

/** When the window that `nowMs` falls into began; both by the venue's clock. */
export const windowStartMs = (windowMs: number, nowMs: number): number => nowMs - (nowMs % windowMs);

/** The scopes of the pauses that hold a request back. */
export function scopesOver({ lane, isPlacement }: RateRequest): readonly RatePause['scope'][] {
  if (!isPlacement) return ['everything'];
  return lane === 'entry' ? ['everything', 'placements', 'entries'] : ['everything', 'placements'];
}

/** From when on a request may go after a pause, or null when none holds it. Exits go first, then entries, then reports. */
export function resumesAtMs(pauses: readonly RatePause[], request: RateRequest, nowMs: number): number | null {
  const scopes = scopesOver(request);
  const resumes = pauses.filter(({ scope }) => scopes.includes(scope)).map(({ untilMs }) => untilMs);
  const latestMs = Math.max(...resumes) + yieldMs[request.lane];
  return resumes.length > 0 && latestMs > nowMs ? latestMs : null;
}

/** How long after a pause each lane lets those above it go first. */
export const yieldMs: Record<Lane, number> = { exit: 0, cancel: 0, entry: 500, report: 1000 };

/** The pauses with one more, or null where one that lasts as long is known: many requests are told the same at once. */
export function withPause(pauses: readonly RatePause[], asked: RatePause): readonly RatePause[] | null {
  if (pauses.some(({ scope, untilMs }) => scope === asked.scope && untilMs >= asked.untilMs)) return null;
  return [...pauses.filter(({ scope }) => scope !== asked.scope), asked];
}

/**
 * The count after an answer. Answers overtake each other, so a count that is less than ours is old news, but for the
 * placements: each first fill takes one off. An answer without a count leaves the request counted.
 */
export function countAfter(kind: RateLimitKind, used: number, cost: number, reported: number | null): number {
  if (reported === null) return used + cost;
  return kind === 'orders' ? reported : Math.max(used, reported);
}
