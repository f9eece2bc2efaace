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

const names = { orderId: 'orderId', clientId: 'origClientOrderId' };

/** By orderId where there is one, else the latest order with the client id. The engine itself never lags: a cancel finds it. */
export function orderOf({ exchange, parameters }: Call, by = names): PaperOrder | undefined {
  const { market } = venueOf(exchange.venues, parameters);
  const orderId = optionalWhole(parameters, by.orderId);
  const clientId = optional(parameters, by.clientId);
  if (orderId === undefined && clientId === undefined) throw refusals.missingEither(by.clientId, by.orderId);
  const found =
    orderId === undefined
      ? exchange.books.findByClientId(market.symbol, clientIdOf(by.clientId, clientId ?? ''))
      : exchange.books.orders.get(orderId);
  return found?.symbol === market.symbol ? found : undefined;
}

/** Whether a query that lags shows the order already. */
export const isVisible = (order: PaperOrder, untilMs: number): boolean => order.acceptedAtMs <= untilMs;
