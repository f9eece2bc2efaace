import type { OrderRef, OrderReported, OrderTerms } from '../../src/contracts/messages/messages.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { isClosed } from '../../src/domain/order.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import { type BookOrder, readOrder } from '../../src/store/orders/book-order.ts';
import { commitReplacement, denyOrder } from '../../src/store/orders/orders.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { SendResult } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf, venueNowMs } from '../rooms.ts';
import { applyAnswer, applySend } from './apply-answer.ts';

type Replacement = {
  readonly cancel: OrderRef;
  readonly order: OrderRef & { readonly terms: OrderTerms };
};

/** How both stand. What is in doubt has to be looked up; a new order that was not placed is denied. */
type Replaced = { readonly canceled: OrderReported; readonly placed: OrderReported };

/**
 * Puts an exit or a stop in the place of another in one request, so that the position is at no moment without one for
 * longer than the venue takes. The intent of the new one is committed first. The two orders have outcomes of their own:
 * a refusal may have canceled the old one all the same. Never sends the same order twice.
 */
export const createReplaceOrder = (deps: ActivityDependencies) =>
  function replaceOrder({ cancel, order }: Replacement): Promise<Replaced> {
    return whileBeating(async (signal) => {
      const old = await readOrder(deps.db, clientOrderIdOf(cancel));
      invariant(old !== undefined, `an order that is replaced has an intent, ${cancel.tradeId} has none`);
      const clientOrderId = clientOrderIdOf(order);
      const known = await readOrder(deps.db, clientOrderId);
      if (known !== undefined) return { canceled: old.reported, placed: asFound(known) };
      const room = roomOf(deps, old.venue);
      const { terms, ...ref } = order;
      const committed = await commitReplacement(deps.db, {
        replaced: old.clientOrderId,
        intent: {
          ...ref,
          ...terms,
          clientOrderId,
          account: old.account,
          venue: old.venue,
          symbol: old.symbol,
          signedAtMs: await venueNowMs(deps, room),
          recvWindowMs: deps.timings.recvWindowMs,
          nowMs: deps.now(),
        },
      });
      if (committed.outcome === 'committed') {
        crashPoint('afterIntent');
        return send(deps, room, { old, order: committed.order, signal });
      }
      const placed =
        committed.outcome === 'existing'
          ? asFound(await readOrder(deps.db, clientOrderId))
          : await deny(deps, order, refusals[committed.outcome]);
      return { canceled: old.reported, placed };
    });
  };

const refusals = {
  'not-working': 'REPLACED_ORDER_ENDED',
  'exit-requested': 'STOP_WITHDRAWN',
  'exceeds-position': 'EXIT_EXCEEDS_POSITION',
} as const satisfies Record<string, ErrorCode>;

/** An intent that somebody committed before may have been sent: only the venue can say. */
function asFound(order: BookOrder | undefined): OrderReported {
  invariant(order !== undefined, 'an existing intent is an order');
  return isClosed(order.status) ? order.reported : { ...order.reported, inDoubt: true };
}

const deny = (deps: ActivityDependencies, ref: OrderRef, code: ErrorCode): Promise<OrderReported> =>
  denyOrder(deps.db, { order: { ...ref, clientOrderId: clientOrderIdOf(ref) }, code, nowMs: deps.now() });

async function send(
  deps: ActivityDependencies,
  room: VenueRoom,
  { old, order, signal }: { readonly old: BookOrder; readonly order: BookOrder; readonly signal: AbortSignal },
): Promise<Replaced> {
  const { symbol, clientOrderId } = old;
  const result = await room.venue.replaceOrder({ cancel: { symbol, clientOrderId }, order, lane: 'exit' }, signal);
  crashPoint('afterExitAnswer');
  const placed = await settlePlaced(deps, room, order, result.placed);
  const canceled = await settleCanceled(deps, room, old, result.canceled);
  crashPoint('afterRecord');
  return { canceled, placed };
}

async function settlePlaced(
  deps: ActivityDependencies,
  room: VenueRoom,
  order: BookOrder,
  result: SendResult,
): Promise<OrderReported> {
  const reported = await applySend(deps, room, order, result);
  const isNotPlaced = result.outcome === 'NOT_SENT' || result.outcome === 'THROTTLED';
  return isNotPlaced ? deny(deps, order, 'REPLACEMENT_NOT_PLACED') : reported;
}

/** What is not a clear cancel is looked up; where that fails the order is answered as it was known. */
async function settleCanceled(
  deps: ActivityDependencies,
  room: VenueRoom,
  old: BookOrder,
  result: SendResult,
): Promise<OrderReported> {
  if (result.outcome === 'ACCEPTED' && result.order) return applyAnswer(deps, room, result.order, 'cancel');
  if (result.outcome === 'NOT_SENT' || result.outcome === 'THROTTLED') return old.reported;
  const { symbol, clientOrderId } = old;
  const found = await room.venue.findOrder({ symbol, clientOrderId, lane: 'exit' });
  return found.outcome === 'found'
    ? applyAnswer(deps, room, found.order, 'lookup')
    : { ...old.reported, inDoubt: true };
}
