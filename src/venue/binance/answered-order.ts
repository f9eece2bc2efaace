import { canceledSchema, placedSchema } from '../../contracts/schemas/binance.ts';
import { isEqual } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { OutcomeClass, VenueSignal } from '../../domain/outcome.ts';
import type { Lane, SendResult, SignedOrder, VenueOrder } from '../venue.ts';
import { canceledOrderOf, placedOrderOf } from './parse.ts';
import { isSuccess } from './reads.ts';
import { describe, type RestAnswer, retryAtOf } from './rest.ts';
import type { Parameters } from './sign.ts';
import { venueSymbolOf } from './symbols.ts';

/** What makes an order the one it is in a placement and in a replacement. The answer is asked for in full. */
export function orderParametersOf(order: SignedOrder, lane: Lane): Parameters {
  const { limitPrice, stopPrice, timeInForce, orderType } = order;
  invariant((orderType === 'MARKET') === (limitPrice === null), 'every order but a market order has a price');
  invariant((orderType === 'STOP_LIMIT') === (stopPrice !== null), 'a stop order has a stop price and no other has');
  return {
    symbol: venueSymbolOf(order.symbol),
    side: order.side,
    type: venueTypes[orderType],
    ...(timeInForce === null ? {} : { timeInForce }),
    quantity: order.quantity,
    ...(limitPrice === null ? {} : { price: limitPrice }),
    ...(stopPrice === null ? {} : { stopPrice }),
    newClientOrderId: order.clientOrderId,
    newOrderRespType: 'FULL',
    selfTradePreventionMode: selfTradePreventionOf(lane),
  };
}

/**
 * Which of two orders of this account that would trade with each other goes. An exit takes an entry that rests in its way
 * off the book; an entry that would meet a resting exit goes itself.
 */
export const selfTradePreventionOf = (lane: Lane): 'EXPIRE_MAKER' | 'EXPIRE_TAKER' =>
  lane === 'exit' ? 'EXPIRE_MAKER' : 'EXPIRE_TAKER';

// A stop that would trigger at once is refused by the venue. Sent as TAKE_PROFIT_LIMIT it would be taken instead, and
// would wait for the price to come back.
const venueTypes: Record<SignedOrder['orderType'], string> = {
  MARKET: 'MARKET',
  LIMIT: 'LIMIT',
  STOP_LIMIT: 'STOP_LOSS_LIMIT',
};

/** The order that the answer to a placement describes, if it is the one that was sent. */
export function placedOrderIn(body: unknown, order: SignedOrder, observedAtMs: number): VenueOrder | undefined {
  const raw = placedSchema.safeParse(body).data;
  if (raw?.symbol !== venueSymbolOf(order.symbol)) return undefined;
  const placed = placedOrderOf(raw, { symbol: order.symbol, observedAtMs });
  const isOurs =
    placed.clientOrderId === order.clientOrderId &&
    placed.side === order.side &&
    isEqual(placed.quantity, order.quantity);
  return isOurs ? placed : undefined;
}

/** The order that the answer to a cancel describes, if it is the one that was to be canceled. */
export function canceledOrderIn(
  body: unknown,
  { symbol, clientOrderId }: { readonly symbol: string; readonly clientOrderId: string },
  observedAtMs: number,
): VenueOrder | undefined {
  const raw = canceledSchema.safeParse(body).data;
  const isWanted = raw?.symbol === venueSymbolOf(symbol) && raw.origClientOrderId === clientOrderId;
  return isWanted ? canceledOrderOf(raw, { symbol, observedAtMs }) : undefined;
}

/** `order` is the venue's answer where it names the order that was asked about. */
export function sendResultOf(
  answer: RestAnswer,
  order: VenueOrder | undefined,
  judge: (signal: VenueSignal) => OutcomeClass,
): SendResult {
  const { detail } = describe(answer);
  if (answer.kind === 'held') return { outcome: 'THROTTLED', isHeldBack: true, detail, ...retryAtOf(answer) };
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

/** While the venue's time is not known nothing can be signed, so nothing has been sent. */
export const clockUnknown = { outcome: 'NOT_SENT', detail: "the venue's clock is not known" } as const;
