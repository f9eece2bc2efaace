import { add, type Decimal, isPositive, isZero, larger, roundToStep, smaller, subtract, zero } from './decimal.ts';
import { isDust, type SymbolFilters } from './filters.ts';
import { isClosed, type OrderPurpose, type OrderStatus, type OrderType, type Side } from './order.ts';

/** One order of the trade, as the book has it. */
export type ExitOrder = {
  readonly clientOrderId: string;
  readonly purpose: OrderPurpose;
  readonly generation: number;
  readonly orderType: OrderType;
  readonly status: OrderStatus;
  readonly inDoubt: boolean;
  readonly fillsComplete: boolean;
  readonly filledQuantity: Decimal;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** A leg of the trade on its way out. */
export type ExitLeg = {
  readonly leg: number;
  readonly symbol: string;
  readonly exitSide: Side;
  readonly entryQuantity: Decimal;
  readonly exitQuantity: Decimal;
  /** Fees taken in the base asset: that much less is there to sell. */
  readonly baseFee: Decimal;
  /** What people have found to be gone from the venue, and written off. */
  readonly writtenOff?: Decimal;
  readonly orders: readonly ExitOrder[];
  readonly filters: SymbolFilters;
  /** The last price, or null when nobody knows it. */
  readonly price: Decimal | null;
  /** What the venue says is free of the base asset; null when unknown. */
  readonly freeBase: Decimal | null;
};

export type ExitPlan = {
  /** A first try at this price or better; null goes to market at once. */
  readonly limitPrice: Decimal | null;
  /** How long that try may work before the rest goes to market. */
  readonly escalateAfterMs: number;
};

export type ExitStep =
  | { readonly step: 'cancel'; readonly leg: number; readonly clientOrderId: string }
  /** It may stand at the venue or not: ask until the venue's answer is definite or the fence has passed. */
  | { readonly step: 'find'; readonly leg: number; readonly clientOrderId: string }
  | { readonly step: 'collectFills'; readonly leg: number; readonly clientOrderId: string }
  | {
      readonly step: 'place';
      readonly leg: number;
      readonly generation: number;
      readonly side: Side;
      readonly orderType: OrderType;
      readonly quantity: Decimal;
      readonly limitPrice: Decimal | null;
    }
  | { readonly step: 'await'; readonly why: string; readonly untilMs: number }
  /** Nothing works, nothing is unknown, and what is left is too small to sell. */
  | { readonly step: 'settle' };

/** When each order was last asked to cancel, by its clientOrderId. */
type CancelTimes = ReadonlyMap<string, number>;

const retryBaseMs = 200;
const retryCapMs = 5_000;
const cancelAgainMs = 5_000;
const parkedLookMs = 60_000;

/**
 * The next thing to do on the way to flat. Cancels what still works for the trade, waits until each order's end and
 * fills are known, sells what is left, escalates from limit to market, and never sells more than is held. It never
 * gives up: a refused exit is followed by the next generation after a pause of at most 5 seconds. No leg waits for
 * another one.
 *
 * `canceled` says of each order that was asked to cancel when that last was: the rest of the position does not wait for
 * it, and where it still works it is asked again, after what can be sold.
 */
export function nextExitStep(legs: readonly ExitLeg[], plan: ExitPlan, canceled: CancelTimes, nowMs: number): ExitStep {
  const steps = legs.map((leg) => stepOfLeg(leg, plan, canceled, nowMs));
  // What can be sold is sold before anything is asked about another leg: the answer may take until its fence.
  const next = steps.find(({ step }) => step === 'place') ?? steps.find(({ step }) => !isIdle(step));
  if (next !== undefined) return next;
  return soonest(steps) ?? { step: 'settle' };
}

const soonest = (steps: readonly ExitStep[]): ExitStep | undefined =>
  steps.filter((step) => step.step === 'await').toSorted((a, b) => a.untilMs - b.untilMs)[0];

const isIdle = (step: ExitStep['step']): boolean => step === 'await' || step === 'settle';

/** Whether what is left of the leg is too small to sell. */
export const isLegFlat = (leg: ExitLeg): boolean =>
  isDust(leg.filters, roundToStep(heldOf(leg), leg.filters.stepSize, 'floor'), leg.price);

const heldOf = ({ entryQuantity, exitQuantity, baseFee, writtenOff = zero }: ExitLeg): Decimal =>
  larger(zero, subtract(subtract(entryQuantity, exitQuantity), add(baseFee, writtenOff)));

function stepOfLeg(leg: ExitLeg, plan: ExitPlan, canceled: CancelTimes, nowMs: number): ExitStep {
  const unsettled = unsettledStep(leg, plan, canceled, nowMs);
  if (unsettled !== undefined && !canWait(unsettled, canceled)) return unsettled;

  const held = heldOf(leg);
  const sellable = sellableNow(leg, held);
  const mustWait = unsettled ?? parkedEntry(leg, nowMs);
  if (hasOpenExit(leg)) return mustWait ?? wait('an exit order is on its way', nowMs + retryCapMs);
  if (isZero(sellable) || isDust(leg.filters, sellable, leg.price)) {
    if (mustWait) return mustWait;
    return isShortOfBalance(leg, held, sellable)
      ? wait('the venue shows less of the base asset than the position holds', nowMs + sinceChangeMs(leg, nowMs))
      : { step: 'settle' };
  }
  const next = placeNext(leg, plan, sellable, nowMs);
  return next.step === 'await' && mustWait?.step === 'cancel' ? mustWait : next;
}

/** A wait, or a cancel that was asked for before: neither holds up a sale. */
const canWait = (step: ExitStep, canceled: CancelTimes): boolean =>
  step.step === 'await' || (step.step === 'cancel' && canceled.has(step.clientOrderId));

/** What must be known or undone before the leg is flat: cancel, find, collect fills, or wait for them. */
function unsettledStep(leg: ExitLeg, plan: ExitPlan, canceled: CancelTimes, nowMs: number): ExitStep | undefined {
  const steps = leg.orders.flatMap((order) => stepOfOrder(leg, order, plan, canceled, nowMs) ?? []);
  return (
    steps.find((step) => !canWait(step, canceled)) ?? steps.find(({ step }) => step === 'cancel') ?? soonest(steps)
  );
}

function stepOfOrder(
  leg: ExitLeg,
  order: ExitOrder,
  plan: ExitPlan,
  canceled: CancelTimes,
  nowMs: number,
): ExitStep | undefined {
  const at = { leg: leg.leg, clientOrderId: order.clientOrderId };
  if (order.status === 'parked') return undefined;
  if (order.inDoubt || order.status === 'pendingNew') return { step: 'find', ...at };
  if (!isClosed(order.status)) return workingStep(leg, order, plan, canceled, nowMs);
  return order.fillsComplete ? undefined : { step: 'collectFills', ...at };
}

// The balance follows an order's end at once, so it is looked at soon, and ever later while nothing changes.
function sinceChangeMs({ orders }: ExitLeg, nowMs: number): number {
  const changedAtMs = Math.max(...orders.map(({ updatedAtMs }) => updatedAtMs));
  return Math.min(retryCapMs, Math.max(retryBaseMs, nowMs - changedAtMs));
}

/** Cancels it once its time is over, and again as long as it works all the same: a cancel can be lost or refused. */
function workingStep(
  { leg }: ExitLeg,
  { clientOrderId, purpose, createdAtMs }: ExitOrder,
  plan: ExitPlan,
  canceled: CancelTimes,
  nowMs: number,
): ExitStep {
  const askedAtMs = canceled.get(clientOrderId);
  const dueAtMs = purpose === 'exit' ? createdAtMs + plan.escalateAfterMs : nowMs;
  const untilMs = askedAtMs === undefined ? dueAtMs : askedAtMs + cancelAgainMs;
  return nowMs >= untilMs
    ? { step: 'cancel', leg, clientOrderId }
    : wait(`order ${clientOrderId} still works`, untilMs);
}

const hasOpenExit = (leg: ExitLeg): boolean =>
  leg.orders.some((order) => order.purpose !== 'entry' && order.status !== 'parked' && !isClosed(order.status));

// A parked entry may yet appear, so the trade can't be settled; a person resolves it.
function parkedEntry(leg: ExitLeg, nowMs: number): ExitStep | undefined {
  const parked = leg.orders.find((order) => order.purpose === 'entry' && order.status === 'parked');
  return parked && wait(`entry order ${parked.clientOrderId} is parked`, nowMs + parkedLookMs);
}

// After a parked or rejected exit the venue's own balance bounds the next one: what we believe to hold may be gone. A
// stop that was refused says nothing of that, and what another one locks comes free with its cancel.
function sellableNow(leg: ExitLeg, held: Decimal): Decimal {
  const doubted = leg.orders.some(
    ({ purpose, status }) =>
      (purpose !== 'entry' && status === 'parked') || (purpose === 'exit' && status === 'rejected'),
  );
  const bounded = doubted && leg.exitSide === 'SELL' && leg.freeBase !== null ? smaller(held, leg.freeBase) : held;
  return roundToStep(bounded, leg.filters.stepSize, 'floor');
}

const isShortOfBalance = (leg: ExitLeg, held: Decimal, sellable: Decimal): boolean =>
  isPositive(held) &&
  !isDust(leg.filters, roundToStep(held, leg.filters.stepSize, 'floor'), leg.price) &&
  isDust(leg.filters, sellable, leg.price);

function placeNext(leg: ExitLeg, plan: ExitPlan, sellable: Decimal, nowMs: number): ExitStep {
  const exits = leg.orders.filter((order) => order.purpose === 'exit');
  const last = exits.at(-1);
  const failedInARow = exits.length - 1 - exits.findLastIndex((order) => isPositive(order.filledQuantity));
  const pauseMs = failedInARow === 0 ? 0 : Math.min(retryCapMs, retryBaseMs * 2 ** Math.min(failedInARow - 1, 10));
  if (last !== undefined && nowMs < last.updatedAtMs + pauseMs) {
    return wait(`the last exit order was ${last.status}`, last.updatedAtMs + pauseMs);
  }
  const limitPrice = exits.length === 0 ? plan.limitPrice : null;
  return {
    step: 'place',
    leg: leg.leg,
    generation: Math.max(0, ...exits.map((order) => order.generation)) + 1,
    side: leg.exitSide,
    orderType: limitPrice === null ? 'MARKET' : 'LIMIT',
    quantity: limitPrice === null ? withinMarketMaximum(leg.filters, sellable) : sellable,
    limitPrice,
  };
}

const withinMarketMaximum = (filters: SymbolFilters, quantity: Decimal): Decimal =>
  filters.marketQuantityMax === null
    ? quantity
    : roundToStep(smaller(quantity, filters.marketQuantityMax), filters.stepSize, 'floor');

const wait = (why: string, untilMs: number): Extract<ExitStep, { step: 'await' }> => ({ step: 'await', why, untilMs });
