import { add, type Decimal, isEqual, negate, subtract, zero } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { AcceptedOrder, ClosedStatus, ExpiryReason, Fill, LedgerEntry, OrderClosed } from './ledger.ts';

type PaperOrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | ClosedStatus;

/** An order as it stands now. `filledQuantity` and `filledQuote` are cumulative; `locked` is what it still holds. */
export type PaperOrder = AcceptedOrder & {
  readonly status: PaperOrderStatus;
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
  readonly locked: Decimal;
  readonly reason: ExpiryReason;
  readonly updatedAtMs: number;
};

export type PaperBalance = { readonly asset: string; readonly free: Decimal; readonly locked: Decimal };

/** The account: everything here is a fold over the ledger's entries and changes only by `apply`. */
export type Books = {
  readonly orders: ReadonlyMap<number, PaperOrder>;
  readonly openOrders: ReadonlyMap<number, PaperOrder>;
  readonly fills: readonly Fill[];
  /** Throws for an id that never was: look into `orders` first with one from outside. */
  order(orderId: number): PaperOrder;
  balance(asset: string): PaperBalance;
  balances(): readonly PaperBalance[];
  fillsOf(orderId: number): readonly Fill[];
  /** The latest order with this client id: the id is free again once its order is closed. */
  findByClientId(symbol: string, clientOrderId: string): PaperOrder | undefined;
  apply(entry: LedgerEntry): void;
};

export const leavesOf = (order: PaperOrder): Decimal => subtract(order.quantity, order.filledQuantity);

export function createBooks(): Books {
  const shelves: Shelves = {
    orders: new Map(),
    openOrders: new Map(),
    latestByClientId: new Map(),
    fills: [],
    fillsByOrder: new Map(),
    balances: new Map(),
  };
  return {
    orders: shelves.orders,
    openOrders: shelves.openOrders,
    fills: shelves.fills,
    order: (orderId) => orderOf(shelves, orderId),
    balance: (asset) => balanceOf(shelves, asset),
    balances: () => [...shelves.balances.values()],
    fillsOf: (orderId) => shelves.fillsByOrder.get(orderId) ?? [],
    findByClientId: (symbol, clientOrderId) =>
      shelves.orders.get(shelves.latestByClientId.get(`${symbol} ${clientOrderId}`) ?? -1),
    apply: (entry) => apply(shelves, entry),
  };
}

type Shelves = {
  readonly orders: Map<number, PaperOrder>;
  readonly openOrders: Map<number, PaperOrder>;
  readonly latestByClientId: Map<string, number>;
  readonly fills: Fill[];
  readonly fillsByOrder: Map<number, Fill[]>;
  readonly balances: Map<string, PaperBalance>;
};

function apply(shelves: Shelves, entry: LedgerEntry): void {
  switch (entry.kind) {
    case 'balance':
      move(shelves, entry.asset, entry.change, zero);
      break;
    case 'order':
      applyAccepted(shelves, entry);
      break;
    case 'fill':
      applyFill(shelves, entry);
      break;
    case 'closed':
      applyClosed(shelves, entry);
      break;
    case 'market':
    case 'request':
      break;
  }
}

function applyAccepted(shelves: Shelves, accepted: AcceptedOrder): void {
  const { lock, symbol, clientOrderId, orderId, acceptedAtMs } = accepted;
  move(shelves, lock.asset, negate(lock.quantity), lock.quantity);
  shelves.latestByClientId.set(`${symbol} ${clientOrderId}`, orderId);
  store(shelves, {
    ...accepted,
    status: 'NEW',
    filledQuantity: zero,
    filledQuote: zero,
    locked: lock.quantity,
    reason: 'NONE',
    updatedAtMs: acceptedAtMs,
  });
}

function applyFill(shelves: Shelves, fill: Fill): void {
  const order = orderOf(shelves, fill.orderId);
  const released = subtract(subtract(order.locked, spentBy(fill, order)), fill.lockedAfter);
  move(shelves, order.lock.asset, released, subtract(fill.lockedAfter, order.locked));
  move(shelves, order.side === 'BUY' ? order.baseAsset : order.quoteAsset, receivedBy(fill, order), zero);
  shelves.fills.push(fill);
  const siblings = shelves.fillsByOrder.get(fill.orderId);
  if (siblings) siblings.push(fill);
  else shelves.fillsByOrder.set(fill.orderId, [fill]);
  const filledQuantity = add(order.filledQuantity, fill.quantity);
  store(shelves, {
    ...order,
    status: isEqual(filledQuantity, order.quantity) ? 'FILLED' : 'PARTIALLY_FILLED',
    filledQuantity,
    filledQuote: add(order.filledQuote, fill.quoteQuantity),
    locked: fill.lockedAfter,
    updatedAtMs: fill.tradedAtMs,
  });
}

function applyClosed(shelves: Shelves, { orderId, status, reason, closedAtMs }: OrderClosed): void {
  const order = orderOf(shelves, orderId);
  move(shelves, order.lock.asset, order.locked, negate(order.locked));
  store(shelves, { ...order, status, reason, locked: zero, updatedAtMs: closedAtMs });
}

function orderOf({ orders }: Shelves, orderId: number): PaperOrder {
  const order = orders.get(orderId);
  invariant(order !== undefined, `the ledger knows order ${orderId}`);
  return order;
}

const balanceOf = ({ balances }: Shelves, asset: string): PaperBalance =>
  balances.get(asset) ?? { asset, free: zero, locked: zero };

function move(shelves: Shelves, asset: string, free: Decimal, locked: Decimal): void {
  const before = balanceOf(shelves, asset);
  shelves.balances.set(asset, { asset, free: add(before.free, free), locked: add(before.locked, locked) });
}

function store({ orders, openOrders }: Shelves, order: PaperOrder): void {
  orders.set(order.orderId, order);
  if (order.status === 'NEW' || order.status === 'PARTIALLY_FILLED') openOrders.set(order.orderId, order);
  else openOrders.delete(order.orderId);
}

/** What a fill takes out of the order's lock. */
export function spentBy(
  fill: Omit<Fill, 'tradeId' | 'tradedAtMs'>,
  order: Pick<AcceptedOrder, 'side' | 'quoteAsset'>,
): Decimal {
  if (order.side === 'SELL') return fill.quantity;
  return fill.feeAsset === order.quoteAsset ? add(fill.quoteQuantity, fill.fee) : fill.quoteQuantity;
}

// A seller's fee is always in the quote asset that it receives; a buyer's may be in either.
function receivedBy(fill: Fill, order: PaperOrder): Decimal {
  if (order.side === 'SELL') return subtract(fill.quoteQuantity, fill.fee);
  return fill.feeAsset === order.baseAsset ? subtract(fill.quantity, fill.fee) : fill.quantity;
}
