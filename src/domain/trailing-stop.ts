import {
  absolute,
  add,
  compare,
  type Decimal,
  decimal,
  isLess,
  isPositive,
  multiply,
  roundToStep,
  subtract,
} from './decimal.ts';
import { better, isBetter } from './direction.ts';
import { describe, RatchetError } from './errors.ts';
import type { Fault } from './fault.ts';
import { invariant } from './invariant.ts';
import type { PositionSide } from './order.ts';
import { facing, noThresholds, type Thresholds } from './thresholds.ts';

export type TrailingStopRules = {
  readonly side: PositionSide;
  readonly by: 'percent' | 'absolute' | 'ticks';
  readonly distance: Decimal;
  /** Trails once the price has reached this; null = from the start. */
  readonly activationPrice: Decimal | null;
  /** The stop is rounded to this, toward the price (tighter); null = not rounded. */
  readonly tickSize: Decimal | null;
  /** A move smaller than this share of the stop, in percent, is not made; null = any improvement is. */
  readonly minimumMovePercent: Decimal | null;
  /** Whether prices before the activation count for the extreme. */
  readonly extremeFrom: 'activation' | 'start';
};

export type TrailingStop = {
  readonly status: 'waiting' | 'trailing' | 'triggered';
  /** The best price seen for the position. */
  readonly extreme: Decimal;
  readonly stopPrice: Decimal | null;
};

export type TrailingStopStep = {
  readonly stop: TrailingStop;
  readonly action: 'hold' | 'activated' | 'moved' | 'triggered' | 'latched';
};

const hundred = decimal('100');
const hundredth = decimal('0.01');

/** The stop before any price: it waits for its activation, or trails from `referencePrice` (usually the entry's). */
export function openTrailingStop(rules: TrailingStopRules, referencePrice: Decimal): TrailingStop {
  refuseBadPrice(referencePrice);
  if (rules.activationPrice !== null) return { status: 'waiting', extreme: referencePrice, stopPrice: null };
  return { status: 'trailing', extreme: referencePrice, stopPrice: stopPriceAt(rules, referencePrice) };
}

/**
 * The stop after one price. The old stop is tested first (a touch triggers), then the activation (reaching it counts),
 * then the stop moves, and only ever tighter. At most one of them happens at one price, and after the trigger nothing
 * does. Throws PRICE_INVALID unless the price is positive.
 */
export function stepTrailingStop(rules: TrailingStopRules, stop: TrailingStop, price: Decimal): TrailingStopStep {
  refuseBadPrice(price);
  if (stop.status === 'triggered') return { stop, action: 'latched' };
  if (stop.stopPrice === null) return wait(rules, stop, price);
  if (!isBetter(rules.side, price, stop.stopPrice))
    return { stop: { ...stop, status: 'triggered' }, action: 'triggered' };
  if (!isBetter(rules.side, price, stop.extreme)) return { stop, action: 'hold' };

  const candidate = stopPriceAt(rules, price);
  if (!isWorthMoving(rules, stop.stopPrice, candidate)) return { stop: { ...stop, extreme: price }, action: 'hold' };
  return { stop: { ...stop, extreme: price, stopPrice: candidate }, action: 'moved' };
}

/**
 * Everything that is wrong with the rules. Given a `referencePrice`, the stop must also begin on the right side of
 * it: a distance of the whole price never triggers, and an activation nearer than the distance starts with a stop that
 * locks in a loss. Who allows the latter leaves it out.
 */
export function checkTrailingStopRules(rules: TrailingStopRules, referencePrice?: Decimal): readonly Fault[] {
  const { side, by, distance, tickSize, minimumMovePercent, activationPrice } = rules;
  const faults: Fault[] = [];
  const isWhole = by === 'percent' && side === 'long' && !isLess(distance, hundred);
  if (!isPositive(distance) || isWhole) faults.push({ code: 'TRAILING_DISTANCE_INVALID', context: { by, distance } });
  if (by === 'ticks' && tickSize === null) faults.push({ code: 'TRAILING_TICK_SIZE_MISSING', context: {} });
  if (tickSize !== null && !isPositive(tickSize)) {
    faults.push({ code: 'TRAILING_TICK_SIZE_INVALID', context: { tickSize } });
  }
  if (minimumMovePercent !== null && !isPositive(minimumMovePercent)) {
    faults.push({ code: 'TRAILING_MINIMUM_MOVE_INVALID', context: { minimumMovePercent } });
  }
  if (activationPrice !== null && !isPositive(activationPrice)) {
    faults.push({ code: 'TRAILING_ACTIVATION_INVALID', context: { activationPrice } });
  }
  return faults.length > 0 || referencePrice === undefined ? faults : checkStart(rules, referencePrice);
}

/** Why a running stop can't be amended so, as sentences: amending only ever protects more tightly. */
export function amendmentFaults(
  rules: TrailingStopRules,
  stop: TrailingStop,
  { distance }: { readonly distance: Decimal },
): readonly string[] {
  const faults = [...checkTrailingStopRules({ ...rules, distance })];
  const context = { distance, from: rules.distance };
  if (compare(distance, rules.distance) > 0) faults.push({ code: 'TRAILING_AMENDMENT_LOOSENS', context });
  if (stop.status === 'triggered') faults.push({ code: 'TRAILING_STOP_TRIGGERED', context: {} });
  return faults.map((fault) => describe(fault.code, fault.context));
}

/** Where the stop stands when the best price is `extreme`, whatever it stood at before. */
export function stopPriceAt(rules: TrailingStopRules, extreme: Decimal, price = extreme): Decimal {
  const isLong = rules.side === 'long';
  const exact = isLong ? subtract(extreme, distanceAt(rules, extreme)) : add(extreme, distanceAt(rules, extreme));
  if (rules.tickSize === null) return exact;
  const tighter = roundToStep(exact, rules.tickSize, isLong ? 'ceiling' : 'floor');
  // Rounding alone must not put the stop onto the price, where the next trade at the same price would trigger it.
  const roundingTriggers = isBetter(rules.side, price, exact) && !isBetter(rules.side, price, tighter);
  return roundingTriggers ? roundToStep(exact, rules.tickSize, isLong ? 'floor' : 'ceiling') : tighter;
}

/** The price at which a position opened at `referencePrice` has made `profitPercent`, fees aside. */
export function activationPriceAt(side: PositionSide, referencePrice: Decimal, profitPercent: Decimal): Decimal {
  const profit = percentOf(referencePrice, profitPercent);
  return side === 'long' ? add(referencePrice, profit) : subtract(referencePrice, profit);
}

/**
 * The rules with a new distance, and the stop under them: tighter if the new distance asks for it, else where it was.
 * The next price tests it, so a stop that is moved beyond the market triggers then.
 */
export function amendDistance(
  rules: TrailingStopRules,
  stop: TrailingStop,
  distance: Decimal,
): { readonly rules: TrailingStopRules; readonly stop: TrailingStop } {
  const amended = { ...rules, distance };
  if (stop.status !== 'trailing' || stop.stopPrice === null) return { rules: amended, stop };
  const stopPrice = better(rules.side, stop.stopPrice, stopPriceAt(amended, stop.extreme));
  return { rules: amended, stop: { ...stop, stopPrice } };
}

/**
 * What two reports of the same stop say together: activated if either is, the better extreme, the tightest stop,
 * triggered for good. Reports may come twice and in any order, and the result is the same.
 */
export function joinTrailingStop(rules: TrailingStopRules, a: TrailingStop, b: TrailingStop): TrailingStop {
  // Without the prices before the activation, what a waiting stop calls its extreme is only where it began.
  if (rules.extremeFrom === 'activation' && (a.status === 'waiting') !== (b.status === 'waiting')) {
    return a.status === 'waiting' ? b : a;
  }
  return {
    status: progress[a.status] >= progress[b.status] ? a.status : b.status,
    extreme: better(rules.side, a.extreme, b.extreme),
    stopPrice: tightest(rules.side, a.stopPrice, b.stopPrice),
  };
}

/** The prices between which the stop stays as it is: its trigger on one side, its activation or extreme on the other. */
export function trailingThresholds(rules: TrailingStopRules, stop: TrailingStop): Thresholds {
  if (stop.status === 'triggered') return noThresholds;
  if (stop.stopPrice !== null) {
    return facing(
      rules.side,
      { price: stop.stopPrice, touchCounts: true },
      { price: stop.extreme, touchCounts: false },
    );
  }
  const activation = { price: activationOf(rules), touchCounts: true };
  const countsNewExtremes = rules.extremeFrom === 'start' && isBetter(rules.side, activation.price, stop.extreme);
  return facing(rules.side, null, countsNewExtremes ? { price: stop.extreme, touchCounts: false } : activation);
}

const progress = { waiting: 0, trailing: 1, triggered: 2 } as const;

function wait(rules: TrailingStopRules, stop: TrailingStop, price: Decimal): TrailingStopStep {
  if (isBetter(rules.side, activationOf(rules), price)) {
    const counts = rules.extremeFrom === 'start' && isBetter(rules.side, price, stop.extreme);
    return { stop: counts ? { ...stop, extreme: price } : stop, action: 'hold' };
  }
  const extreme = rules.extremeFrom === 'start' ? better(rules.side, stop.extreme, price) : price;
  return {
    stop: { status: 'trailing', extreme, stopPrice: stopPriceAt(rules, extreme, price) },
    action: 'activated',
  };
}

// |candidate - stop| / stop x 100 >= minimum, multiplied out: a division would round at the threshold.
function isWorthMoving(rules: TrailingStopRules, stopPrice: Decimal, candidate: Decimal): boolean {
  if (!isBetter(rules.side, candidate, stopPrice)) return false;
  if (rules.minimumMovePercent === null) return true;
  const move = absolute(subtract(candidate, stopPrice));
  return compare(multiply(move, hundred), multiply(rules.minimumMovePercent, stopPrice)) >= 0;
}

function distanceAt({ by, distance, tickSize }: TrailingStopRules, extreme: Decimal): Decimal {
  if (by === 'percent') return percentOf(extreme, distance);
  if (by === 'absolute') return distance;
  invariant(tickSize !== null, 'a distance in ticks has a tick size');
  return multiply(distance, tickSize);
}

function activationOf({ activationPrice }: TrailingStopRules): Decimal {
  invariant(activationPrice !== null, 'a waiting stop has an activation price');
  return activationPrice;
}

function checkStart(rules: TrailingStopRules, referencePrice: Decimal): readonly Fault[] {
  const distance = distanceAt(rules, referencePrice);
  if (rules.side === 'long' && !isLess(distance, referencePrice)) {
    return [{ code: 'TRAILING_DISTANCE_INVALID', context: { by: rules.by, distance: rules.distance, referencePrice } }];
  }
  if (rules.activationPrice === null) return [];
  const lead = absolute(subtract(rules.activationPrice, referencePrice));
  if (isLess(distance, lead)) return [];
  return [{ code: 'TRAILING_ACTIVATION_TOO_NEAR', context: { activationPrice: rules.activationPrice, distance } }];
}

const percentOf = (value: Decimal, percent: Decimal): Decimal => multiply(multiply(value, percent), hundredth);

const tightest = (side: PositionSide, a: Decimal | null, b: Decimal | null): Decimal | null =>
  a === null || b === null ? (a ?? b) : better(side, a, b);

function refuseBadPrice(price: Decimal): void {
  if (!isPositive(price)) throw new RatchetError('PRICE_INVALID', { price });
}
