import type { Side } from '../../src/domain/order.ts';
import type { VenueSignal } from '../../src/domain/outcome.ts';
import type { Fate } from './pure-plan.ts';

export type ModelFill = { readonly tradeId: number; readonly quantity: number };

/** What the model venue has, in whole thousandths. */
export type ModelOrder = {
  readonly id: string;
  readonly side: Side;
  readonly quantity: number;
  readonly acceptedAtMs: number;
  status: 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED';
  fills: readonly ModelFill[];
};

/** What the venue says of an order at one time: the order's end or not, and all its fills until then. */
export type ModelReport = Pick<ModelOrder, 'id' | 'status' | 'fills'>;

/** The venue in memory: orders, fills, and each report that it ever wrote. */
export type ModelVenue = {
  readonly orders: readonly ModelOrder[];
  readonly reports: readonly ModelReport[];
  /** Takes an order or not, and what its sender is told. `fills` is traded at once. */
  place(
    order: { readonly id: string; readonly side: Side; readonly quantity: number; readonly signedAtMs: number },
    how: { readonly fate: Fate; readonly fills: number; readonly nowMs: number },
  ): VenueSignal;
  cancel(id: string, fate: Fate): VenueSignal;
  trade(quantity: number): void;
  /** The latest order of this id, unless it is younger than `lagMs`. */
  find(id: string, nowMs: number, lagMs: number): ModelOrder | undefined;
};

export const recvWindowMs = 3_000;

export const filledOf = ({ fills }: Pick<ModelOrder, 'fills'>): number =>
  fills.reduce((sum, { quantity }) => sum + quantity, 0);

export const isOpen = ({ status }: Pick<ModelOrder, 'status'>): boolean =>
  status === 'NEW' || status === 'PARTIALLY_FILLED';

export function modelVenue(): ModelVenue {
  const orders: ModelOrder[] = [];
  const reports: ModelReport[] = [];
  let trades = 0;

  const report = (order: ModelOrder): void => void reports.push({ ...order });

  const fill = (order: ModelOrder, wanted: number): void => {
    const quantity = Math.min(wanted, order.quantity - filledOf(order));
    if (quantity <= 0 || !isOpen(order)) return;
    trades += 1;
    order.fills = [...order.fills, { tradeId: trades, quantity }];
    order.status = filledOf(order) === order.quantity ? 'FILLED' : 'PARTIALLY_FILLED';
    report(order);
  };

  return {
    orders,
    reports,
    place({ id, side, quantity, signedAtMs }, { fate, fills, nowMs }) {
      const refused = signalBefore(fate);
      if (refused !== undefined) return refused;
      if (nowMs > signedAtMs + recvWindowMs) return http(400, -1021, 'Timestamp for this request is outside.');
      // Only an id that still works is a duplicate: one that has filled is taken again.
      if (orders.some((order) => order.id === id && isOpen(order))) return http(400, -2010, 'Duplicate order sent.');
      const order: ModelOrder = { id, side, quantity, acceptedAtMs: nowMs, status: 'NEW', fills: [] };
      orders.push(order);
      report(order);
      fill(order, fills);
      return signalAfter(fate);
    },
    cancel(id, fate) {
      const refused = signalBefore(fate);
      if (refused !== undefined) return refused;
      const order = orders.findLast((each) => each.id === id);
      if (order === undefined || !isOpen(order)) return http(400, -2011, 'Unknown order sent.');
      order.status = 'CANCELED';
      report(order);
      return signalAfter(fate);
    },
    trade(quantity) {
      for (const order of orders.filter(isOpen)) fill(order, quantity);
    },
    find: (id, nowMs, lagMs) => orders.findLast((order) => order.id === id && order.acceptedAtMs <= nowMs - lagMs),
  };
}

const http = (status: number, code: number, message: string): VenueSignal => ({ kind: 'http', status, code, message });

/** What is answered, or not, before the venue has done anything. */
function signalBefore(fate: Fate): VenueSignal | undefined {
  switch (fate) {
    case 'refusedConnection':
      return { kind: 'transport', failure: 'refused', firstByteSent: false };
    case 'lostBefore':
      return { kind: 'transport', failure: 'timeout', firstByteSent: true };
    case 'failedBefore':
      return http(503, -1008, 'Server is currently overloaded.');
    case 'throttled':
      return http(429, -1015, 'Too many new orders.');
    case 'rejected':
      return http(400, -2010, 'Account has insufficient balance for requested action.');
    case 'fatal':
      return http(401, -2015, 'Invalid API-key, IP, or permissions for action.');
    default:
      return undefined;
  }
}

function signalAfter(fate: Fate): VenueSignal {
  switch (fate) {
    case 'lostAfter':
      return { kind: 'transport', failure: 'reset', firstByteSent: true };
    case 'failedAfter':
      return http(504, -1007, 'Timeout waiting for response.');
    case 'garbledAfter':
      return { kind: 'http', status: 200, matches: false };
    default:
      return { kind: 'http', status: 200, matches: true };
  }
}
