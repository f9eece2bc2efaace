/** Holds at most `capacity` tokens and gains so many a second. It starts full. */
export type TokenBucket = { readonly capacity: number; readonly ratePerSecond: number };

/** How many tokens a bucket held at a moment. A clock that goes back adds nothing. */
export type BucketLevel = { readonly tokens: number; readonly atMs: number };

export type BucketTake =
  | { readonly outcome: 'taken'; readonly level: BucketLevel }
  /** Nothing was removed. After `waitMs` there are enough, if nobody else takes. */
  | { readonly outcome: 'short'; readonly level: BucketLevel; readonly waitMs: number }
  /** No wait helps: the bucket can't hold so many. */
  | { readonly outcome: 'exceedsCapacity'; readonly level: BucketLevel };

/** One bucket of several that are charged together. */
export type BucketCharge = { readonly bucket: TokenBucket; readonly level: BucketLevel; readonly cost: number };

export const fullBucket = ({ capacity }: TokenBucket, nowMs: number): BucketLevel => ({
  tokens: capacity,
  atMs: nowMs,
});

/** Takes `cost` tokens if there are so many. A cost of zero only brings the level up to now. */
export function takeTokens({ bucket, level, cost }: BucketCharge, nowMs: number): BucketTake {
  const now = refilled(bucket, level, nowMs);
  if (cost > bucket.capacity) return { outcome: 'exceedsCapacity', level: now };
  if (cost <= now.tokens) return { outcome: 'taken', level: { ...now, tokens: now.tokens - cost } };
  return { outcome: 'short', level: now, waitMs: ((cost - now.tokens) * 1000) / bucket.ratePerSecond };
}

/** Takes from all of them or from none. The levels are in the order of the charges; the longest wait decides. */
export function takeFromAll(
  charges: readonly BucketCharge[],
  nowMs: number,
): { readonly outcome: BucketTake['outcome']; readonly levels: readonly BucketLevel[]; readonly waitMs: number } {
  const takes = charges.map((charge) => takeTokens(charge, nowMs));
  const refusals = takes.filter(({ outcome }) => outcome !== 'taken');
  if (refusals.length === 0) return { outcome: 'taken', levels: takes.map(({ level }) => level), waitMs: 0 };
  return {
    outcome: refusals.some(({ outcome }) => outcome === 'exceedsCapacity') ? 'exceedsCapacity' : 'short',
    levels: charges.map(({ bucket, level }) => refilled(bucket, level, nowMs)),
    waitMs: Math.max(...takes.map((take) => (take.outcome === 'short' ? take.waitMs : 0))),
  };
}

/** The bucket that a name has of its own, else the one that everything else has, each name its own copy. */
export const bucketOf = (
  name: string,
  { usual, own }: { readonly usual: TokenBucket; readonly own: Readonly<Record<string, TokenBucket>> },
): TokenBucket => own[name] ?? usual;

function refilled({ capacity, ratePerSecond }: TokenBucket, { tokens, atMs }: BucketLevel, nowMs: number): BucketLevel {
  const gained = (Math.max(0, nowMs - atMs) * ratePerSecond) / 1000;
  return { tokens: Math.min(capacity, tokens + gained), atMs: Math.max(atMs, nowMs) };
}
