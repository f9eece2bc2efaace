import type { z } from 'zod';
import { refusalSchema, replaceHalvesSchema, replaceRefusalSchema } from '../../contracts/schemas/binance.ts';
import type { OutcomeClass } from '../../domain/outcome.ts';
import { classifyReplace, type ReplaceHalf, type ReplaceHalves } from '../../domain/replace-outcome.ts';
import type { Replacement, ReplaceResult, SendResult, Venue, VenueOrder } from '../venue.ts';
import { canceledOrderIn, orderParametersOf, placedOrderIn } from './answered-order.ts';
import type { OrderSendsDependencies } from './orders.ts';
import { isSuccess } from './reads.ts';
import { describe, endpoints, type RestAnswer, retryAtOf } from './rest.ts';

/**
 * Puts one order in the place of another. The new one is placed only when the old one was canceled with nothing filled: one
 * that has just filled, if only in part, must not be followed by a second. Where the venue counts too many orders it does
 * neither.
 */
export const createReplaceOrder =
  ({ rest, clock }: Pick<OrderSendsDependencies, 'rest' | 'clock'>): Venue['replaceOrder'] =>
  async (replacement, signal) => {
    const { cancel, order, lane } = replacement;
    const parameters = {
      ...orderParametersOf(order, lane),
      cancelOrigClientOrderId: cancel.clientOrderId,
      // One that has sold meanwhile stays: the new one was sized before that, and would sell it again.
      cancelRestrictions: 'ONLY_NEW',
      cancelReplaceMode: 'STOP_ON_FAILURE',
      orderRateLimitExceededMode: 'DO_NOTHING',
      recvWindow: order.recvWindowMs,
      timestamp: order.signedAtMs,
    };
    const answer = await rest.call(endpoints.replaceOrder, parameters, lane, signal);
    return resultOf(answer, replacement, clock.nowMs());
  };

type RawHalves = z.output<typeof replaceHalvesSchema>;

function resultOf(answer: RestAnswer, { cancel, order }: Replacement, observedAtMs: number): ReplaceResult {
  if (answer.kind === 'held') {
    const held: SendResult = { outcome: 'THROTTLED', isHeldBack: true, ...describe(answer), ...retryAtOf(answer) };
    return { canceled: held, placed: held };
  }
  const raw = rawHalvesOf(answer);
  const canceled = canceledOrderIn(raw?.cancelResponse, cancel, observedAtMs);
  const placed = placedOrderIn(raw?.newOrderResponse, order, observedAtMs);
  const halves = raw === undefined ? null : halvesOf(raw, { canceled, placed });
  const outcome = classifyReplace(answer, halves);
  return {
    canceled: sideOf(answer, outcome.canceled, canceled, raw?.cancelResponse),
    placed: sideOf(answer, outcome.placed, placed, raw?.newOrderResponse),
  };
}

/** A success has them at the top, a refusal under `data`. */
function rawHalvesOf(answer: RestAnswer): RawHalves | undefined {
  if (isSuccess(answer)) return replaceHalvesSchema.safeParse(answer.body).data;
  if (answer.kind !== 'http') return undefined;
  return replaceRefusalSchema.safeParse(answer.body).data?.data;
}

type Orders = { readonly canceled: VenueOrder | undefined; readonly placed: VenueOrder | undefined };

const halvesOf = (raw: RawHalves, { canceled, placed }: Orders): ReplaceHalves => ({
  cancel: halfOf(raw.cancelResult, raw.cancelResponse, canceled),
  placement: halfOf(raw.newOrderResult, raw.newOrderResponse, placed),
});

function halfOf(result: ReplaceHalf['result'], response: unknown, order: VenueOrder | undefined): ReplaceHalf {
  if (result === 'SUCCESS') return { result, matches: order !== undefined };
  if (result === 'NOT_ATTEMPTED') return { result };
  const refusal = refusalSchema.safeParse(response).data;
  return { result, refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.msg } };
}

/** The evidence of one half: its own refusal where it has one, else that of the whole. */
function sideOf(
  answer: Exclude<RestAnswer, { kind: 'held' }>,
  outcome: OutcomeClass,
  order: VenueOrder | undefined,
  response: unknown,
): SendResult {
  if (answer.kind === 'transport') return { outcome, ...describe(answer) };
  const refusal = refusalSchema.safeParse(response).data;
  const venueCode = refusal?.code ?? answer.code;
  const words = refusal === undefined ? describe(answer).detail : `${refusal.code} ${refusal.msg}`;
  return {
    outcome,
    ...(outcome === 'ACCEPTED' && order !== undefined ? { order } : {}),
    httpStatus: answer.status,
    ...(venueCode === undefined ? {} : { venueCode }),
    detail: words,
    ...retryAtOf(answer),
  };
}
