import { decimal, isPositive, multiply } from '../../domain/decimal.ts';
import { refusalOf } from '../exchange/acceptance.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { FeeRules } from '../exchange/engine.ts';
import type { Placement } from '../exchange/exchange.ts';
import { refusals, texts } from '../exchange/refusal.ts';
import { canceledAnswer, eight, orderAnswer, ownTradeAnswer, placedAnswer } from './answers.ts';
import type { Call, Endpoint } from './call.ts';
import { venueOf } from './market-endpoints.ts';
import { orderCommandOf, orderParameters, responseTypeOf } from './order-parameters.ts';
import { clientIdOf, limitOf, optional, optionalWhole, type Parameters } from './parameters.ts';

const dayMs = 86_400_000;
const oneBps = decimal('0.0001');
const byOrder = ['symbol', 'orderId', 'origClientOrderId'];

/** The endpoints of the account. Parameters of the signature itself are read for all of them. */
export const accountEndpoints: readonly Endpoint[] = [
  order({ method: 'POST', path: '/api/v3/order', weight: 1, parameters: orderParameters, answer: placeOrder }),
  signed({
    method: 'POST',
    path: '/api/v3/order/test',
    weight: ({ parameters }) => (parameters['computeCommissionRates'] === 'true' ? 20 : 1),
    parameters: [...orderParameters, 'computeCommissionRates'],
    answer: testOrder,
  }),
  signed({ method: 'GET', path: '/api/v3/order', weight: 4, parameters: byOrder, answer: findOrder }),
  order({
    method: 'DELETE',
    path: '/api/v3/order',
    weight: 1,
    parameters: [...byOrder, 'newClientOrderId', 'cancelRestrictions'],
    answer: cancelOrder,
  }),
  order({ method: 'DELETE', path: '/api/v3/openOrders', weight: 1, parameters: ['symbol'], answer: cancelAll }),
  signed({
    method: 'GET',
    path: '/api/v3/openOrders',
    weight: ({ parameters }) => (parameters['symbol'] === undefined ? 80 : 6),
    parameters: ['symbol'],
    answer: openOrders,
  }),
  signed({
    method: 'GET',
    path: '/api/v3/allOrders',
    weight: 20,
    parameters: ['symbol', 'orderId', 'startTime', 'endTime', 'limit'],
    answer: allOrders,
  }),
  signed({
    method: 'GET',
    path: '/api/v3/myTrades',
    weight: ({ parameters }) => (parameters['orderId'] === undefined ? 20 : 5),
    parameters: ['symbol', 'orderId', 'startTime', 'endTime', 'fromId', 'limit'],
    answer: myTrades,
  }),
  signed({ method: 'GET', path: '/api/v3/account', weight: 20, parameters: ['omitZeroBalances'], answer: account }),
];

function signed(endpoint: Omit<Endpoint, 'security'>): Endpoint {
  return {
    ...endpoint,
    security: 'signed',
    parameters: [...endpoint.parameters, 'recvWindow', 'timestamp', 'signature'],
  };
}

function order(endpoint: Omit<Endpoint, 'security'>): Endpoint {
  return { ...signed(endpoint), isFreeOnSuccess: true };
}

async function placeOrder(call: Call): Promise<object> {
  const { exchange, limits, parameters } = call;
  venueOf(exchange.venues, parameters);
  const command = orderCommandOf(parameters, call);
  const responseType = responseTypeOf(parameters);
  const tooMany = limits.chargeOrder();
  if (tooMany) throw tooMany;
  const placement = call.isStruck('after_accept') ? exchange.accept(command) : exchange.place(command);
  if (placement.outcome === 'refused') throw placement.refusal;
  call.accepted('accepted');
  const { order, fills } = await completed(call, placement);
  call.accepted('matched');
  return placedAnswer(order, fills, responseType);
}

// A plan that strikes between acceptance and match finds the order on the book, but not yet filled.
async function completed(call: Call, placement: Extract<Placement, { outcome: 'accepted' }>) {
  if (!call.isStruck('after_accept')) return placement;
  await call.strike('after_accept');
  const fills = call.exchange.match(placement.order.orderId);
  return { order: call.exchange.books.order(placement.order.orderId), fills };
}

const ratesOf = ({ makerBps, takerBps }: FeeRules) => ({
  maker: eight(multiply(makerBps, oneBps)),
  taker: eight(multiply(takerBps, oneBps)),
});

function testOrder(call: Call): object {
  const { exchange, parameters } = call;
  const { market, quotes } = venueOf(exchange.venues, parameters);
  const command = orderCommandOf(parameters, call);
  const refusal = refusalOf(command, { market, quotes, books: exchange.books, fees: exchange.fees });
  if (refusal) throw refusal;
  if (parameters['computeCommissionRates'] !== 'true') return {};
  return { standardCommissionForOrder: ratesOf(exchange.fees) };
}

function findOrder(call: Call): object {
  const { parameters } = call;
  const found = orderOf(call);
  if (!found) throw refusals.noSuchOrder();
  const clientId = parameters['origClientOrderId'];
  if (clientId !== undefined && clientId !== found.clientOrderId) throw refusals.clientIdMismatch();
  return orderAnswer(found);
}

/** By orderId where there is one, else the latest order with the client id. Too young for a lagging query = not there. */
function orderOf({ exchange, clock, lagMs, parameters }: Call): PaperOrder | undefined {
  const { market } = venueOf(exchange.venues, parameters);
  const orderId = optionalWhole(parameters, 'orderId');
  const clientId = optional(parameters, 'origClientOrderId');
  if (orderId === undefined && clientId === undefined) throw refusals.missingEither('origClientOrderId', 'orderId');
  const found =
    orderId === undefined
      ? exchange.books.findByClientId(market.symbol, clientIdOf('origClientOrderId', clientId ?? ''))
      : exchange.books.orders.get(orderId);
  if (!found || found.symbol !== market.symbol) return undefined;
  return isVisible(found, clock.nowMs() - lagMs) ? found : undefined;
}

const isVisible = (order: PaperOrder, untilMs: number): boolean => order.acceptedAtMs <= untilMs;

function cancelOrder(call: Call): object {
  const { exchange, parameters } = call;
  const restrictions = optional(parameters, 'cancelRestrictions');
  if (restrictions !== undefined && !cancelable.has(restrictions)) throw refusals.cancelRestrictions();
  const found = orderOf(call);
  const clientId = parameters['origClientOrderId'];
  const isOurs = found && (clientId === undefined || clientId === found.clientOrderId);
  if (!isOurs || !exchange.books.openOrders.has(found.orderId)) throw refusals.cancel(texts.unknownOrder);
  if (restrictions !== undefined && cancelable.get(restrictions) !== found.status) {
    throw refusals.cancel(texts.cancelRestricted);
  }
  const given = optional(parameters, 'newClientOrderId');
  const cancelId = given === undefined ? `paper-cancel-${call.requestId}` : clientIdOf('newClientOrderId', given);
  const canceled = exchange.cancel(found.orderId, cancelId);
  call.accepted('matched');
  return canceledAnswer(canceled, cancelId);
}

const cancelable: ReadonlyMap<string, PaperOrder['status']> = new Map([
  ['ONLY_NEW', 'NEW'],
  ['ONLY_PARTIALLY_FILLED', 'PARTIALLY_FILLED'],
]);

function cancelAll(call: Call): object {
  const { exchange, parameters, requestId } = call;
  const { market } = venueOf(exchange.venues, parameters);
  const open = [...exchange.books.openOrders.values()].filter(({ symbol }) => symbol === market.symbol);
  if (open.length === 0) throw refusals.cancel(texts.unknownOrder);
  const cancelId = `paper-cancel-${requestId}`;
  const canceled = open.map(({ orderId }) => canceledAnswer(exchange.cancel(orderId, cancelId), cancelId));
  call.accepted('matched');
  return canceled;
}

function openOrders({ exchange, clock, lagMs, parameters }: Call): object {
  const symbol = parameters['symbol'] === undefined ? null : venueOf(exchange.venues, parameters).market.symbol;
  return [...exchange.books.openOrders.values()]
    .filter((open) => symbol === null || open.symbol === symbol)
    .filter((open) => isVisible(open, clock.nowMs() - lagMs))
    .map(orderAnswer);
}

/** `startTime` and `endTime`, at most a day apart. */
function windowOf(parameters: Parameters): { readonly fromMs: number; readonly untilMs: number } {
  const startTime = optionalWhole(parameters, 'startTime');
  const endTime = optionalWhole(parameters, 'endTime');
  if (startTime !== undefined && endTime !== undefined && endTime - startTime > dayMs) throw refusals.lookupInterval();
  const fromMs = startTime ?? (endTime === undefined ? 0 : endTime - dayMs);
  return { fromMs, untilMs: endTime ?? (startTime === undefined ? Number.MAX_SAFE_INTEGER : startTime + dayMs) };
}

function allOrders({ exchange, clock, lagMs, parameters }: Call): object {
  const { market } = venueOf(exchange.venues, parameters);
  const { fromMs, untilMs } = windowOf(parameters);
  const fromId = optionalWhole(parameters, 'orderId') ?? 0;
  const rows = [...exchange.books.orders.values()]
    .filter((each) => each.symbol === market.symbol && each.orderId >= fromId)
    .filter(({ acceptedAtMs }) => acceptedAtMs >= fromMs && acceptedAtMs <= untilMs)
    .filter((each) => isVisible(each, clock.nowMs() - lagMs));
  return page(rows, parameters, ['orderId', 'startTime']).map(orderAnswer);
}

function myTrades({ exchange, clock, lagMs, parameters }: Call): object {
  const { market } = venueOf(exchange.venues, parameters);
  const { fromMs, untilMs } = windowOf(parameters);
  const orderId = optionalWhole(parameters, 'orderId');
  const fromId = optionalWhole(parameters, 'fromId') ?? 0;
  const rows = (orderId === undefined ? exchange.books.fills : exchange.books.fillsOf(orderId))
    .filter(({ symbol, tradeId }) => symbol === market.symbol && tradeId >= fromId)
    .filter(({ tradedAtMs }) => tradedAtMs >= fromMs && tradedAtMs <= untilMs)
    .filter(({ tradedAtMs }) => tradedAtMs <= clock.nowMs() - lagMs);
  return page(rows, parameters, ['fromId', 'startTime', 'orderId']).map(ownTradeAnswer);
}

// From a given start the oldest rows come first; without one, the venue answers with the latest.
function page<T>(rows: readonly T[], parameters: Parameters, starts: readonly string[]): readonly T[] {
  const limit = limitOf(parameters, 500, 1_000);
  return starts.some((name) => parameters[name] !== undefined) ? rows.slice(0, limit) : rows.slice(-limit);
}

function account({ exchange, clock, parameters }: Call): object {
  return {
    makerCommission: Number(exchange.fees.makerBps),
    takerCommission: Number(exchange.fees.takerBps),
    buyerCommission: 0,
    sellerCommission: 0,
    commissionRates: { ...ratesOf(exchange.fees), buyer: '0.00000000', seller: '0.00000000' },
    canTrade: true,
    canWithdraw: false,
    canDeposit: false,
    brokered: false,
    requireSelfTradePrevention: false,
    preventSor: false,
    updateTime: clock.nowMs(),
    accountType: 'SPOT',
    balances: exchange.books
      .balances()
      .filter(({ free, locked }) => parameters['omitZeroBalances'] !== 'true' || isPositive(free) || isPositive(locked))
      .map(({ asset, free, locked }) => ({ asset, free: eight(free), locked: eight(locked) })),
    permissions: ['SPOT'],
    uid: 1,
  };
}
