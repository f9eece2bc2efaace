import { compare, type Decimal, isLess, isMore, larger, subtract, zero } from './decimal.ts';

export type Side = 'BUY' | 'SELL';
export type PositionSide = 'long' | 'short';
export type OrderType = 'MARKET' | 'LIMIT';
export type TimeInForce = 'GTC' | 'IOC' | 'FOK';
export type OrderPurpose = 'entry' | 'exit';

/**
 * FIX OrdStatus (39), and two of ours: `denied` was refused here, before any byte left; `parked` could not be found
 * at the venue until its fence had passed and waits for a person.
 */
export type OrderStatus =
  | 'pendingNew'
  | 'new'
  | 'partiallyFilled'
  | 'filled'
  | 'canceled'
  | 'rejected'
  | 'expired'
  | 'denied'
  | 'parked';

/** What a venue says of an order. Both quantities are cumulative, like FIX CumQty (14). */
export type OrderReport = {
  readonly status: Exclude<OrderStatus, 'pendingNew' | 'denied' | 'parked'>;
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
};

/** What is known of an order: `reported…` as the venue last said, `filled…` the sum over the set of fills seen. */
export type OrderState = {
  readonly status: OrderStatus;
  readonly quantity: Decimal;
  readonly reportedQuantity: Decimal;
  readonly reportedQuote: Decimal;
  readonly filledQuantity: Decimal;
  readonly inDoubt: boolean;
};

export type OrderTransition =
  | { readonly outcome: 'applied'; readonly state: OrderState }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'illegal'; readonly reason: 'overfilled' | 'resurrected' };

/** Working = it can still fill. A parked order may yet appear, so it is neither working nor closed. */
const working: ReadonlySet<OrderStatus> = new Set(['pendingNew', 'new', 'partiallyFilled']);
const closed: ReadonlySet<OrderStatus> = new Set(['filled', 'canceled', 'rejected', 'expired', 'denied']);

export const isWorking = (status: OrderStatus): boolean => working.has(status);
export const isClosed = (status: OrderStatus): boolean => closed.has(status);

// How far along a status is. Reports get lost and come late, so any later one may follow; an earlier one is stale.
const progress: Record<OrderStatus, number> = {
  pendingNew: 0,
  parked: 0,
  new: 1,
  partiallyFilled: 2,
  rejected: 3,
  canceled: 3,
  expired: 3,
  filled: 4,
  denied: 5,
};

/**
 * The order after one report of the venue. A report that comes twice, or after a later one, changes nothing, so the
 * stream, the answer to a placement and a look-up may all report the same thing in any order. Terminal states absorb:
 * the one thing that may still follow a cancel or an expiry is more fills that crossed it on the wire.
 */
export function applyReport(state: OrderState, report: OrderReport): OrderTransition {
  if (isMore(report.filledQuantity, state.quantity)) return { outcome: 'illegal', reason: 'overfilled' };
  if (state.status === 'denied') return { outcome: 'illegal', reason: 'resurrected' };
  if (isStale(state, report)) return settleDoubt(state);
  if (isClosed(state.status) && !mayFollowClosed(state, report)) return settleDoubt(state);
  return {
    outcome: 'applied',
    state: {
      ...state,
      status: later(state.status, report.status),
      reportedQuantity: larger(state.reportedQuantity, report.filledQuantity),
      reportedQuote: larger(state.reportedQuote, report.filledQuote),
      inDoubt: false,
    },
  };
}

/** Whether every fill that the venue has counted is in the set: only then is an order's money known. */
export const fillsComplete = (state: OrderState): boolean => !isLess(state.filledQuantity, state.reportedQuantity);

/** What can still fill: nothing once closed. */
export function leavesQuantity(state: OrderState): Decimal {
  if (isClosed(state.status)) return zero;
  const filled = larger(state.filledQuantity, state.reportedQuantity);
  return larger(zero, subtract(state.quantity, filled));
}

// Any word of the venue about the order is the answer to the doubt, even a stale one.
function settleDoubt(state: OrderState): OrderTransition {
  return state.inDoubt ? { outcome: 'applied', state: { ...state, inDoubt: false } } : { outcome: 'unchanged' };
}

function isStale(state: OrderState, report: OrderReport): boolean {
  const quantity = compare(report.filledQuantity, state.reportedQuantity);
  if (quantity < 0) return true;
  return quantity === 0 && progress[report.status] <= progress[state.status] && state.status !== 'parked';
}

function mayFollowClosed(state: OrderState, report: OrderReport): boolean {
  if (state.status === 'filled' || state.status === 'rejected') return false;
  return isMore(report.filledQuantity, state.reportedQuantity);
}

const later = (a: OrderStatus, b: OrderReport['status']): OrderStatus => (progress[b] >= progress[a] ? b : a);
