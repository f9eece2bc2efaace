import { absolute, add, type Decimal, decimal, isMore, multiply, zero } from '../decimal.ts';
import type { Difference } from './difference.ts';
import type { Tolerances } from './tolerance.ts';

/** All that is configured of the comparison. */
export type ReconciliationSettings = {
  readonly tolerances: Tolerances;
  readonly limits: ReconciliationLimits;
  /** How long a correction waits for a person before the book is left as it is. */
  readonly correctionTimeoutMs: number;
};

export const reconciliationDefaults: ReconciliationSettings = {
  tolerances: { currency: 'USDT', byAsset: {} },
  limits: { unexplainedMax: 0, driftMax: decimal('100') },
  correctionTimeoutMs: 86_400_000,
};

/** How much may be unexplained before entries are blocked. */
export type ReconciliationLimits = {
  /** Orders, fills and positions that the book and the venue do not agree on. */
  readonly unexplainedMax: number;
  /** The drifts of all balances together, in the account's currency, whichever way they go. */
  readonly driftMax: Decimal;
};

/**
 * Why the differences are more than may be, in words; null when they are not. A drift in an asset whose price nobody
 * knows is more: what it is worth can't be told. A fill that was told anew is in the record with both versions, and
 * blocks nothing.
 */
export function excessOf(
  differences: readonly Difference[],
  { unexplainedMax, driftMax }: ReconciliationLimits,
  currency: string,
  priceOf: (symbol: string) => Decimal | null,
): string | null {
  const unexplained = differences.filter(({ kind }) => kind !== 'balance' && kind !== 'changedFill').length;
  if (unexplained > unexplainedMax)
    return `${unexplained} unexplained orders, fills or positions, ${unexplainedMax} allowed`;
  let drift = zero;
  for (const difference of differences) {
    if (difference.kind !== 'balance') continue;
    const { asset } = difference;
    const price = asset === currency ? null : priceOf(`${asset}/${currency}`);
    if (asset !== currency && price === null)
      return `a balance drift of ${difference.drift} ${asset}, worth nobody knows what`;
    const amount = absolute(difference.drift);
    drift = add(drift, price === null ? amount : multiply(amount, price));
  }
  return isMore(drift, driftMax) ? `balance drifts worth ${drift} ${currency}, ${driftMax} allowed` : null;
}
