import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { type Decimal, isMore, sum } from '../../src/domain/decimal.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { applyVenueOrder, type ReportOutcome, recordSend, type SendOutcome } from '../../src/store/orders/orders.ts';
import type { SendResult, VenueFill, VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';

type Answered = Pick<Parameters<typeof applyVenueOrder>[1], 'order' | 'via' | 'send'>;

/**
 * Commits what the venue said of one of our orders, with the fills it has counted. What carries fewer fills than it counts
 * is completed by asking for them; where that fails the book knows that some are missing. The stream brings each fill by
 * itself and the book has those before it, so its word is committed first, and asked about only if some are missing then.
 */
export async function applyAnswer(
  deps: ApplyDependencies,
  room: VenueRoom,
  order: VenueOrder,
  via: Answered['via'],
  send?: SendOutcome,
): Promise<OrderReported> {
  const answered = { order, via, ...(send && { send }) };
  const told = via === 'stream' ? await commit(deps, room, answered) : undefined;
  if (told !== undefined && !isMissingFills(told, order)) return told.reported;
  return (await commit(deps, room, await completed(deps, room, answered))).reported;
}

const isMissingFills = ({ outcome, reported }: ReportOutcome, order: VenueOrder): boolean =>
  outcome !== 'illegal' && !reported.fillsComplete && !carriesAllFills(order);

type ApplyDependencies = Pick<ActivityDependencies, 'db' | 'now' | 'logger'>;

async function commit(
  { db, now }: ApplyDependencies,
  { prices }: VenueRoom,
  answered: Answered,
): Promise<ReportOutcome> {
  const { symbol, fills } = answered.order;
  const feeAssetPrices = await feePrices(prices, symbol, fills);
  return applyVenueOrder(db, { ...answered, feeAssetPrices, nowMs: now() });
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

/** The answer with all fills that it counts, as far as the venue can tell them now. */
async function completed({ logger }: ApplyDependencies, { venue }: VenueRoom, answered: Answered): Promise<Answered> {
  const { order } = answered;
  if (carriesAllFills(order)) return answered;
  try {
    const listed = await venue.fillsOf({ symbol: order.symbol, venueOrderId: order.venueOrderId });
    const ids = new Set(listed.map(({ venueTradeId }) => venueTradeId));
    // The list may lag behind what the answer itself carries.
    const unlisted = order.fills.filter(({ venueTradeId }) => !ids.has(venueTradeId));
    return { ...answered, order: { ...order, fills: [...listed, ...unlisted] } };
  } catch (error) {
    logger.warn({ error, clientOrderId: order.clientOrderId }, 'fills can not be read yet');
    return answered;
  }
}
