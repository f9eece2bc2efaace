import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { commitResend, ordersAtVenue } from '../../src/store/orders/orders.ts';
import { readPlacement } from '../../src/store/trades/trades.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { venueNowMs } from '../rooms.ts';
import { isBreakerOpen, sendOrder } from './place-order.ts';

/** More lost orders of one entry than this are no accident: a person decides. */
const generationsMax = 3;

/**
 * Policy `resend`: places an entry order that is presumed dead again, as its next generation under an id of its own.
 * Undefined where that must not be: an exit, a request whose time is over, too many generations, a hold, an open
 * breaker, a process unfit for entries, or a fill at the venue that could be the lost order's. Whoever looked last then
 * decides otherwise.
 */
export async function resendOrder(
  deps: ActivityDependencies,
  room: VenueRoom,
  dead: BookOrder,
): Promise<OrderReported | undefined> {
  if (!(await mayResend(deps, room, dead))) return undefined;
  const { sends: _sends, reported: _reported, ...terms } = dead;
  const generation = dead.generation + 1;
  const resent = await commitResend(deps.db, {
    dead,
    intent: {
      ...terms,
      generation,
      clientOrderId: clientOrderIdOf({ ...dead, generation }),
      signedAtMs: await venueNowMs(deps, room),
      recvWindowMs: deps.timings.recvWindowMs,
      nowMs: deps.now(),
    },
  });
  if (resent.outcome !== 'committed') return undefined;
  crashPoint('afterIntent');
  return sendOrder(deps, resent.order);
}

async function mayResend(deps: ActivityDependencies, room: VenueRoom, dead: BookOrder): Promise<boolean> {
  if (deps.unresolved !== 'resend' || dead.purpose !== 'entry' || dead.generation >= generationsMax) return false;
  if (deps.entryBrake() !== null || (await isBreakerOpen(deps, dead))) return false;
  const placement = await readPlacement(deps.db, dead.tradeId);
  invariant(placement !== undefined, `a placed order has a trade, ${dead.tradeId} has none`);
  const { requestedAtMs, validForMs } = placement.request;
  return deps.now() <= requestedAtMs + validForMs && !(await hasStrangeFill(deps, room, dead));
}

/** A fill since the intent, on an order that the book does not know, could be the lost order's. */
async function hasStrangeFill(
  { db }: ActivityDependencies,
  { venue }: VenueRoom,
  { symbol, signedAtMs, account }: BookOrder,
): Promise<boolean> {
  const fills = await venue.fillsSince(symbol, signedAtMs - 1_000);
  const ids = [...new Set(fills.map(({ venueOrderId }) => venueOrderId))];
  return (await ordersAtVenue(db, { account, symbol, venueOrderIds: ids })) < ids.length;
}
