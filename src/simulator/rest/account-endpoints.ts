import { isPositive, one, subtract } from '../../domain/decimal.ts';
import { refusals } from '../exchange/refusal.ts';
import { eight, orderAnswer, ownTradeAnswer, preventedAnswer, ratesOf } from './answers.ts';
import type { Call, Endpoint } from './call.ts';
import { isVisible, orderOf, signed, venueOf } from './endpoint.ts';
import { limitOf, optionalWhole, type Parameters } from './parameters.ts';

const dayMs = 86_400_000;
const byOrder = ['symbol', 'orderId', 'origClientOrderId'];

/** The endpoints that look at the account. */
export const accountEndpoints: readonly Endpoint[] = [
  signed({ method: 'GET', path: '/api/v3/order', weight: 4, parameters: byOrder, answer: findOrder }),
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
  signed({
    method: 'GET',
    path: '/api/v3/myPreventedMatches',
    weight: ({ parameters }) => (parameters['preventedMatchId'] === undefined ? 20 : 2),
    parameters: ['symbol', 'preventedMatchId', 'orderId', 'fromPreventedMatchId', 'limit'],
    answer: myPreventedMatches,
  }),
  signed({ method: 'GET', path: '/api/v3/account', weight: 20, parameters: ['omitZeroBalances'], answer: account }),
  signed({ method: 'GET', path: '/api/v3/account/commission', weight: 20, parameters: ['symbol'], answer: commission }),
  signed({ method: 'GET', path: '/api/v3/rateLimit/order', weight: 40, parameters: [], answer: orderLimits }),
  signed({ method: 'GET', path: '/api/v3/myFilters', weight: 40, parameters: ['symbol'], answer: myFilters }),
];

function findOrder(call: Call): object {
  const { exchange, clock, lagMs, parameters } = call;
  const found = orderOf(call);
  if (!found || !isVisible(found, clock.nowMs() - lagMs)) throw refusals.noSuchOrder();
  const clientId = parameters['origClientOrderId'];
  if (clientId !== undefined && clientId !== found.clientOrderId) throw refusals.clientIdMismatch();
  if (found.isArchived) throw refusals.archived();
  return orderAnswer(exchange.books.toldOrder(found));
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
    .filter((each) => each.symbol === market.symbol && each.orderId >= fromId && !each.isArchived)
    .filter(({ acceptedAtMs }) => acceptedAtMs >= fromMs && acceptedAtMs <= untilMs)
    .filter((each) => isVisible(each, clock.nowMs() - lagMs));
  return page(rows, parameters, ['orderId', 'startTime']).map((each) => orderAnswer(exchange.books.toldOrder(each)));
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
  return page(rows, parameters, ['fromId', 'startTime', 'orderId']).map((fill) =>
    ownTradeAnswer(exchange.books.told(fill)),
  );
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

function myPreventedMatches({ exchange, parameters }: Call): object {
  const { market } = venueOf(exchange.venues, parameters);
  const matchId = optionalWhole(parameters, 'preventedMatchId');
  const orderId = optionalWhole(parameters, 'orderId');
  const fromId = optionalWhole(parameters, 'fromPreventedMatchId') ?? 0;
  const rows = exchange.books.preventedMatches
    .filter(({ symbol, preventedMatchId }) => symbol === market.symbol && preventedMatchId >= fromId)
    .filter(({ preventedMatchId }) => matchId === undefined || preventedMatchId === matchId)
    .filter((each) => orderId === undefined || each.takerOrderId === orderId || each.makerOrderId === orderId);
  return rows.slice(0, limitOf(parameters, 500, 1_000)).map(preventedAnswer);
}

const noRates = { maker: eight(null), taker: eight(null), buyer: eight(null), seller: eight(null) };

function commission({ exchange, parameters }: Call): object {
  const { market } = venueOf(exchange.venues, parameters);
  const { paidIn, third } = exchange.fees;
  const isDiscounted = paidIn === 'third';
  return {
    symbol: market.symbol,
    standardCommission: { ...noRates, ...ratesOf(exchange.fees) },
    specialCommission: noRates,
    taxCommission: noRates,
    discount: {
      enabledForAccount: isDiscounted,
      enabledForSymbol: isDiscounted,
      discountAsset: third.asset,
      discount: eight(subtract(one, third.share)),
    },
  };
}

function orderLimits({ limits }: Call): object {
  const { ordersPer10s, ordersPerDay } = limits.limits;
  const { tenSeconds, day } = limits.orderCounts();
  return [
    { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: ordersPer10s, count: tenSeconds },
    { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: ordersPerDay, count: day },
  ];
}

/** Filters of the account alone: there are none. */
function myFilters({ exchange, parameters }: Call): object {
  venueOf(exchange.venues, parameters);
  return { exchangeFilters: [], symbolFilters: [], assetFilters: [] };
}
