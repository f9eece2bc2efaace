import { type Decimal, isEqual, isLess, isMore, isPositive, larger, subtract, zero } from './decimal.ts';

export type Side = 'BUY' | 'SELL';
export type PositionSide = 'long' | 'short';
/** FIX OrdType (40). A stop limit rests unseen until its stop price is traded, then is a limit order. */
export type OrderType = 'MARKET' | 'LIMIT' | 'STOP_LIMIT';
export type TimeInForce = 'GTC' | 'IOC' | 'FOK';
/** A `stop` rests at the venue and takes risk away when its price is reached; like an `exit`, nothing holds it back. */
export type OrderPurpose = 'entry' | 'exit' | 'stop';

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

/**
 * What a report can't say: more filled than was ordered, life in an order that was refused, or a refusal of an order
 * that has filled. It changes nothing here, and is an alert.
 */
export type ReportFault = 'overfilled' | 'resurrected' | 'contradicted';

export type OrderTransition =
  | { readonly outcome: 'applied'; readonly state: OrderState }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'illegal'; readonly reason: ReportFault };

/** Working = it can still fill. A parked order may yet appear, so it is neither working nor closed. */
const working: ReadonlySet<OrderStatus> = new Set(['pendingNew', 'new', 'partiallyFilled']);
const closed: ReadonlySet<OrderStatus> = new Set(['filled', 'canceled', 'rejected', 'expired', 'denied']);

export const isWorking = (status: OrderStatus): boolean => working.has(status);
export const isClosed = (status: OrderStatus): boolean => closed.has(status);

// How far along a status is. Reports get lost and come late, so any later one may follow and an earlier one is stale.
// No two ways to be closed share a place: which of them wins must not depend on which came first.
const progress: Record<OrderStatus, number> = {
  pendingNew: 0,
  parked: 0,
  new: 1,
  partiallyFilled: 2,
  rejected: 3,
  expired: 4,
  canceled: 5,
  filled: 6,
  denied: 7,
};

/**
 * The order after one report of the venue: the further status and the larger quantities, each for itself. So a report
 * that comes twice or late changes nothing, and the stream, the answer to a placement and a look-up may all tell the
 * same thing in any order. Closed stays closed; what may still follow is fills that crossed the cancel on the wire. Any
 * word of the venue about the order, even a stale one, settles a doubt.
 */
export function applyReport(state: OrderState, report: OrderReport): OrderTransition {
  const fault = faultOf(state, report);
  if (fault !== null) return { outcome: 'illegal', reason: fault };
  const next: OrderState = {
    ...state,
    status: further(state.status, report.status),
    reportedQuantity: larger(state.reportedQuantity, report.filledQuantity),
    reportedQuote: larger(state.reportedQuote, report.filledQuote),
    inDoubt: false,
  };
  return isSame(state, next) ? { outcome: 'unchanged' } : { outcome: 'applied', state: next };
}

/** Whether every fill that the venue has counted is in the set: only then is an order's money known. */
export const fillsComplete = (state: OrderState): boolean => !isLess(state.filledQuantity, state.reportedQuantity);

/** What can still fill: nothing once closed. */
export function leavesQuantity(state: OrderState): Decimal {
  if (isClosed(state.status)) return zero;
  const filled = larger(state.filledQuantity, state.reportedQuantity);
  return larger(zero, subtract(state.quantity, filled));
}

function faultOf(state: OrderState, report: OrderReport): ReportFault | null {
  if (isMore(report.filledQuantity, state.quantity)) return 'overfilled';
  if (state.status === 'denied') return 'resurrected';
  if (state.status === 'rejected' && (isWorking(report.status) || isPositive(report.filledQuantity))) {
    return 'resurrected';
  }
  const hasFilled = isPositive(larger(state.filledQuantity, state.reportedQuantity));
  return report.status === 'rejected' && hasFilled ? 'contradicted' : null;
}

const further = (a: OrderStatus, b: OrderReport['status']): OrderStatus => (progress[b] > progress[a] ? b : a);

const isSame = (a: OrderState, b: OrderState): boolean =>
  a.status === b.status &&
  a.inDoubt === b.inDoubt &&
  isEqual(a.reportedQuantity, b.reportedQuantity) &&
  isEqual(a.reportedQuote, b.reportedQuote);
