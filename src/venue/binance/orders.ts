import { orderSchema } from '../../contracts/schemas/binance.ts';
import { classify, classifyCancel } from '../../domain/outcome.ts';
import type { Clock } from '../clock.ts';
import type { Lane, LookUp, SignedOrder, Venue } from '../venue.ts';
import { canceledOrderIn, clockUnknown, orderParametersOf, placedOrderIn, sendResultOf } from './answered-order.ts';
import { orderOf } from './parse.ts';
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

export type OrderTarget = { readonly symbol: string; readonly clientOrderId: string };

/** How the questions about one order are put. Whoever puts them, the answers are read and judged by one code. */
export type OrderRequests = {
  /** Signed with the intent's timestamp. */
  place(order: SignedOrder, lane: Lane, signal?: AbortSignal): Promise<RestAnswer>;
  cancel(order: OrderTarget, timestamp: Parameters, signal?: AbortSignal): Promise<RestAnswer>;
  find(order: OrderTarget, timestamp: Parameters, lane: Lane, signal?: AbortSignal): Promise<RestAnswer>;
};

export function createOrderRequests(rest: Rest): OrderRequests {
  const wanted = ({ symbol, clientOrderId }: OrderTarget): Parameters => ({
    symbol: venueSymbolOf(symbol),
    origClientOrderId: clientOrderId,
  });
  return {
    place(order, lane, signal) {
      const parameters = {
        ...orderParametersOf(order, lane),
        recvWindow: order.recvWindowMs,
        timestamp: order.signedAtMs,
      };
      return rest.call(endpoints.placeOrder, parameters, lane, signal);
    },
    cancel: (order, timestamp, signal) =>
      rest.call(endpoints.cancelOrder, { ...wanted(order), ...timestamp }, 'cancel', signal),
    find: (order, timestamp, lane, signal) =>
      rest.call(endpoints.order, { ...wanted(order), ...timestamp }, lane, signal),
  };
}

/** Sends, cancels and looks up one order. What is in doubt is said so, and nothing is sent twice. */
export function createOrderSends(
  requests: OrderRequests,
  { clock, venueClock }: Pick<OrderSendsDependencies, 'clock' | 'venueClock'>,
): Pick<Venue, 'placeOrder' | 'cancelOrder' | 'findOrder'> {
  const signed = createTimestamps(venueClock);

  return {
    async placeOrder(order, lane, signal) {
      const answer = await requests.place(order, lane, signal);
      const placed = isSuccess(answer) ? placedOrderIn(answer.body, order, clock.nowMs()) : undefined;
      return sendResultOf(answer, placed, classify);
    },

    async cancelOrder({ symbol, clientOrderId }, signal) {
      const target = { symbol, clientOrderId };
      const timestamp = await signed({}).catch(() => null);
      if (timestamp === null) return clockUnknown;
      const answer = await requests.cancel(target, timestamp, signal);
      const order = isSuccess(answer) ? canceledOrderIn(answer.body, target, clock.nowMs()) : undefined;
      return sendResultOf(answer, order, classifyCancel);
    },

    async findOrder({ symbol, clientOrderId, lane = 'cancel' }, signal) {
      const timestamp = await signed({}).catch(() => null);
      if (timestamp === null) return { outcome: 'unavailable', detail: clockUnknown.detail };
      const answer = await requests.find({ symbol, clientOrderId }, timestamp, lane, signal);
      const raw = isSuccess(answer) ? orderSchema.safeParse(answer.body).data : undefined;
      const isWanted = raw?.symbol === venueSymbolOf(symbol) && raw.clientOrderId === clientOrderId;
      if (isWanted) return { outcome: 'found', order: orderOf(raw, { symbol, observedAtMs: clock.nowMs() }) };
      return lookUpWithoutOrder(answer);
    },
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
