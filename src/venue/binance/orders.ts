import { canceledSchema, orderSchema, placedSchema } from '../../contracts/schemas/binance.ts';
import { isEqual } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import { classify, classifyCancel, type OutcomeClass, type VenueSignal } from '../../domain/outcome.ts';
import type { Clock } from '../clock.ts';
import type { LookUp, SendResult, SignedOrder, Venue, VenueOrder } from '../venue.ts';
import { canceledOrderOf, orderOf, placedOrderOf } from './parse.ts';
import { createTimestamps, isSuccess } from './reads.ts';
import { describe, endpoints, type Rest, type RestAnswer, retryAtOf } from './rest.ts';
import type { Parameters } from './sign.ts';
import { venueSymbolOf } from './symbols.ts';
import type { VenueClock } from './venue-clock.ts';

export type OrderSendsDependencies = {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly venueClock: VenueClock;
};

/** Sends, cancels and looks up one order. What is in doubt is said so, and nothing is sent twice. */
export function createOrderSends(
  dependencies: OrderSendsDependencies,
): Pick<Venue, 'placeOrder' | 'cancelOrder' | 'findOrder'> {
  const { rest, clock, venueClock } = dependencies;

  const signed = createTimestamps(venueClock);

  return {
    async placeOrder(order, lane, signal) {
      const answer = await rest.call(endpoints.placeOrder, placementOf(order), lane, signal);
      const raw = isSuccess(answer) ? placedSchema.safeParse(answer.body).data : undefined;
      const observation = { symbol: order.symbol, observedAtMs: clock.nowMs() };
      const placed = raw && raw.symbol === venueSymbolOf(order.symbol) ? placedOrderOf(raw, observation) : undefined;
      return sendResultOf(answer, placed !== undefined && isOurs(placed, order) ? placed : undefined, classify);
    },

    async cancelOrder({ symbol, clientOrderId }, signal) {
      const wanted = { symbol: venueSymbolOf(symbol), origClientOrderId: clientOrderId };
      const parameters = await signed(wanted).catch(() => null);
      if (parameters === null) return { outcome: 'NOT_SENT', detail: "the venue's clock is not known" };
      const answer = await rest.call(endpoints.cancelOrder, parameters, 'cancel', signal);
      const raw = isSuccess(answer) ? canceledSchema.safeParse(answer.body).data : undefined;
      const isWanted = raw?.symbol === wanted.symbol && raw.origClientOrderId === clientOrderId;
      const order = isWanted ? canceledOrderOf(raw, { symbol, observedAtMs: clock.nowMs() }) : undefined;
      return sendResultOf(answer, order, classifyCancel);
    },

    async findOrder({ symbol, clientOrderId }, signal) {
      const wanted = { symbol: venueSymbolOf(symbol), origClientOrderId: clientOrderId };
      const parameters = await signed(wanted).catch(() => null);
      if (parameters === null) return { outcome: 'unavailable', detail: "the venue's clock is not known" };
      const answer = await rest.call(endpoints.order, parameters, 'cancel', signal);
      const raw = isSuccess(answer) ? orderSchema.safeParse(answer.body).data : undefined;
      const isWanted = raw?.symbol === wanted.symbol && raw.clientOrderId === clientOrderId;
      if (isWanted) return { outcome: 'found', order: orderOf(raw, { symbol, observedAtMs: clock.nowMs() }) };
      return lookUpWithoutOrder(answer);
    },
  };
}

function placementOf(order: SignedOrder): Parameters {
  const { limitPrice, timeInForce, orderType } = order;
  invariant((orderType === 'LIMIT') === (limitPrice !== null), 'a limit order has a price and a market order has none');
  return {
    symbol: venueSymbolOf(order.symbol),
    side: order.side,
    type: orderType,
    ...(timeInForce === null ? {} : { timeInForce }),
    quantity: order.quantity,
    ...(limitPrice === null ? {} : { price: limitPrice }),
    newClientOrderId: order.clientOrderId,
    newOrderRespType: 'FULL',
    recvWindow: order.recvWindowMs,
    timestamp: order.signedAtMs,
  };
}

const isOurs = (placed: VenueOrder, order: SignedOrder): boolean =>
  placed.clientOrderId === order.clientOrderId &&
  placed.side === order.side &&
  isEqual(placed.quantity, order.quantity);

/** `order` is the venue's answer where it names the order that was asked about. */
function sendResultOf(
  answer: RestAnswer,
  order: VenueOrder | undefined,
  judge: (signal: VenueSignal) => OutcomeClass,
): SendResult {
  const { detail } = describe(answer);
  if (answer.kind === 'held') return { outcome: 'THROTTLED', detail, ...retryAtOf(answer) };
  if (answer.kind === 'transport') return { outcome: judge(answer), detail };
  const outcome = judge({ ...answer, matches: order !== undefined });
  return {
    outcome,
    ...(outcome === 'ACCEPTED' && order !== undefined ? { order } : {}),
    httpStatus: answer.status,
    ...(answer.code === undefined ? {} : { venueCode: answer.code }),
    detail: isSuccess(answer) && order === undefined ? `${detail}, and the body does not describe this order` : detail,
    ...retryAtOf(answer),
  };
}

function lookUpWithoutOrder(answer: RestAnswer): LookUp {
  const isRefusal = answer.kind === 'http' && answer.status >= 400 && answer.status < 500;
  if (isRefusal && answer.code === -2013) return { outcome: 'absent' };
  if (isRefusal && answer.code === -2026) return { outcome: 'archived' };
  const { detail } = describe(answer);
  if (isSuccess(answer))
    return { outcome: 'unavailable', detail: `${detail}, and the body does not describe this order` };
  return { outcome: 'unavailable', detail, ...retryAtOf(answer) };
}
