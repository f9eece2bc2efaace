import { ApplicationFailure } from '@temporalio/common';
import type { OrderRef, OrderReported } from '../../src/contracts/messages/messages.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { isClosed } from '../../src/domain/order.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { closeArchived } from '../../src/store/orders/orders.ts';
import type { SendResult } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf } from '../rooms.ts';
import { applyAnswer } from './apply-answer.ts';
import { readCurrent } from './current-order.ts';

/**
 * Asks the venue to cancel an order and answers with what became of it. "Unknown order" may mean that it has just
 * filled, and a lost answer may mean anything, so whatever is not a clear success is looked up. An order that has
 * ended already is a success. Throws a retryable failure while the venue can't be asked.
 */
export const createCancelOrder = (deps: ActivityDependencies) =>
  function cancelOrder(ref: OrderRef): Promise<OrderReported> {
    return whileBeating(async (signal) => {
      const order = await readCurrent(deps, ref);
      invariant(order !== undefined, `an order that is canceled has an intent, ${ref.tradeId} has none`);
      return isClosed(order.status) ? order.reported : cancelAtVenue(deps, order, signal);
    });
  };

/** The same for an order that the venue lists as open, whatever the book says; outside of an activity as well. */
export async function cancelAtVenue(
  deps: CancelDependencies,
  order: Pick<BookOrder, 'venue' | 'symbol' | 'clientOrderId'>,
  signal?: AbortSignal,
): Promise<OrderReported> {
  const room = roomOf(deps, order.venue);
  const target = { symbol: order.symbol, clientOrderId: order.clientOrderId };
  const result = await room.venue.cancelOrder(target, signal);
  if (result.outcome === 'ACCEPTED' && result.order) return applyAnswer(deps, room, result.order, 'cancel');
  return lookAfter(deps, room, order, result);
}

type CancelDependencies = Pick<ActivityDependencies, 'db' | 'rooms' | 'now' | 'logger'>;

async function lookAfter(
  deps: CancelDependencies,
  room: VenueRoom,
  order: Pick<BookOrder, 'symbol' | 'clientOrderId'>,
  result: SendResult,
): Promise<OrderReported> {
  const found = await room.venue.findOrder({ symbol: order.symbol, clientOrderId: order.clientOrderId });
  if (found.outcome === 'found') {
    const reported = await applyAnswer(deps, room, found.order, 'lookup');
    // It still works, so the cancel did not arrive: only another one ends it.
    if (!isClosed(reported.status)) throw notCanceled(deps, result);
    return reported;
  }
  if (found.outcome === 'archived') {
    return closeArchived(deps.db, { clientOrderId: order.clientOrderId, nowMs: deps.now() });
  }
  throw notCanceled(deps, result);
}

function notCanceled(
  { now }: Pick<ActivityDependencies, 'now'>,
  { outcome, detail, retryAtMs }: SendResult,
): ApplicationFailure {
  return ApplicationFailure.create({
    message: `CANCEL_UNCONFIRMED: the venue has not confirmed the cancel (${outcome}: ${detail})`,
    type: 'CANCEL_UNCONFIRMED',
    ...(retryAtMs === undefined ? {} : { nextRetryDelay: Math.max(200, retryAtMs - now()) }),
  });
}
