import { allCanceledSchema } from '../../contracts/schemas/binance.ts';
import { classifyCancel } from '../../domain/outcome.ts';
import type { CancelAllResult, Venue, VenueOrder } from '../venue.ts';
import { clockUnknown } from './answered-order.ts';
import type { OrderSendsDependencies } from './orders.ts';
import { canceledOrderOf } from './parse.ts';
import { createTimestamps, isSuccess } from './reads.ts';
import { describe, endpoints, type RestAnswer, retryAtOf } from './rest.ts';
import { venueSymbolOf } from './symbols.ts';

/** Cancels every open order of one symbol in one request, order lists included. */
export function createCancelAllOf({ rest, clock, venueClock }: OrderSendsDependencies): Venue['cancelAllOf'] {
  const signed = createTimestamps(venueClock);
  return async (symbol, signal) => {
    const parameters = await signed({ symbol: venueSymbolOf(symbol) }).catch(() => null);
    if (parameters === null) return { ...clockUnknown, orders: [] };
    const answer = await rest.call(endpoints.cancelOpenOrders, parameters, 'cancel', signal);
    return resultOf(answer, canceledIn(answer, symbol, clock.nowMs()));
  };
}

/** The orders that the answer names; undefined when it can't be read. */
function canceledIn(answer: RestAnswer, symbol: string, observedAtMs: number): readonly VenueOrder[] | undefined {
  if (hadNone(answer)) return [];
  const entries = isSuccess(answer) ? allCanceledSchema.safeParse(answer.body).data : undefined;
  const rows = entries?.flatMap((entry) => ('orderReports' in entry ? entry.orderReports : [entry]));
  if (rows === undefined || rows.some((raw) => raw.symbol !== venueSymbolOf(symbol))) return undefined;
  return rows.map((raw) => canceledOrderOf(raw, { symbol, observedAtMs }));
}

// That nothing is open is told in the words of a single cancel that found no order. Here they are a success.
const hadNone = (answer: RestAnswer): boolean =>
  answer.kind === 'http' && answer.status === 400 && answer.code === -2011 && answer.message === 'Unknown order sent.';

function resultOf(answer: RestAnswer, orders: readonly VenueOrder[] | undefined): CancelAllResult {
  const { detail } = describe(answer);
  if (answer.kind === 'held') return { outcome: 'THROTTLED', orders: [], detail, ...retryAtOf(answer) };
  if (answer.kind === 'transport') return { outcome: classifyCancel(answer), orders: [], detail };
  return {
    outcome: orders === undefined ? classifyCancel({ ...answer, matches: false }) : 'ACCEPTED',
    orders: orders ?? [],
    httpStatus: answer.status,
    ...(answer.code === undefined ? {} : { venueCode: answer.code }),
    detail,
    ...retryAtOf(answer),
  };
}
