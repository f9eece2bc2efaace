import { isPositive } from '../../src/domain/decimal.ts';
import { isWorking } from '../../src/domain/order.ts';
import type { OpenDifference } from '../../src/domain/reconciliation/assess.ts';
import type { ExternalOrder, MissingOrder } from '../../src/domain/reconciliation/difference.ts';
import { compareOrders } from '../../src/domain/reconciliation/orders.ts';
import { closeArchived } from '../../src/store/orders/orders.ts';
import type { ComparedOrder, ForeignOrder } from '../../src/store/reconciliation/compared-book.ts';
import type { AccountFill, VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { applyAnswer } from '../orders/apply-answer.ts';

/** The form of src/venue/client-order-id.ts, whatever the purpose. */
const ourForm = /^rt[a-z]-[a-z2-7]{28}$/;

/** A look-up may lag behind what the venue itself has told: so long a silence about a fresh order proves nothing. */
export const lookUpLagMs = 30_000;

export type OrderFindings = {
  readonly external: readonly ExternalOrder[];
  /** Orders of others that have ended without a fill, of which an alert may still last. */
  readonly harmless: readonly ExternalOrder[];
  readonly missing: readonly MissingOrder[];
  /** Why it can't be told; null when it can. */
  readonly unavailable: string | null;
};

type Compared = {
  readonly listed: readonly VenueOrder[];
  readonly fills: readonly AccountFill[];
  readonly book: readonly ComparedOrder[];
  readonly open: readonly OpenDifference[];
  readonly heard: readonly ForeignOrder[];
};

/** Which orders only one side has. One that a list lacks is asked for by its id: no list proves that it is gone. */
export async function compareOrderLists(
  deps: ActivityDependencies,
  room: VenueRoom,
  compared: Compared,
): Promise<OrderFindings> {
  const { listed, book } = compared;
  const lists = compareOrders(book, listed);
  const lost = (lists?.bookOnly ?? []).filter(({ status }) => status === 'new' || status === 'partiallyFilled');
  const missing = await findLost(deps, room, lost);
  const foreign = [...(lists?.venueOnly ?? []), ...(await findForeign(room, compared))];
  const found = foreign.map(externalOrderOf);
  const hasEffect = (order: ExternalOrder) => order.isWorking || isPositive(order.filledQuantity);
  return {
    external: [...found.filter(hasEffect), ...kept(compared, foreign), ...fromFills(compared, foreign)],
    harmless: found.filter((order) => !hasEffect(order)),
    ...missing,
  };
}

async function findLost(
  deps: ActivityDependencies,
  room: VenueRoom,
  lost: readonly ComparedOrder[],
): Promise<Pick<OrderFindings, 'missing' | 'unavailable'>> {
  const missing: MissingOrder[] = [];
  let unavailable: string | null = null;
  for (const { symbol, clientOrderId, tradeId, status, updatedAtMs } of lost) {
    const found = await room.venue.findOrder({ symbol, clientOrderId, lane: 'report' });
    if (found.outcome === 'found') await applyAnswer(deps, room, found.order, 'lookup');
    else if (found.outcome === 'archived') await closeArchived(deps.db, { clientOrderId, nowMs: deps.now() });
    else if (found.outcome === 'unavailable') unavailable = found.detail;
    else if (deps.now() - updatedAtMs > lookUpLagMs) {
      missing.push({ kind: 'missingOrder', symbol, clientOrderId, tradeId, status });
    }
  }
  return { missing, unavailable };
}

/** Orders of others that are known and not listed (any more), as the venue tells them now. */
async function findForeign({ venue }: VenueRoom, compared: Compared): Promise<readonly VenueOrder[]> {
  const orders: VenueOrder[] = [];
  for (const { symbol, clientOrderId } of unlisted(compared)) {
    const found = await venue.findOrder({ symbol, clientOrderId, lane: 'report' });
    if (found.outcome === 'found') orders.push(found.order);
  }
  return orders;
}

function unlisted({ listed, open, heard }: Compared): readonly ForeignOrder[] {
  const known = open.flatMap(({ difference }) =>
    difference.kind === 'externalOrder' && difference.clientOrderId !== null
      ? [{ ...difference, clientOrderId: difference.clientOrderId }]
      : [],
  );
  const byId = new Map([...heard, ...known].map((order) => [idOf(order), order]));
  for (const order of listed) byId.delete(idOf(order));
  return [...byId.values()];
}

/** What is known stays so until the venue says otherwise: that it could not be asked now, or has forgotten, is no end. */
const kept = ({ open, listed }: Compared, foreign: readonly VenueOrder[]): OrderFindings['external'] => {
  const told = new Set([...listed, ...foreign].map(idOf));
  return open.flatMap(({ difference }) =>
    difference.kind === 'externalOrder' && !told.has(idOf(difference)) ? [difference] : [],
  );
};

/** Fills of orders that no list has, such as those of an order that was placed long ago. */
function fromFills({ fills, book, listed, open }: Compared, foreign: readonly VenueOrder[]): OrderFindings['external'] {
  const known = new Set([
    ...[...listed, ...foreign].map(idOf),
    ...book.map(({ symbol, venueOrderId }) => idOf({ symbol, venueOrderId: venueOrderId ?? '' })),
    ...open.flatMap(({ difference }) => (difference.kind === 'externalOrder' ? [idOf(difference)] : [])),
  ]);
  const strange = new Map(fills.filter((fill) => !known.has(idOf(fill))).map((fill) => [idOf(fill), fill]));
  return [...strange.values()].map(({ symbol, venueOrderId, quantity }) => ({
    kind: 'externalOrder',
    symbol,
    venueOrderId,
    clientOrderId: null,
    side: null,
    quantity: null,
    filledQuantity: quantity,
    isWorking: false,
    isOrphan: false,
  }));
}

const externalOrderOf = ({
  symbol,
  venueOrderId,
  clientOrderId,
  side,
  quantity,
  report,
}: VenueOrder): ExternalOrder => ({
  kind: 'externalOrder',
  symbol,
  venueOrderId,
  clientOrderId,
  side,
  quantity,
  filledQuantity: report.filledQuantity,
  isWorking: isWorking(report.status),
  isOrphan: ourForm.test(clientOrderId),
});

const idOf = ({ symbol, venueOrderId }: { readonly symbol: string; readonly venueOrderId: string }): string =>
  `${symbol}:${venueOrderId}`;
