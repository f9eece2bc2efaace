import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { type Decimal, isMore, sum } from '../../src/domain/decimal.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { applyVenueOrder, recordSend, type SendOutcome } from '../../src/store/orders/orders.ts';
import type { SendResult, Venue, VenueFill, VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';

/**
 * Commits what the venue said of one of our orders, with the fills it has counted. An answer that carries fewer fills
 * than it counts is completed by asking for them; where that fails the book knows that some are missing.
 */
export async function applyAnswer(
  { db, now, logger }: Pick<ActivityDependencies, 'db' | 'now' | 'logger'>,
  { venue, prices }: VenueRoom,
  order: VenueOrder,
  via: 'send' | 'stream' | 'lookup' | 'cancel',
  send?: SendOutcome,
): Promise<OrderReported> {
  const fills = carriesAllFills(order) ? order.fills : await fillsOf(venue, order, logger);
  const applied = await applyVenueOrder(db, {
    order: { ...order, fills },
    via,
    feeAssetPrices: await feePrices(prices, order.symbol, fills),
    nowMs: now(),
    ...(send === undefined ? {} : { send }),
  });
  return applied.reported;
}

/** Commits what a send of the order came to, and with it the order as the venue answered with it. */
export function applySend(
  deps: ActivityDependencies,
  room: VenueRoom,
  { clientOrderId, sendEpoch }: BookOrder,
  { outcome, httpStatus, venueCode, detail, order, isHeldBack }: SendResult,
): Promise<OrderReported> {
  const send = {
    epoch: sendEpoch,
    outcome,
    httpStatus: httpStatus ?? null,
    venueCode: venueCode ?? null,
    detail,
    ...(isHeldBack && { isHeldBack }),
  };
  if (outcome === 'ACCEPTED' && order !== undefined) return applyAnswer(deps, room, order, 'send', send);
  return recordSend(deps.db, { clientOrderId, send, nowMs: deps.now() });
}

const feePriceWaitMs = 500;

/** What a third asset that fees were taken in is worth in the quote asset. One that nobody knows stays out. */
async function feePrices(
  prices: VenueRoom['prices'],
  symbol: string,
  fills: readonly VenueFill[],
): Promise<Readonly<Record<string, Decimal>>> {
  const [base, quote] = symbol.split('/');
  const third = [...new Set(fills.map(({ feeAsset }) => feeAsset))].filter(
    (asset) => asset !== base && asset !== quote,
  );
  const found = await Promise.all(
    third.map(async (asset) => {
      const latest = await prices.awaitPrice(`${asset}/${quote}`, feePriceWaitMs).catch(() => null);
      return latest === null ? [] : [[asset, latest.price] as const];
    }),
  );
  return Object.fromEntries(found.flat());
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
