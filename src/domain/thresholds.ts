import { compare, type Decimal } from './decimal.ts';
import type { PositionSide } from './order.ts';

/** A price at which something happens: already when it is reached, or only beyond it. */
export type Threshold = { readonly price: Decimal; readonly touchCounts: boolean };

/** Where a guard has to be looked at again. No price strictly between the two can change its state; null = no end. */
export type Thresholds = { readonly below: Threshold | null; readonly above: Threshold | null };

export type Direction = keyof Thresholds;

export const noThresholds: Thresholds = { below: null, above: null };

/** Thresholds as the position sees them: where prices turn against it, and where they turn in its favor. */
export const facing = (side: PositionSide, against: Threshold | null, inFavor: Threshold | null): Thresholds =>
  side === 'long' ? { below: against, above: inFavor } : { below: inFavor, above: against };

export function isReached(threshold: Threshold, direction: Direction, price: Decimal): boolean {
  const order = compare(price, threshold.price);
  if (order === 0) return threshold.touchCounts;
  return direction === 'below' ? order < 0 : order > 0;
}
