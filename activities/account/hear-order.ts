import { isWorking } from '../../src/domain/order.ts';
import { isOurs } from '../../src/store/orders/book-order.ts';
import { recordForeignOrder } from '../../src/store/orders/orders.ts';
import type { VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { applyAnswer } from '../orders/apply-answer.ts';
import { cancelAtVenue } from '../orders/cancel-order.ts';

/** An order of ours is committed; any other one was placed by somebody else, which people must know. */
export async function hearOrder(
  deps: ActivityDependencies,
  room: VenueRoom,
  account: string,
  order: VenueOrder,
): Promise<void> {
  if (await isOurs(deps.db, order.clientOrderId)) await hearOwnOrder(deps, room, order, 'stream');
  else await recordForeignOrder(deps.db, { account, venue: room.venue.name, order, nowMs: deps.now() });
}

/** An order that was taken for dead and works after all is canceled: another one may stand in its place. */
export async function hearOwnOrder(
  deps: ActivityDependencies,
  room: VenueRoom,
  order: VenueOrder,
  via: 'stream' | 'lookup',
): Promise<void> {
  const { reasonCode } = await applyAnswer(deps, room, order, via);
  const isDead = reasonCode === 'ORDER_PRESUMED_DEAD' || reasonCode === 'ORDER_DECLARED_DEAD';
  const { symbol, clientOrderId, report } = order;
  if (isDead && isWorking(report.status)) await cancelAtVenue(deps, { venue: room.venue.name, symbol, clientOrderId });
}
