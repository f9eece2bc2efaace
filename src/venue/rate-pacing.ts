import { costOf, pacingOf, type RateLimit, type RateRequest } from '../domain/rate-limit.ts';
import { type BucketLevel, fullBucket, takeFromAll } from '../domain/token-bucket.ts';

/** Spreads what this process takes over each window. Answers with the wait; zero = the tokens are taken. */
export type RatePacing = (request: RateRequest, limits: readonly RateLimit[], nowMs: number) => number;

export function createRatePacing(): RatePacing {
  const levels = new Map<string, BucketLevel>();
  return (request, limits, nowMs) => {
    const drawn = limits.flatMap((limit) => {
      const bucket = pacingOf(limit, request.lane);
      const cost = costOf(limit.kind, request);
      if (bucket === null || cost === 0) return [];
      const key = `${request.lane}/${limit.kind}/${limit.windowMs}`;
      const level = levels.get(key) ?? fullBucket(bucket, nowMs);
      // A request dearer than the whole bucket waits until that is full, and takes all of it.
      return [{ key, bucket, level, cost: Math.min(cost, bucket.capacity) }];
    });
    const taken = takeFromAll(drawn, nowMs);
    for (const [i, { key }] of drawn.entries()) levels.set(key, taken.levels[i] as BucketLevel);
    return taken.outcome === 'taken' ? 0 : Math.ceil(taken.waitMs);
  };
}
