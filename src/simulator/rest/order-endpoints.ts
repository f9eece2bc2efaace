import { type OrderCommand, refusalOf } from '../exchange/acceptance.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { Placement } from '../exchange/exchange.ts';
import { refusals, texts } from '../exchange/refusal.ts';
import { canceledAnswer, placedAnswer, type ResponseType, ratesOf } from './answers.ts';
import type { Call, Endpoint } from './call.ts';
import { cancelReplaceParameters, createCancelReplace } from './cancel-replace.ts';
import { orderOf, signed, venueOf } from './endpoint.ts';
import { orderCommandOf, orderParameters, responseTypeOf } from './order-parameters.ts';
import { clientIdOf, optional } from './parameters.ts';

/** The endpoints that place and cancel orders. */
export const orderEndpoints: readonly Endpoint[] = [
  {
    ...trade({ method: 'POST', path: '/api/v3/order', weight: 1, parameters: orderParameters, answer: placeOrder }),
    isOrder: true,
  },
  signed({
    method: 'POST',
    path: '/api/v3/order/test',
    weight: ({ parameters }) => (parameters['computeCommissionRates'] === 'true' ? 20 : 1),
    parameters: [...orderParameters, 'computeCommissionRates'],
    answer: testOrder,
  }),
  trade({
    method: 'DELETE',
    path: '/api/v3/order',
    weight: 1,
    parameters: ['symbol', 'orderId', 'origClientOrderId', 'newClientOrderId', 'cancelRestrictions'],
    answer: cancelOrder,
  }),
  {
    ...trade({
      method: 'POST',
      path: '/api/v3/order/cancelReplace',
      weight: 1,
      parameters: cancelReplaceParameters,
      answer: createCancelReplace({ place, cancel }),
    }),
    isOrder: true,
  },
  trade({ method: 'DELETE', path: '/api/v3/openOrders', weight: 1, parameters: ['symbol'], answer: cancelAll }),
];

function trade(endpoint: Omit<Endpoint, 'security'>): Endpoint {
  return { ...signed(endpoint), isFreeOnSuccess: true };
}

async function placeOrder(call: Call): Promise<object> {
  const { exchange, limits, parameters } = call;
  venueOf(exchange.venues, parameters);
  const command = orderCommandOf(parameters, call);
  const responseType = responseTypeOf(parameters, command.type);
  const tooMany = limits.chargeOrder();
  if (tooMany) throw tooMany;
  return place(call, command, responseType);
}

/** Puts an order on the book and matches it. Throws the venue's refusal. */
async function place(call: Call, command: OrderCommand, responseType: ResponseType): Promise<object> {
  const { exchange } = call;
  const placement = call.isStruck('after_accept') ? exchange.accept(command) : exchange.place(command);
  if (placement.outcome === 'refused') throw placement.refusal;
  call.accepted('accepted');
  const { order, fills } = await completed(call, placement);
  call.accepted('matched');
  const prevented = exchange.books.preventedMatches.filter(({ takerOrderId }) => takerOrderId === order.orderId);
  return placedAnswer({ order, fills, prevented }, responseType);
}

// A plan that strikes between acceptance and match finds the order on the book, but not yet filled.
async function completed(call: Call, placement: Extract<Placement, { outcome: 'accepted' }>) {
  if (!call.isStruck('after_accept')) return placement;
  await call.strike('after_accept');
  const fills = call.exchange.match(placement.order.orderId);
  return { order: call.exchange.books.order(placement.order.orderId), fills };
}

function testOrder({ exchange, parameters, ...call }: Call): object {
  const { market, quotes } = venueOf(exchange.venues, parameters);
  const command = orderCommandOf(parameters, call);
  const refusal = refusalOf(command, { market, quotes, books: exchange.books, fees: exchange.fees });
  if (refusal) throw refusal;
  if (parameters['computeCommissionRates'] !== 'true') return {};
  return { standardCommissionForOrder: ratesOf(exchange.fees) };
}

function cancelOrder(call: Call): object {
  const { parameters } = call;
  const found = orderOf(call);
  const clientId = parameters['origClientOrderId'];
  const isOurs = found && (clientId === undefined || clientId === found.clientOrderId);
  return cancel(call, isOurs ? found : undefined, 'newClientOrderId');
}

const cancelable: ReadonlyMap<string, PaperOrder['status']> = new Map([
  ['ONLY_NEW', 'NEW'],
  ['ONLY_PARTIALLY_FILLED', 'PARTIALLY_FILLED'],
]);

/** Cancels an open order, as far as `cancelRestrictions` allows it; `idName` is the parameter that names the cancel itself. */
function cancel(call: Call, found: PaperOrder | undefined, idName: string): object {
  const { exchange, parameters } = call;
  const restrictions = optional(parameters, 'cancelRestrictions');
  if (restrictions !== undefined && !cancelable.has(restrictions)) throw refusals.cancelRestrictions();
  if (!found || !exchange.books.openOrders.has(found.orderId)) throw refusals.cancel(texts.unknownOrder);
  if (restrictions !== undefined && cancelable.get(restrictions) !== found.status) {
    throw refusals.cancel(texts.cancelRestricted);
  }
  const given = optional(parameters, idName);
  const cancelId = given === undefined ? `paper-cancel-${call.requestId}` : clientIdOf(idName, given);
  const canceled = exchange.cancel(found.orderId, cancelId);
  call.accepted('matched');
  return canceledAnswer(canceled, cancelId);
}

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
