import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { OrderRef, OrderReported } from '../../src/contracts/messages/messages.ts';
import { backoffMs } from '../../src/domain/backoff.ts';
import { describe } from '../../src/domain/errors.ts';
import { isClosed } from '../../src/domain/order.ts';
import { fenceAtMs } from '../../src/domain/outcome.ts';
import { planSend } from '../../src/domain/sending.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { alertUnresolved, closeArchived, denyOrder, parkOrder } from '../../src/store/orders/orders.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf, venueNowMs } from '../rooms.ts';
import { applyAnswer } from './apply-answer.ts';
import { readCurrent } from './current-order.ts';
import { resendOrder } from './resend-order.ts';

const lookUps = { baseMs: 200, capMs: 8_000, factor: 2 };

/**
 * Asks the venue what became of an order, until its answer is definite: one look an attempt, because whoever waits
 * between them would hold one of the worker's slots. "No such order" proves nothing before the fence has passed; after
 * it, and with nothing in the open and recent orders either, it is presumed dead: parked, so that it keeps its
 * reservation and a person decides, or by policy placed again as the next generation. Throws a retryable failure while
 * nothing is settled.
 */
export const createFindOrder = (deps: ActivityDependencies) =>
  function findOrder(ref: OrderRef): Promise<OrderReported> {
    return whileBeating(async (signal) => {
      const settled = await lookOnce(deps, ref);
      // Somebody else has sent it again meanwhile: the next look follows to that generation.
      if (settled !== undefined && settled.reasonCode !== 'ORDER_PRESUMED_DEAD') return settled;
      signal.throwIfAborted();
      throw notSettled(Context.current().info.attempt);
    });
  };

/** Expected, so that no log and no metric counts it as a failure. `attempt` is counted from 1. */
const notSettled = (attempt: number): ApplicationFailure =>
  ApplicationFailure.create({
    message: describe('ORDER_UNSETTLED'),
    type: 'ORDER_UNSETTLED',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: backoffMs({ ...lookUps, attempt: attempt - 1 }),
  });

/** One look: the order as it stands if that is definite now, else nothing. */
async function lookOnce(deps: ActivityDependencies, ref: OrderRef): Promise<OrderReported | undefined> {
  const order = await readCurrent(deps, ref);
  const named = { ...ref, generation: order?.generation ?? ref.generation };
  const notSent = {
    order: { ...named, clientOrderId: clientOrderIdOf(named) },
    code: 'ORDER_NOT_SENT',
    nowMs: deps.now(),
  } as const;
  // Without an intent no byte can have left.
  if (order === undefined) return denyOrder(deps.db, notSent);
  if (isClosed(order.status) && order.reported.fillsComplete && !order.inDoubt) return order.reported;
  if (planSend(order, order.sends).plan === 'renew') return denyOrder(deps.db, notSent);

  const room = roomOf(deps, order.venue);
  const found = await room.venue.findOrder({ symbol: order.symbol, clientOrderId: order.clientOrderId });
  switch (found.outcome) {
    case 'found':
      return applyAnswer(deps, room, found.order, 'lookup');
    case 'archived':
      return closeArchived(deps.db, { clientOrderId: order.clientOrderId, nowMs: deps.now() });
    case 'absent': {
      const settled = (await isPastFence(deps, room, order)) ? await lookEverywhere(deps, room, order) : undefined;
      if (settled !== undefined) return settled;
      break;
    }
    case 'unavailable':
      break;
  }
  await alertUnresolved(deps.db, order, deps.now());
  return undefined;
}

/** The open orders and those since the intent, in case the look-up by id lags; nothing there either is the end of it. */
async function lookEverywhere(
  deps: ActivityDependencies,
  room: VenueRoom,
  order: BookOrder,
): Promise<OrderReported | undefined> {
  const isOurs = (candidate: VenueOrder) => candidate.clientOrderId === order.clientOrderId;
  try {
    const open = await room.venue.openOrders(order.symbol);
    const recent = await room.venue.ordersSince(order.symbol, order.signedAtMs - 1_000, 'cancel');
    const found = open.find(isOurs) ?? recent.find(isOurs);
    if (found) return await applyAnswer(deps, room, found, 'lookup');
    const resent = await resendOrder(deps, room, order);
    if (resent) return resent;
  } catch (error) {
    // A next generation that was not placed for now is denied by the next look: entries do not wait for a venue.
    deps.logger.warn({ error, clientOrderId: order.clientOrderId }, 'order can not be settled yet');
    return undefined;
  }
  return parkOrder(deps.db, { clientOrderId: order.clientOrderId, nowMs: deps.now() });
}

/** By the venue's clock, that the order is signed by: ours may be ahead. A clock that nobody knows has passed nothing. */
async function isPastFence(deps: ActivityDependencies, room: VenueRoom, order: BookOrder): Promise<boolean> {
  const { timings } = deps;
  const fence = fenceAtMs({
    signedAtMs: order.signedAtMs,
    recvWindowMs: order.recvWindowMs,
    apiTimeoutMs: timings.fenceApiTimeoutMs,
    marginMs: timings.fenceMarginMs,
  });
  return (await venueNowMs(deps, room).catch(() => fence)) > fence;
}
