import { divide, isPositive, multiply, sum, zero } from '../../domain/decimal.ts';
import type { Venue } from '../exchange/exchange.ts';
import { bookFor, type Level } from '../exchange/matching.ts';
import { refusals } from '../exchange/refusal.ts';
import { eight, printAnswer } from './answers.ts';
import type { Call, Endpoint } from './call.ts';
import { venueOf } from './endpoint.ts';
import { limitOf, optional, optionalWhole, type Parameters } from './parameters.ts';
import { symbolAnswer } from './symbol-answer.ts';

const averageMinutes = 5;
const averageTradesMax = 1_000;

/** The endpoints that need no account: health, rules, quotes and trades. */
export const marketEndpoints: readonly Endpoint[] = [
  endpoint('/api/v3/ping', 1, [], () => ({})),
  endpoint('/api/v3/time', 1, [], ({ clock }) => ({ serverTime: clock.nowMs() })),
  endpoint(
    '/api/v3/exchangeInfo',
    20,
    ['symbol', 'symbols', 'permissions', 'symbolStatus', 'showPermissionSets'],
    exchangeInfo,
  ),
  endpoint('/api/v3/depth', depthWeight, ['symbol', 'limit', 'symbolStatus'], depth),
  endpoint('/api/v3/trades', 25, ['symbol', 'limit'], ({ exchange, parameters }) =>
    venueOf(exchange.venues, parameters)
      .tape.latest(limitOf(parameters, 500, 1_000))
      .map(printAnswer),
  ),
  { ...endpoint('/api/v3/historicalTrades', 25, ['symbol', 'limit', 'fromId'], historicalTrades), security: 'key' },
  endpoint('/api/v3/avgPrice', 2, ['symbol'], averagePrice),
  endpoint('/api/v3/ticker/price', tickerWeight, ['symbol', 'symbols', 'symbolStatus'], (call) =>
    oneOrAll(call, ({ market, quotes }) => ({ symbol: market.symbol, price: eight(quotes?.last ?? null) })),
  ),
  endpoint('/api/v3/ticker/bookTicker', tickerWeight, ['symbol', 'symbols', 'symbolStatus'], (call) =>
    oneOrAll(call, ({ market, quotes }) => ({
      symbol: market.symbol,
      bidPrice: eight(quotes?.bid ?? null),
      bidQty: eight(quotes ? market.levelQuantity : null),
      askPrice: eight(quotes?.ask ?? null),
      askQty: eight(quotes ? market.levelQuantity : null),
    })),
  ),
];

function endpoint(
  path: string,
  weight: Endpoint['weight'],
  parameters: readonly string[],
  answer: Endpoint['answer'],
): Endpoint {
  return { method: 'GET', path, security: 'none', weight, parameters, answer };
}

type Venues = ReadonlyMap<string, Venue>;

function exchangeInfo({ exchange, clock, limits, parameters }: Call): object {
  const { weightPerMinute, ordersPer10s, ordersPerDay } = limits.limits;
  return {
    timezone: 'UTC',
    serverTime: clock.nowMs(),
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightPerMinute },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: ordersPer10s },
      { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: ordersPerDay },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: chosen(exchange.venues, parameters).map(({ market }) => symbolAnswer(market)),
  };
}

function chosen(venues: Venues, parameters: Parameters): readonly Venue[] {
  const list = optional(parameters, 'symbols');
  if (list === undefined)
    return parameters['symbol'] === undefined ? [...venues.values()] : [venueOf(venues, parameters)];
  return symbolList(list).map((symbol) => venueOf(venues, { symbol }));
}

function symbolList(text: string): readonly string[] {
  try {
    const symbols: unknown = JSON.parse(text);
    if (Array.isArray(symbols) && symbols.every((symbol) => typeof symbol === 'string')) return symbols;
  } catch {
    // Not JSON is refused like JSON of another shape.
  }
  throw refusals.illegalCharacters('symbols', '^\\["[A-Z0-9]+"(,"[A-Z0-9]+")*\\]$');
}

function oneOrAll({ exchange, parameters }: Call, answer: (venue: Venue) => object): object {
  const answers = chosen(exchange.venues, parameters).map(answer);
  return parameters['symbol'] === undefined ? answers : (answers[0] ?? {});
}

function tickerWeight({ parameters }: Pick<Call, 'parameters'>): number {
  return parameters['symbol'] === undefined ? 4 : 2;
}

function depthWeight({ parameters }: Pick<Call, 'parameters'>): number {
  const limit = limitOf(parameters, 100, 5_000);
  if (limit <= 100) return 5;
  if (limit <= 500) return 25;
  return limit <= 1_000 ? 50 : 250;
}

function depth({ exchange, parameters }: Call): object {
  const { market, quotes, tape } = venueOf(exchange.venues, parameters);
  const limit = limitOf(parameters, 100, 5_000);
  const side = (taker: 'BUY' | 'SELL') =>
    (quotes ? [...bookFor(market, quotes, taker)] : []).slice(0, limit).map(levelAnswer);
  return { lastUpdateId: tape.lastTradeId, bids: side('SELL'), asks: side('BUY') };
}

const levelAnswer = ({ price, quantity }: Level): readonly string[] => [eight(price), eight(quantity)];

function historicalTrades({ exchange, parameters }: Call): object {
  const { tape } = venueOf(exchange.venues, parameters);
  const limit = limitOf(parameters, 500, 1_000);
  const fromId = optionalWhole(parameters, 'fromId');
  return (fromId === undefined ? tape.latest(limit) : tape.from(fromId, limit)).map(printAnswer);
}

function averagePrice({ exchange, clock, parameters }: Call): object {
  const { tape, quotes } = venueOf(exchange.venues, parameters);
  const sinceMs = clock.nowMs() - averageMinutes * 60_000;
  const prints = tape.latest(averageTradesMax).filter(({ tradedAtMs }) => tradedAtMs >= sinceMs);
  const quantity = sum(prints.map((print) => print.quantity));
  const notional = sum(prints.map((print) => multiply(print.price, print.quantity)));
  const price = isPositive(quantity) ? divide(notional, quantity, 8) : (quotes?.last ?? zero);
  return { mins: averageMinutes, price: eight(price), closeTime: prints.at(-1)?.tradedAtMs ?? clock.nowMs() };
}
