import type { PaperOrder } from '../exchange/books.ts';
import type { Venue } from '../exchange/exchange.ts';
import { refusals } from '../exchange/refusal.ts';
import type { Call, Endpoint } from './call.ts';
import { clientIdOf, mandatory, optional, optionalWhole, type Parameters } from './parameters.ts';

/** An endpoint of the account. Parameters of the signature itself are read for all of them. */
export function signed(endpoint: Omit<Endpoint, 'security'>): Endpoint {
  return {
    ...endpoint,
    security: 'signed',
    parameters: [...endpoint.parameters, 'recvWindow', 'timestamp', 'signature'],
  };
}

/** The symbol a request names; -1121 when the venue does not have it. */
export function venueOf(venues: ReadonlyMap<string, Venue>, parameters: Parameters): Venue {
  const venue = venues.get(mandatory(parameters, 'symbol'));
  if (!venue) throw refusals.symbol();
  return venue;
}

/** By orderId where there is one, else the latest order with the client id. Too young for a lagging query = not there. */
export function orderOf(
  { exchange, clock, lagMs, parameters }: Call,
  names = { orderId: 'orderId', clientId: 'origClientOrderId' },
): PaperOrder | undefined {
  const { market } = venueOf(exchange.venues, parameters);
  const orderId = optionalWhole(parameters, names.orderId);
  const clientId = optional(parameters, names.clientId);
  if (orderId === undefined && clientId === undefined) throw refusals.missingEither(names.clientId, names.orderId);
  const found =
    orderId === undefined
      ? exchange.books.findByClientId(market.symbol, clientIdOf(names.clientId, clientId ?? ''))
      : exchange.books.orders.get(orderId);
  if (!found || found.symbol !== market.symbol) return undefined;
  return isVisible(found, clock.nowMs() - lagMs) ? found : undefined;
}

export const isVisible = (order: PaperOrder, untilMs: number): boolean => order.acceptedAtMs <= untilMs;
