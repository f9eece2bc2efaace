import { decimal, zero } from '../../src/domain/decimal.ts';
import { applyReport, type OrderReport, type OrderState, type OrderStatus } from '../../src/domain/order.ts';

/** 3 that were sent, of which nothing was heard yet. */
export const anOrder = (changed: Partial<OrderState> = {}): OrderState => ({
  status: 'pendingNew',
  quantity: decimal('3'),
  reportedQuantity: zero,
  reportedQuote: zero,
  filledQuantity: zero,
  inDoubt: false,
  ...changed,
});

/** `quantity` filled at 100 each. */
export const report = (status: OrderReport['status'], quantity = 0): OrderReport => ({
  status,
  filledQuantity: decimal(String(quantity)),
  filledQuote: decimal(String(quantity * 100)),
});

/** The order after a report; one that may not be changes nothing. */
export function heard(state: OrderState, told: OrderReport): OrderState {
  const transition = applyReport(state, told);
  return transition.outcome === 'applied' ? transition.state : state;
}

export const statuses: readonly OrderStatus[] = [
  'pendingNew',
  'new',
  'partiallyFilled',
  'filled',
  'canceled',
  'rejected',
  'expired',
  'denied',
  'parked',
];
