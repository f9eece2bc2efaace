import {
  absolute,
  add,
  compare,
  type Decimal,
  decimal,
  isEqual,
  isZero,
  multiply,
  roundToStep,
  smaller,
  subtract,
} from './decimal.ts';
import { better, isBetter } from './direction.ts';
import { isDust, roundQuantity, type SymbolFilters } from './filters.ts';
import { isClosed, type OrderStatus, type PositionSide } from './order.ts';

/** How a stop is held at the venue beside the local guard. Basis points are of the stop's price. */
export type ProtectionTerms = {
  /** How much worse than the stop's price the sale may be. */
  readonly limitOffsetBps: number;
  /** The stop at the venue is moved only when the local one is tighter by so much. */
  readonly moveStepBps: number;
  /** And not sooner than this after it was placed. */
  readonly moveIntervalMs: number;
};

/** A stop order of the position, as the book has it. */
export type ProtectiveOrder = {
  readonly clientOrderId: string;
  readonly generation: number;
  readonly status: OrderStatus;
  readonly inDoubt: boolean;
  readonly fillsComplete: boolean;
  readonly quantity: Decimal;
  readonly stopPrice: Decimal;
  /** The venue refused it because its price was traded already. */
  readonly wouldTrigger: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** A position that may have a stop at the venue. */
export type ProtectedPosition = {
  readonly side: PositionSide;
  /** Somebody has asked for its exit, or it is over: from here on the exit treats the stop orders. */
  readonly isLeaving: boolean;
  /** What is left to sell (of a short position: to buy back), net of fees in the base asset. */
  readonly held: Decimal;
  /** A part of it is sold already. */
  readonly hasSold: boolean;
  /** Where the local guards end the position now: the tightest of them. Null while none has a price. */
  readonly localStop: Decimal | null;
  /** Whether every guard that can have a price is armed. */
  readonly isArmed: boolean;
  /** The local stop trails, so it is looked at from time to time: nobody tells of its every move. */
  readonly isTrailing: boolean;
  /** By generation, the oldest first: all that are not settled, and at least the last few. */
  readonly orders: readonly ProtectiveOrder[];
  readonly filters: SymbolFilters;
  /** The last price, or null when nobody knows it. It may be old, so nothing but a pause is decided on it. */
  readonly price: Decimal | null;
};

export type StopTerms = { readonly quantity: Decimal; readonly stopPrice: Decimal; readonly limitPrice: Decimal };

export type ProtectionStep =
  | { readonly step: 'place'; readonly generation: number; readonly terms: StopTerms }
  /** Cancels the one and places the other in one request: the position is not without a stop for longer than that. */
  | {
      readonly step: 'replace';
      readonly replaced: number;
      readonly generation: number;
      readonly terms: StopTerms;
    }
  | { readonly step: 'cancel' | 'find' | 'collectFills'; readonly generation: number }
  /** No stop protects any more, only the exit does: the price was traded already, or too little is left for an order. */
  | { readonly step: 'exit'; readonly why: string }
  /** Until then, or until something changes where that is null. */
  | { readonly step: 'wait'; readonly why: string; readonly untilMs: number | null }
  | { readonly step: 'done' };

const unarmedLookMs = 1_000;
const throughLookMs = 1_000;
const shortestLifeMs = 1_000;
const failurePauseMs = 1_000;
const failurePauseMaxMs = 60_000;
const tenThousandth = decimal('0.0001');

/**
 * The next thing to do so that the venue holds one stop for what is held, where the local guard stands. First comes what
 * is not known or not counted, then a second stop where there is one, then what is missing. A stop never loosens. It is
 * replaced for the sake of its price only when that gains a whole step and the interval is over; for the sake of its
 * quantity, and when it is gone, at once. What an order has sold already, it is left to sell.
 */
export function nextProtectionStep(position: ProtectedPosition, terms: ProtectionTerms, nowMs: number): ProtectionStep {
  const next = stepOf(position, terms, nowMs);
  if (next.step !== 'wait' || next.untilMs !== null || !position.isTrailing) return next;
  return { ...next, untilMs: nowMs + terms.moveIntervalMs };
}

function stepOf(position: ProtectedPosition, terms: ProtectionTerms, nowMs: number): ProtectionStep {
  if (position.isLeaving) return { step: 'done' };
  const unsettled = unsettledStep(position.orders);
  if (unsettled !== undefined) return unsettled;
  const [working, ...others] = workingFirst(position);
  const surplus = others.at(-1);
  if (surplus !== undefined) return { step: 'cancel', generation: surplus.generation };
  const { localStop } = position;
  if (localStop === null) return waitForPrice(position, nowMs);
  if (working === undefined) return placeStep(position, wantedStop(position, terms, localStop), nowMs);
  // It has been set off and sells: whatever is left of it is at its limit price, and the local guard is behind it.
  if (working.status === 'partiallyFilled') return wait(`stop ${working.clientOrderId} sells`);
  return keepStep(
    position,
    terms,
    working,
    wantedStop(position, terms, better(position.side, working.stopPrice, localStop)),
    nowMs,
  );
}

/** Whether a price has reached the stop: a touch counts, as it does for the local guard. */
const isThrough = ({ side, price }: ProtectedPosition, stopPrice: Decimal): boolean =>
  price !== null && !isBetter(side, price, stopPrice);

function unsettledStep(orders: readonly ProtectiveOrder[]): ProtectionStep | undefined {
  for (const { status, inDoubt, fillsComplete, generation } of orders) {
    // It is presumed dead, and a person has been told.
    if (status === 'parked') continue;
    if (inDoubt || status === 'pendingNew') return { step: 'find', generation };
    if (isClosed(status) && !fillsComplete) return { step: 'collectFills', generation };
  }
  return undefined;
}

/** The stops that can fill, the one to keep first: one that sells, else the tightest, else the newest. */
function workingFirst({ side, orders }: ProtectedPosition): readonly ProtectiveOrder[] {
  const working = orders.filter(({ status }) => status === 'new' || status === 'partiallyFilled');
  const sells = ({ status }: ProtectiveOrder): number => (status === 'partiallyFilled' ? 1 : 0);
  return working.toSorted((a, b) => {
    if (sells(a) !== sells(b)) return sells(b) - sells(a);
    if (!isEqual(a.stopPrice, b.stopPrice)) return isBetter(side, a.stopPrice, b.stopPrice) ? -1 : 1;
    return b.generation - a.generation;
  });
}

/**
 * The order in the venue's steps. Prices are rounded away from the market: the venue's stop is never tighter than the
 * local one, and its limit never nearer than asked.
 */
function wantedStop({ side, held, filters }: ProtectedPosition, terms: ProtectionTerms, localStop: Decimal): StopTerms {
  const rounding = side === 'long' ? 'floor' : 'ceiling';
  const inTicks = (price: Decimal): Decimal =>
    isZero(filters.tickSize) ? price : roundToStep(price, filters.tickSize, rounding);
  const stopPrice = inTicks(localStop);
  const offset = multiply(multiply(stopPrice, decimal(String(terms.limitOffsetBps))), tenThousandth);
  const limitPrice = inTicks(side === 'long' ? subtract(stopPrice, offset) : add(stopPrice, offset));
  const quantity = roundQuantity(filters, filters.quantityMax === null ? held : smaller(held, filters.quantityMax));
  return { quantity, stopPrice, limitPrice };
}

const isTooSmall = ({ filters }: ProtectedPosition, { quantity, limitPrice }: StopTerms): boolean =>
  isDust(filters, quantity, limitPrice, 'STOP_LIMIT');

function waitForPrice({ isArmed }: ProtectedPosition, nowMs: number): ProtectionStep {
  return isArmed ? wait('no guard has a price yet') : wait('the guards are not armed yet', nowMs + unarmedLookMs);
}

function placeStep(position: ProtectedPosition, wanted: StopTerms, nowMs: number): ProtectionStep {
  const { orders, hasSold } = position;
  const last = orders.at(-1);
  if (last?.wouldTrigger) return { step: 'exit', why: `the venue says that ${last.stopPrice} was traded already` };
  if (isTooSmall(position, wanted)) {
    // What a stop has begun to sell is on its way out, and nothing else would ever end such a rest.
    return hasSold
      ? { step: 'exit', why: 'a stop has sold, and what it left is too small for another one' }
      : wait('what is held is too small for an order');
  }
  if (last !== undefined) {
    // One that was refused, or taken away, is followed by the next at once; one in a row of them after a pause.
    const afterPauseMs = last.updatedAtMs + pauseMs(failuresInARow(orders) - 1);
    const notBeforeMs = isRefused(last) ? afterPauseMs : Math.max(afterPauseMs, last.createdAtMs + shortestLifeMs);
    if (nowMs < notBeforeMs) return wait(`the last stop was ${last.status}`, notBeforeMs);
  }
  return { step: 'place', generation: nextGeneration(orders), terms: wanted };
}

function keepStep(
  position: ProtectedPosition,
  terms: ProtectionTerms,
  working: ProtectiveOrder,
  wanted: StopTerms,
  nowMs: number,
): ProtectionStep {
  if (isTooSmall(position, wanted)) return { step: 'cancel', generation: working.generation };
  const isResized = !isEqual(working.quantity, wanted.quantity);
  if (!isResized && !isWorthMoving(working, wanted, terms)) return wait(`stop ${working.clientOrderId} works`);
  // The venue would cancel the old one, refuse the new one, and leave nothing: the local guard is about to end it.
  if (isThrough(position, wanted.stopPrice))
    return wait(`${position.price} is through the stop`, nowMs + throughLookMs);
  const restMs = isResized ? shortestLifeMs : terms.moveIntervalMs;
  const last = position.orders.at(-1) ?? working;
  const notBeforeMs = Math.max(
    working.createdAtMs + restMs,
    last.updatedAtMs + pauseMs(failuresInARow(position.orders)),
  );
  if (nowMs < notBeforeMs) return wait(`stop ${working.clientOrderId} is to be replaced`, notBeforeMs);
  return {
    step: 'replace',
    replaced: working.generation,
    generation: nextGeneration(position.orders),
    terms: wanted,
  };
}

// |wanted - working| / working >= step, multiplied out: a division would round at the threshold. Never for a loosening:
// the prices compared are both the venue's, so that rounding alone moves nothing.
const isWorthMoving = (working: ProtectiveOrder, wanted: StopTerms, { moveStepBps }: ProtectionTerms): boolean => {
  const move = absolute(subtract(wanted.stopPrice, working.stopPrice));
  const step = multiply(multiply(working.stopPrice, decimal(String(moveStepBps))), tenThousandth);
  return !isZero(move) && compare(move, step) >= 0;
};

const isRefused = ({ status }: ProtectiveOrder): boolean =>
  status === 'rejected' || status === 'denied' || status === 'parked';

/** Taken away within the longest pause. One that was replaced ended after its successor was intended. */
const wasSoonGone = (
  { status, createdAtMs, updatedAtMs }: ProtectiveOrder,
  next: ProtectiveOrder | undefined,
): boolean =>
  (status === 'canceled' || status === 'expired') &&
  updatedAtMs - createdAtMs < failurePauseMaxMs &&
  (next === undefined || next.createdAtMs >= updatedAtMs);

/** How many of the last ones protected nothing, or not for long. */
function failuresInARow(orders: readonly ProtectiveOrder[]): number {
  const held = orders.findLastIndex((order, place) => !isRefused(order) && !wasSoonGone(order, orders[place + 1]));
  return orders.length - 1 - held;
}

const pauseMs = (failures: number): number =>
  failures <= 0 ? 0 : Math.min(failurePauseMaxMs, failurePauseMs * 2 ** Math.min(failures - 1, 10));

const nextGeneration = (orders: readonly ProtectiveOrder[]): number =>
  Math.max(0, ...orders.map(({ generation }) => generation)) + 1;

const wait = (why: string, untilMs: number | null = null): ProtectionStep => ({ step: 'wait', why, untilMs });
