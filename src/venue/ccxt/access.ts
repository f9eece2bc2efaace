import { AsyncLocalStorage } from 'node:async_hooks';
import { invariant } from '../../domain/invariant.ts';
import type { Access } from '../binance/adapter.ts';
import { selfTradePreventionOf } from '../binance/answered-order.ts';
import type { OrderRequests } from '../binance/orders.ts';
import { isSuccess } from '../binance/reads.ts';
import { type Courier, createCourier, type Errand, endpoints, type RestAnswer, timestampOf } from '../binance/rest.ts';
import type { Parameters } from '../binance/sign.ts';
import type { Lane, SignedOrder } from '../venue.ts';
import { type CcxtExchange, makeKnown, openExchange } from './exchange.ts';

type Running = { readonly errand: Errand; isSent: boolean; answer?: RestAnswer };

/** Has a question put by ccxt, and tells what the venue answered. */
type Ask = (errand: Errand, put: () => Promise<unknown>) => Promise<RestAnswer>;

/**
 * Requests that ccxt puts together and signs. They go by the same courier as our own, so that their limits, deadlines
 * and evidence are the same, and what ccxt makes of an answer is not asked: it takes an overloaded venue and a duplicate
 * id for refusals, a revoked key for too many requests, and a foreign symbol for the one that was asked for.
 */
export const createCcxtAccess =
  (apiSecret: string): Access =>
  (options) => {
    const exchange = openExchange({ ...options, apiSecret });
    const ask = createAsk(exchange, createCourier(options), options.scrub);
    return {
      rest: {
        call: (endpoint, parameters, lane, signal) =>
          ask({ endpoint, lane, signal, timestamp: timestampOf(endpoint, parameters) }, () =>
            exchange.request(
              endpoint.path.replace('/api/v3/', ''),
              endpoint.security === 'signed' ? 'private' : 'public',
              endpoint.method,
              parameters,
            ),
          ),
      },
      orders: createOrders(exchange, ask),
    };
  };

function createAsk(exchange: CcxtExchange, carry: Courier, scrub: (text: string) => string): Ask {
  const current = new AsyncLocalStorage<Running>();

  exchange.fetch = async (url, _method, headers = {}, body) => {
    const running = current.getStore();
    invariant(running !== undefined && !running.isSent, 'one question is one request');
    const { errand } = running;
    const { method, path } = errand.endpoint;
    invariant(new URL(url).pathname === path, `${path} is what is asked`);
    running.isSent = true;
    const request = { method, url, headers, ...(body === undefined ? {} : { body }) };
    running.answer = await carry(request, errand);
    if (isSuccess(running.answer)) return running.answer.body;
    throw new Error('not a success');
  };

  return async (errand, put) => {
    const running: Running = { errand, isSent: false };
    try {
      await current.run(running, put);
    } catch (error) {
      if (running.answer === undefined) return neverSent(error, scrub);
    }
    // Once the venue has answered, an error is about what ccxt reads in the answer.
    invariant(running.answer !== undefined, 'ccxt asks what it is asked to ask');
    return running.answer;
  };
}

/** ccxt had an objection of its own, before it sent anything. */
const neverSent = (error: unknown, scrub: (text: string) => string): RestAnswer => ({
  kind: 'transport',
  failure: 'other',
  firstByteSent: false,
  detail: scrub(error instanceof Error ? error.message : String(error)),
});

function createOrders(exchange: CcxtExchange, ask: Ask): OrderRequests {
  return {
    place(order, lane, signal) {
      const { symbol, side, quantity, limitPrice, signedAtMs, recvWindowMs } = order;
      makeKnown(exchange, symbol);
      const errand = { endpoint: endpoints.placeOrder, lane, signal, timestamp: { signedAtMs, recvWindowMs } };
      const type = order.orderType === 'MARKET' ? 'market' : 'limit';
      const parameters = parametersOf(order, lane);
      return ask(errand, () =>
        exchange.createOrder(symbol, type, side.toLowerCase(), quantity, limitPrice ?? undefined, parameters),
      );
    },
    cancel({ symbol, clientOrderId }, timestamp, signal) {
      makeKnown(exchange, symbol);
      const endpoint = endpoints.cancelOrder;
      const errand = { endpoint, lane: 'cancel', signal, timestamp: timestampOf(endpoint, timestamp) } as const;
      return ask(errand, () => exchange.cancelOrder(undefined, symbol, { clientOrderId, ...timestamp }));
    },
    find({ symbol, clientOrderId }, timestamp, lane, signal) {
      makeKnown(exchange, symbol);
      const endpoint = endpoints.order;
      const errand = { endpoint, lane, signal, timestamp: timestampOf(endpoint, timestamp) };
      return ask(errand, () => exchange.fetchOrder(undefined, symbol, { clientOrderId, ...timestamp }));
    },
  };
}

/** Its own clock, window and client order id are those of ccxt unless each call brings others. */
const parametersOf = (order: SignedOrder, lane: Lane): Parameters => ({
  clientOrderId: order.clientOrderId,
  ...(order.timeInForce === null ? {} : { timeInForce: order.timeInForce }),
  ...(order.stopPrice === null ? {} : { stopLossPrice: order.stopPrice }),
  selfTradePrevention: selfTradePreventionOf(lane),
  recvWindow: order.recvWindowMs,
  timestamp: order.signedAtMs,
});
