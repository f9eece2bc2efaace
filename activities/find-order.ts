import type { OrderRef, OrderReported } from '../src/contracts/messages/messages.ts';
import { backoffMs } from '../src/domain/backoff.ts';
import { isClosed } from '../src/domain/order.ts';
import { fenceAtMs } from '../src/domain/outcome.ts';
import { planSend } from '../src/domain/sending.ts';
import { type BookOrder, readOrder } from '../src/store/book-order.ts';
import { denyOrder, parkOrder } from '../src/store/orders.ts';
import { clientOrderIdOf } from '../src/venue/client-order-id.ts';
import type { VenueOrder } from '../src/venue/venue.ts';
import { applyAnswer } from './apply-answer.ts';
import type { ActivityDependencies, VenueRoom } from './dependencies.ts';
import { whileBeating } from './heartbeat.ts';
import { roomOf } from './rooms.ts';

const lookUps = { baseMs: 200, capMs: 8_000, factor: 2 };

/**
 * Asks the venue what became of an order, until its answer is definite. "No such order" proves nothing before the
 * fence has passed; after it, and with nothing in the open and recent orders either, the order is parked: it keeps its
 * reservation and a person decides. Never sends anything.
 */
export const createFindOrder = (deps: ActivityDependencies) =>
  function findOrder(ref: OrderRef): Promise<OrderReported> {
    return whileBeating(async (signal) => {
      for (let attempt = 0; ; attempt += 1) {
        const settled = await lookOnce(deps, ref);
        if (settled !== undefined) return settled;
        await deps.sleep(backoffMs({ ...lookUps, attempt }), signal);
      }
    });
  };

/** One look: the order as it stands if that is definite now, else nothing. */
async function lookOnce(deps: ActivityDependencies, ref: OrderRef): Promise<OrderReported | undefined> {
  const clientOrderId = clientOrderIdOf(ref);
  const order = await readOrder(deps.db, clientOrderId);
  const notSent = { order: { ...ref, clientOrderId }, code: 'ENTRY_NOT_SENT', nowMs: deps.now() } as const;
  // Without an intent no byte can have left.
  if (order === undefined) return denyOrder(deps.db, notSent);
  if (isClosed(order.status) && order.reported.fillsComplete && !order.inDoubt) return order.reported;
  if (planSend(order, order.sends, deps.now()).plan === 'renew') return denyOrder(deps.db, notSent);

  const room = roomOf(deps, order.venue);
  const found = await room.venue.findOrder({ symbol: order.symbol, clientOrderId: order.clientOrderId });
  switch (found.outcome) {
    case 'found':
      return applyAnswer(deps, room, found.order, 'lookup');
    case 'archived':
    case 'absent':
      return pastFence(deps, order) ? lookEverywhere(deps, room, order) : undefined;
    case 'unavailable':
      return undefined;
  }
}

/** The open orders and those since the intent, in case the look-up by id lags; nothing there either parks the order. */
async function lookEverywhere(
  deps: ActivityDependencies,
  room: VenueRoom,
  order: BookOrder,
): Promise<OrderReported | undefined> {
  const isOurs = (candidate: VenueOrder) => candidate.clientOrderId === order.clientOrderId;
  try {
    const open = await room.venue.openOrders(order.symbol);
    const recent = await room.venue.ordersSince(order.symbol, order.signedAtMs - 1_000);
    const found = open.find(isOurs) ?? recent.find(isOurs);
    if (found) return await applyAnswer(deps, room, found, 'lookup');
  } catch (error) {
    deps.logger.warn({ error, clientOrderId: order.clientOrderId }, 'orders can not be listed yet');
    return undefined;
  }
  return parkOrder(deps.db, { clientOrderId: order.clientOrderId, nowMs: deps.now() });
}

function pastFence({ timings, now }: ActivityDependencies, order: BookOrder): boolean {
  const fence = fenceAtMs({
    signedAtMs: order.signedAtMs,
    recvWindowMs: order.recvWindowMs,
    apiTimeoutMs: timings.fenceApiTimeoutMs,
    marginMs: timings.fenceMarginMs,
  });
  return now() > fence;
}
