import {
  type BucketLevel,
  bucketOf,
  fullBucket,
  type TokenBucket,
  takeFromAll,
  takeTokens,
} from '../../src/domain/token-bucket.ts';
import { type Adapter, type Inputs, type Values, valuesOf } from './adapter.ts';

const bucketIn = (values: Values): TokenBucket => ({
  capacity: Number(values['capacity']),
  ratePerSecond: Number(values['rate']),
});

const atMsOf = (step: Values): number => Number(step['t'] ?? 0) * 1_000;

/** Plays a step on one bucket: what the caller is told, and the level after it. */
function takeOne(bucket: TokenBucket, level: BucketLevel, step: Values): { answer: Values; level: BucketLevel } {
  const taken = takeTokens({ bucket, level, cost: Number(step['take'] ?? 0) }, atMsOf(step));
  if (taken.outcome === 'exceedsCapacity') return { answer: { error: 'exceeds capacity' }, level: taken.level };
  const waitMs = taken.outcome === 'short' ? taken.waitMs : 0;
  const answer = step['blocking'] === true ? { wait_s: waitMs / 1_000 } : {};
  return { answer: { ...answer, ok: taken.outcome === 'taken', left: taken.level.tokens }, level: taken.level };
}

function single({ params, steps }: Inputs): readonly Values[] {
  const bucket = bucketIn(params);
  let level = fullBucket(bucket, 0);
  return steps.map((step) => {
    const played = takeOne(bucket, level, step);
    level = played.level;
    return played.answer;
  });
}

function twoBuckets({ params, steps }: Inputs): readonly Values[] {
  const buckets = [bucketIn(valuesOf(params['ip'])), bucketIn(valuesOf(params['order']))];
  let levels = buckets.map((bucket) => fullBucket(bucket, 0));
  return steps.map((step) => {
    const costs = [Number(step['ip_weight'] ?? 0), step['order'] === true ? 1 : 0];
    const charges = buckets.map((bucket, i) => ({ bucket, level: levels[i] as BucketLevel, cost: costs[i] ?? 0 }));
    const taken = takeFromAll(charges, atMsOf(step));
    levels = [...taken.levels];
    if (taken.outcome === 'exceedsCapacity') return { error: 'exceeds capacity' };
    return { ok: taken.outcome === 'taken', ip_left: levels[0]?.tokens, order_left: levels[1]?.tokens };
  });
}

function perEndpoint({ params, steps }: Inputs): readonly Values[] {
  const overrides = Object.entries(valuesOf(params['overrides']));
  const own = Object.fromEntries(overrides.map(([name, values]) => [name, bucketIn(valuesOf(values))]));
  const named = { usual: bucketIn(valuesOf(params['default'])), own };
  const levels = new Map<string, BucketLevel>();
  return steps.map((step) => {
    const endpoint = String(step['endpoint']);
    const bucket = bucketOf(endpoint, named);
    const played = takeOne(bucket, levels.get(endpoint) ?? fullBucket(bucket, 0), step);
    levels.set(endpoint, played.level);
    return played.answer;
  });
}

export const adapter: Adapter = {
  offered: { main: single, two_buckets: twoBuckets, per_endpoint: perEndpoint },
};
