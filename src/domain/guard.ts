import { type Decimal, isPositive } from './decimal.ts';
import { isBetter } from './direction.ts';
import { RatchetError } from './errors.ts';
import { invariant } from './invariant.ts';
import type { PositionSide } from './order.ts';
import { facing, noThresholds, type Thresholds } from './thresholds.ts';
import {
  amendDistance,
  joinTrailingStop,
  stepTrailingStop,
  type TrailingStop,
  type TrailingStopRules,
  trailingThresholds,
} from './trailing-stop.ts';

/** A fixed price that ends the position. */
export type PriceTerms = { readonly side: PositionSide; readonly price: Decimal };
export type PriceGuardState = { readonly status: 'armed' | 'triggered' };

/** What watches a position's prices: what was asked for (`terms`) and how far it has come (`state`). Both are JSON. */
export type Guard =
  | { readonly kind: 'stopLoss' | 'takeProfit'; readonly terms: PriceTerms; readonly state: PriceGuardState }
  | { readonly kind: 'trailingStop'; readonly terms: TrailingStopRules; readonly state: TrailingStop };

/** `changed`: the state moved, but neither started to trail nor triggered. */
export type GuardAction = 'hold' | 'changed' | 'activated' | 'triggered';

export type GuardStep = { readonly guard: Guard; readonly action: GuardAction };

/**
 * The guard after one price. A price that touches it triggers it, once and for good. Throws PRICE_INVALID unless the
 * price is positive.
 */
export function stepGuard(guard: Guard, price: Decimal): GuardStep {
  if (guard.kind !== 'trailingStop') return stepPriceGuard(guard, price);
  const { stop, action } = stepTrailingStop(guard.terms, guard.state, price);
  if (stop === guard.state) return { guard, action: 'hold' };
  const isMilestone = action === 'activated' || action === 'triggered';
  return { guard: { ...guard, state: stop }, action: isMilestone ? action : 'changed' };
}

/**
 * What two reports of the same guard say together, under the terms of the first: triggered if either is, and a trailing
 * stop as tight as the tighter. So a guard that was amended keeps what its earlier version has seen, and its new
 * distance counts from the best price of both.
 */
export function joinGuards(guard: Guard, other: Guard): Guard {
  if (guard.kind === 'trailingStop' && other.kind === 'trailingStop') {
    const state = joinTrailingStop(guard.terms, guard.state, other.state);
    const { distance } = guard.terms;
    if (distance === other.terms.distance) return { ...guard, state };
    return { ...guard, state: amendDistance(guard.terms, state, distance).stop };
  }
  invariant(guard.kind !== 'trailingStop' && guard.kind === other.kind, `${guard.kind} joins its own kind`);
  return other.state.status === 'triggered' ? { ...guard, state: { status: 'triggered' } } : guard;
}

/** The prices between which the guard stays as it is. */
export function guardThresholds(guard: Guard): Thresholds {
  if (guard.kind === 'trailingStop') return trailingThresholds(guard.terms, guard.state);
  if (guard.state.status === 'triggered') return noThresholds;
  const threshold = { price: guard.terms.price, touchCounts: true };
  const { side } = guard.terms;
  return guard.kind === 'stopLoss' ? facing(side, threshold, null) : facing(side, null, threshold);
}

function stepPriceGuard(guard: Exclude<Guard, { kind: 'trailingStop' }>, price: Decimal): GuardStep {
  if (!isPositive(price)) throw new RatchetError('PRICE_INVALID', { price });
  if (guard.state.status === 'triggered' || !isHit(guard.kind, guard.terms, price)) return { guard, action: 'hold' };
  return { guard: { ...guard, state: { status: 'triggered' } }, action: 'triggered' };
}

const isHit = (kind: 'stopLoss' | 'takeProfit', { side, price: level }: PriceTerms, price: Decimal): boolean =>
  kind === 'stopLoss' ? !isBetter(side, price, level) : !isBetter(side, level, price);
