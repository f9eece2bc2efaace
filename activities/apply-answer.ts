import type { OrderReported } from '../src/contracts/messages/messages.ts';
import { isMore, sum } from '../src/domain/decimal.ts';
import { applyVenueOrder, type SendOutcome } from '../src/store/orders.ts';
import type { Venue, VenueOrder } from '../src/venue/venue.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Commits what the venue said of one of our orders, with the fills it has counted. An answer that carries fewer fills
 * than it counts is completed by asking for them; where that fails the book knows that some are missing.
 */
export async function applyAnswer(
  { db, now, logger }: Pick<ActivityDependencies, 'db' | 'now' | 'logger'>,
  venue: Venue,
  order: VenueOrder,
  via: 'send' | 'stream' | 'lookup' | 'cancel',
  send?: SendOutcome,
): Promise<OrderReported> {
  const fills = carriesAllFills(order) ? order.fills : await fillsOf(venue, order, logger);
  const applied = await applyVenueOrder(db, {
    order: { ...order, fills },
    via,
    nowMs: now(),
    ...(send === undefined ? {} : { send }),
  });
  return applied.reported;
}

const carriesAllFills = (order: VenueOrder): boolean =>
  !isMore(order.report.filledQuantity, sum(order.fills.map((fill) => fill.quantity)));

async function fillsOf(
  venue: Venue,
  order: VenueOrder,
  logger: ActivityDependencies['logger'],
): Promise<VenueOrder['fills']> {
  try {
    return await venue.fillsOf({ symbol: order.symbol, venueOrderId: order.venueOrderId });
  } catch (error) {
    logger.warn({ error, clientOrderId: order.clientOrderId }, 'fills can not be read yet');
    return order.fills;
  }
}
