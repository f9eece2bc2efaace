import { filterRefusal, type OrderCommand } from '../exchange/acceptance.ts';
import type { PaperOrder } from '../exchange/books.ts';
import { Refusal, refusals } from '../exchange/refusal.ts';
import type { ResponseType } from './answers.ts';
import type { Call } from './call.ts';
import { orderOf, venueOf } from './endpoint.ts';
import { orderCommandOf, orderParameters, responseTypeOf } from './order-parameters.ts';
import { mandatory, optional, type Parameters } from './parameters.ts';

export const cancelReplaceParameters: readonly string[] = [
  ...orderParameters,
  'cancelReplaceMode',
  'cancelNewClientOrderId',
  'cancelOrigClientOrderId',
  'cancelOrderId',
  'cancelRestrictions',
  'orderRateLimitExceededMode',
];

/** How the two halves are done; both throw the venue's refusal. */
type Halves = {
  place(call: Call, command: OrderCommand, responseType: ResponseType): Promise<object>;
  cancel(call: Call, found: PaperOrder | undefined, idName: string): object;
};

/** What became of one half. */
type Half =
  | { readonly result: 'SUCCESS' | 'FAILURE'; readonly response: object }
  | { readonly result: 'NOT_ATTEMPTED' };

type Modes = { readonly stopsOnFailure: boolean; readonly cancelsOverLimit: boolean };

/**
 * Cancels an order and places another. Filters and the count of orders are looked at before anything is done; what follows is
 * the exchange's table of outcomes, its 429 with a cancel that succeeded included.
 */
export function createCancelReplace({ place, cancel }: Halves): (call: Call) => Promise<object> {
  return async (call) => {
    const { exchange, limits, parameters } = call;
    const { market, quotes } = venueOf(exchange.venues, parameters);
    const modes = modesOf(parameters);
    const command = orderCommandOf(parameters, call);
    const responseType = responseTypeOf(parameters, command.type);
    const filter = filterRefusal(command, { market, quotes, books: exchange.books, fees: exchange.fees });
    if (filter) throw filter;
    const named = namedOrder(call);
    const tooMany = limits.chargeOrder();
    if (tooMany && !modes.cancelsOverLimit) throw tooMany;
    const canceled = await half(() => cancel(call, named, 'cancelNewClientOrderId'));
    const isOver = canceled.result === 'FAILURE' && modes.stopsOnFailure;
    if (isOver) return outcomeOf(canceled, { result: 'NOT_ATTEMPTED' }, modes, tooMany);
    const placed = await half(() => {
      if (tooMany) throw tooMany;
      return place(call, command, responseType);
    });
    return outcomeOf(canceled, placed, modes, tooMany);
  };
}

function modesOf(parameters: Parameters): Modes {
  const mode = mandatory(parameters, 'cancelReplaceMode');
  if (mode !== 'STOP_ON_FAILURE' && mode !== 'ALLOW_FAILURE') throw refusals.invalidData('cancelReplaceMode');
  const limitMode = optional(parameters, 'orderRateLimitExceededMode') ?? 'DO_NOTHING';
  if (limitMode !== 'DO_NOTHING' && limitMode !== 'CANCEL_ONLY')
    throw refusals.invalidData('orderRateLimitExceededMode');
  return { stopsOnFailure: mode === 'STOP_ON_FAILURE', cancelsOverLimit: limitMode === 'CANCEL_ONLY' };
}

function namedOrder(call: Call): PaperOrder | undefined {
  const found = orderOf(call, { orderId: 'cancelOrderId', clientId: 'cancelOrigClientOrderId' });
  const clientId = call.parameters['cancelOrigClientOrderId'];
  return clientId === undefined || found?.clientOrderId === clientId ? found : undefined;
}

async function half(work: () => object | Promise<object>): Promise<Half> {
  try {
    return { result: 'SUCCESS', response: await work() };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { result: 'FAILURE', response: error.body };
  }
}

function outcomeOf(canceled: Half, placed: Half, { stopsOnFailure }: Modes, tooMany: Refusal | null): object {
  const data = {
    cancelResult: canceled.result,
    newOrderResult: placed.result,
    cancelResponse: 'response' in canceled ? canceled.response : null,
    newOrderResponse: 'response' in placed ? placed.response : null,
  };
  const succeeded = [canceled, placed].filter(({ result }) => result === 'SUCCESS').length;
  if (succeeded === 2) return data;
  const isLimited = tooMany !== null && stopsOnFailure;
  const headers = isLimited ? tooMany.headers : {};
  if (succeeded === 1) {
    throw new Refusal(isLimited ? 429 : 409, -2021, 'Order cancel-replace partially failed.', headers, data);
  }
  throw new Refusal(isLimited ? 429 : 400, -2022, 'Order cancel-replace failed.', headers, data);
}
