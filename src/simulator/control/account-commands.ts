import { add, type Decimal, decimal, isDecimal, isMore, isNegative, isPositive } from '../../domain/decimal.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { FeeRules } from '../exchange/fees.ts';
import type { Fill } from '../exchange/ledger.ts';
import { quoteOf } from '../exchange/matching.ts';
import { orderCommandOf } from '../rest/order-parameters.ts';
import { type Body, type Command, type Outcome, ok, refused, wrong } from './command.ts';
import type { Stage } from './stage.ts';

/** What happens to the account and to its orders without a request. */
export const accountCommands: Readonly<Record<string, Command>> = {
  'POST /__sim/external': external,
  'POST /__sim/fill': fill,
  'POST /__sim/editFill': editFill,
  'POST /__sim/archive': archive,
  'POST /__sim/fees': changeFees,
};

/** What a person does to the account by hand: an order, with the parameters of POST /order, a cancel, or a transfer. */
function external({ core }: Stage, body: Body): Outcome {
  const { exchange, clock } = core;
  const { type, order, orderId, asset, change } = body;
  if (type === 'order' && typeof order === 'object' && order !== null) {
    const parameters = Object.fromEntries(Object.entries(order).map(([name, value]) => [name, String(value)]));
    if (!exchange.venues.has(parameters['symbol'] ?? '')) return wrong('order.symbol is a symbol of this venue');
    const command = orderCommandOf(parameters, { requestId: 0, receivedAtMs: clock.nowMs() });
    const placement = exchange.place({ ...command, origin: 'external', requestId: null });
    return placement.outcome === 'accepted' ? ok({ order: placement.order }) : refused(placement.refusal);
  }
  if (type === 'cancel' && typeof orderId === 'number' && exchange.books.openOrders.has(orderId)) {
    return ok({ order: exchange.cancel(orderId, 'external') });
  }
  if (type === 'balance' && typeof asset === 'string' && isDecimal(change)) {
    const { free } = exchange.books.balance(asset);
    if (isNegative(add(free, decimal(change)))) return wrong(`there are only ${free} ${asset} free to take out`);
    exchange.changeBalance(asset, decimal(change), 'external');
    return ok({ balance: exchange.books.balance(asset) });
  }
  return wrong(
    'external is {type: "order", order}, {type: "cancel", orderId} of an open order, or {type: "balance", asset, change}',
  );
}

/** By `orderId`, or the latest with that `clientOrderId` on any symbol. */
function orderNamed({ core }: Stage, { orderId, clientOrderId }: Body): PaperOrder | undefined {
  const { orders } = core.exchange.books;
  if (typeof orderId === 'number') return orders.get(orderId);
  return [...orders.values()].findLast((order) => order.clientOrderId === clientOrderId);
}

const isAbove = (value: unknown): value is string => isDecimal(value) && isPositive(decimal(value));

/** `{orderId | clientOrderId, quantity?}`: somebody trades with this resting order at its price, and with no other. */
function fill(stage: Stage, body: Body): Outcome {
  const { quantity } = body;
  const order = orderNamed(stage, body);
  const { exchange } = stage.core;
  if (!order || !exchange.books.openOrders.has(order.orderId) || !(quantity === undefined || isAbove(quantity))) {
    return wrong(
      'fill is {orderId or clientOrderId, quantity?} of an open order, the quantity a decimal above zero as text',
    );
  }
  const fills = exchange.fill(order.orderId, quantity === undefined ? order.quantity : decimal(quantity));
  return ok({ order: exchange.books.order(order.orderId), fills });
}

const toldNames = ['price', 'quantity', 'fee', 'feeAsset'] as const;

/** `{tradeId, symbol?, price?, quantity?, fee?, feeAsset?}`: from now on a query tells this fill so. */
function editFill({ core: { exchange } }: Stage, { tradeId, symbol, ...changes }: Body): Outcome {
  const found = exchange.books.fills.find(
    (each) => each.tradeId === tradeId && (symbol === undefined || each.symbol === String(symbol).replace('/', '')),
  );
  const entries = Object.entries(changes);
  const isKnown = entries.every(([name, value]) => toldNames.some((told) => told === name) && isTold(name, value));
  if (!found || entries.length === 0 || !isKnown) {
    return wrong(
      'editFill is {tradeId, symbol?} of a fill of the account and price, quantity, fee or feeAsset, as text',
    );
  }
  const changed = Object.fromEntries(
    entries.map(([name, value]) => [name, name === 'feeAsset' ? value : decimal(String(value))]),
  );
  const told: Fill = { ...exchange.books.told(found), ...changed };
  const { price, quantity, fee, feeAsset } = told;
  exchange.editFill(found, { price, quantity, quoteQuantity: quoteOf(told), fee, feeAsset });
  return ok({ fill: exchange.books.told(found) });
}

const isTold = (name: string, value: unknown): boolean =>
  name === 'feeAsset' ? typeof value === 'string' : isDecimal(value) && !isNegative(decimal(value));

/** `{orderId | clientOrderId}` of an order that ended with nothing executed: the venue answers -2026 from now on. */
function archive(stage: Stage, body: Body): Outcome {
  const order = orderNamed(stage, body);
  const { exchange } = stage.core;
  if (!order || exchange.books.openOrders.has(order.orderId) || isPositive(order.filledQuantity)) {
    return wrong('archive is {orderId or clientOrderId} of an order that ended with nothing executed');
  }
  exchange.archive(order.orderId);
  return ok({ order: exchange.books.order(order.orderId) });
}

const feeAssets: ReadonlySet<unknown> = new Set<FeeRules['paidIn']>(['received', 'quote', 'third']);

/** `{paidIn?, makerBps?, takerBps?, third?: {asset?, price?, share?}}`, for orders from now on; the rates for all. */
function changeFees({ core: { exchange } }: Stage, { paidIn, third, ...rates }: Body): Outcome {
  const before = exchange.fees;
  const isRates = Object.entries(rates).every(
    ([name, value]) => (name === 'makerBps' || name === 'takerBps') && isDecimal(value) && !isNegative(decimal(value)),
  );
  const isPaidIn = paidIn === undefined || feeAssets.has(paidIn);
  if (!isRates || !isPaidIn || !isThird(third)) {
    return wrong('fees is {paidIn?: received, quote or third, makerBps?, takerBps?, third?: {asset?, price?, share?}}');
  }
  const fees: FeeRules = {
    ...before,
    ...rates,
    ...(paidIn === undefined ? {} : { paidIn: paidIn as FeeRules['paidIn'] }),
  };
  const locksFee = [...exchange.books.openOrders.values()].some(
    ({ side, feeIn }) => side === 'BUY' && feeIn === 'quote',
  );
  if (locksFee && (isRise(before.makerBps, fees.makerBps) || isRise(before.takerBps, fees.takerBps))) {
    return wrong('open purchases have locked their fee in quote at the rates of before: cancel them first');
  }
  exchange.fees = { ...fees, third: { ...before.third, ...(third ?? {}) } };
  return ok({ fees: exchange.fees });
}

const isRise = (before: Decimal, after: Decimal): boolean => isMore(after, before);

function isThird(third: unknown): third is Partial<FeeRules['third']> | undefined {
  if (third === undefined) return true;
  if (typeof third !== 'object' || third === null) return false;
  return Object.entries(third).every(([name, value]) => {
    if (name === 'asset') return typeof value === 'string' && value !== '';
    return (name === 'price' || name === 'share') && isAbove(value);
  });
}
