import { add, type Decimal, isEqual, negate, subtract, sum, zero } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type {
  AcceptedOrder,
  ClosedStatus,
  ExpiryReason,
  Fill,
  FillEdited,
  LedgerEntry,
  OrderClosed,
  OrderTriggered,
  PreventedMatch,
} from './ledger.ts';

type PaperOrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | ClosedStatus;

/** An order as it stands now. `filledQuantity` and `filledQuote` are cumulative; `locked` is what it still holds. */
export type PaperOrder = AcceptedOrder & {
  readonly status: PaperOrderStatus;
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
  readonly locked: Decimal;
  readonly reason: ExpiryReason;
  /** Since when it can trade; null = a stop order that waits. */
  readonly workingAtMs: number | null;
  /** The last match with another order of the account that ended this one. */
  readonly prevented: PreventedMatch | null;
  readonly isArchived: boolean;
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
  /** A fill as the venue tells it when it is asked. */
  told(fill: Fill): Fill;
  /** An order as the venue tells it when it is asked: its sums follow fills that are told otherwise. */
  toldOrder(order: PaperOrder): PaperOrder;
  readonly preventedMatches: readonly PreventedMatch[];
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
    edits: new Map(),
    preventedMatches: [],
  };
  return {
    orders: shelves.orders,
    openOrders: shelves.openOrders,
    fills: shelves.fills,
    order: (orderId) => orderOf(shelves, orderId),
    balance: (asset) => balanceOf(shelves, asset),
    balances: () => [...shelves.balances.values()],
    fillsOf: (orderId) => shelves.fillsByOrder.get(orderId) ?? [],
    told: (fill) => toldOf(shelves, fill),
    toldOrder: (order) => toldOrderOf(shelves, order),
    preventedMatches: shelves.preventedMatches,
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
  readonly edits: Map<string, FillEdited['told']>;
  readonly preventedMatches: PreventedMatch[];
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
    case 'triggered':
      applyTriggered(shelves, entry);
      break;
    case 'prevented':
      applyPrevented(shelves, entry);
      break;
    case 'closed':
      applyClosed(shelves, entry);
      break;
    case 'fillEdited':
      shelves.edits.set(`${entry.symbol} ${entry.tradeId}`, entry.told);
      break;
    case 'archived':
      store(shelves, { ...orderOf(shelves, entry.orderId), isArchived: true });
      break;
    case 'market':
    case 'request':
      break;
  }
}

/** What an order of a ledger from before these terms has. */
const firstTerms = { stopPrice: null, preventionMode: 'EXPIRE_MAKER', feeIn: 'received' } as const;

function applyAccepted(shelves: Shelves, accepted: AcceptedOrder): void {
  const terms = { ...firstTerms, ...accepted };
  const { lock, symbol, clientOrderId, orderId, acceptedAtMs } = accepted;
  move(shelves, lock.asset, negate(lock.quantity), lock.quantity);
  shelves.latestByClientId.set(`${symbol} ${clientOrderId}`, orderId);
  store(shelves, {
    ...terms,
    status: 'NEW',
    filledQuantity: zero,
    filledQuote: zero,
    locked: lock.quantity,
    reason: 'NONE',
    workingAtMs: terms.stopPrice === null ? acceptedAtMs : null,
    prevented: null,
    isArchived: false,
    updatedAtMs: acceptedAtMs,
  });
}

function applyFill(shelves: Shelves, fill: Fill): void {
  const order = orderOf(shelves, fill.orderId);
  const released = subtract(subtract(order.locked, spentBy(fill, order)), fill.lockedAfter);
  move(shelves, order.lock.asset, released, subtract(fill.lockedAfter, order.locked));
  move(shelves, receivedAsset(order), receivedBy(fill, order), zero);
  if (isPaidFromFree(fill, order)) move(shelves, fill.feeAsset, negate(fill.fee), zero);
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

function applyTriggered(shelves: Shelves, { orderId, locked, triggeredAtMs }: OrderTriggered): void {
  const order = orderOf(shelves, orderId);
  move(shelves, order.lock.asset, subtract(order.locked, locked), subtract(locked, order.locked));
  store(shelves, { ...order, locked, workingAtMs: triggeredAtMs, updatedAtMs: triggeredAtMs });
}

function applyPrevented(shelves: Shelves, match: PreventedMatch): void {
  shelves.preventedMatches.push(match);
  for (const [orderId, quantity] of [
    [match.makerOrderId, match.makerQuantity],
    [match.takerOrderId, match.takerQuantity],
  ] as const) {
    if (quantity !== null) store(shelves, { ...orderOf(shelves, orderId), prevented: match });
  }
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

const toldOf = ({ edits }: Shelves, fill: Fill): Fill => ({
  ...fill,
  ...edits.get(`${fill.symbol} ${fill.tradeId}`),
});

function toldOrderOf(shelves: Shelves, order: PaperOrder): PaperOrder {
  if (shelves.edits.size === 0) return order;
  const fills = (shelves.fillsByOrder.get(order.orderId) ?? []).map((fill) => toldOf(shelves, fill));
  return {
    ...order,
    filledQuantity: sum(fills.map(({ quantity }) => quantity)),
    filledQuote: sum(fills.map(({ quoteQuantity }) => quoteQuantity)),
  };
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

type Sides = Pick<AcceptedOrder, 'side' | 'baseAsset' | 'quoteAsset'>;
type FillBeforeTape = Omit<Fill, 'tradeId' | 'tradedAtMs'>;

const receivedAsset = ({ side, baseAsset, quoteAsset }: Sides): string => (side === 'BUY' ? baseAsset : quoteAsset);

/** What a fill takes out of the order's lock: a buyer who pays the fee in quote has locked that, too. */
export function spentBy(fill: FillBeforeTape, order: Sides): Decimal {
  if (order.side === 'SELL') return fill.quantity;
  return fill.feeAsset === order.quoteAsset ? add(fill.quoteQuantity, fill.fee) : fill.quoteQuantity;
}

function receivedBy(fill: Fill, order: Sides): Decimal {
  const received = order.side === 'BUY' ? fill.quantity : fill.quoteQuantity;
  return fill.feeAsset === receivedAsset(order) ? subtract(received, fill.fee) : received;
}

/** A fee in a third asset, which is neither received nor locked for it. */
const isPaidFromFree = (fill: Fill, order: Sides): boolean =>
  fill.feeAsset !== receivedAsset(order) && !(order.side === 'BUY' && fill.feeAsset === order.quoteAsset);
