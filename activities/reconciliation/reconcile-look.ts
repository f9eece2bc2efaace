import { isEqual } from '../../src/domain/decimal.ts';
import type { Look, OpenDifference } from '../../src/domain/reconciliation/assess.ts';
import { type Difference, keyOf } from '../../src/domain/reconciliation/difference.ts';
import { compareFills, type OwnFill } from '../../src/domain/reconciliation/fills.ts';
import { compareBalances, comparePositions, type Holding } from '../../src/domain/reconciliation/holdings.ts';
import {
  acceptedKeys,
  type BookHoldings,
  bookFills,
  type ComparedOrder,
  foreignOrdersHeard,
  openDifferences,
  ordersToCompare,
  type ReconciliationStanding,
  readHoldings,
  symbolsInUse,
} from '../../src/store/reconciliation/compared-book.ts';
import type { AccountFill, VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { applyAnswer } from '../orders/apply-answer.ts';
import { compareOrderLists, lookUpLagMs, type OrderFindings } from './reconcile-orders.ts';
import { type Read, readLists, type VenueLists } from './reconcile-reads.ts';

/** The book took a fill this long before the balances were asked for: then the venue's answer has it in it. */
const settledForMs = 5_000;

/** An account, and since when its orders and fills are compared. */
export type LookPlace = {
  readonly account: string;
  readonly venue: string;
  readonly sinceMs: number;
  readonly suspects: readonly Difference[];
};

export type LookTaken = {
  readonly look: Look;
  readonly harmless: OrderFindings['harmless'];
  /** What balances and positions were compared by; null where they could not be read. */
  readonly holdings: { readonly balances: readonly Holding[]; readonly book: BookHoldings } | null;
};

/**
 * Reads the venue first and the book last, and brings the book up to date on the way: what the venue says of our own
 * orders is committed as always, so that only what the book can't take is left to differ.
 */
export async function takeLook(
  deps: ActivityDependencies,
  room: VenueRoom,
  place: LookPlace,
  standing: ReconciliationStanding,
): Promise<LookTaken> {
  const heard = await foreignOrdersHeard(deps.db, place);
  const open = await openDifferences(deps.db, place.account);
  const symbols = [
    ...(await symbolsInUse(deps.db, place)),
    ...heard.map(({ symbol }) => symbol),
    ...(await symbolsOfDrifts(deps, room, [...place.suspects, ...open.map(({ difference }) => difference)])),
  ];
  const lists = await readLists(room.venue, { symbols, sinceMs: place.sinceMs, now: deps.now });
  const book = await ordersOfLists(deps, place, lists);
  const scene = { deps, room, place, lists, book, open };

  const orders = lists.orders.ok
    ? await compareOrderLists(deps, room, {
        listed: lists.orders.value,
        fills: lists.fills.ok ? lists.fills.value : [],
        book,
        open,
        heard,
      })
    : { external: [], harmless: [], missing: [], unavailable: lists.orders.detail };
  const fills = await lookAtFills(scene);
  const holdings = await lookAtHoldings(scene, fills.fault, standing.hasBaseline);
  return {
    look: {
      differences: [...orders.external, ...orders.missing, ...fills.differences, ...holdings.differences],
      unavailable: {
        ...(orders.unavailable !== null && { orders: orders.unavailable }),
        ...(fills.fault !== null && { fills: fills.fault }),
        ...(holdings.fault !== null && { balances: holdings.fault, positions: holdings.fault }),
      },
    },
    harmless: orders.harmless,
    holdings: holdings.compared,
  };
}

/** Where somebody else may have traded what has drifted, although the product itself trades nothing there. */
async function symbolsOfDrifts(
  { reconciliation }: ActivityDependencies,
  { filters }: VenueRoom,
  differences: readonly Difference[],
): Promise<readonly string[]> {
  const { currency } = reconciliation.tolerances;
  const found: string[] = [];
  for (const difference of differences) {
    if (difference.kind !== 'balance' || difference.asset === currency) continue;
    const symbol = `${difference.asset}/${currency}`;
    const isTraded = await filters.get(symbol).then(
      () => true,
      () => false,
    );
    if (isTraded) found.push(symbol);
  }
  return found;
}

type Scene = {
  readonly deps: ActivityDependencies;
  readonly room: VenueRoom;
  readonly place: LookPlace;
  readonly lists: VenueLists;
  readonly book: readonly ComparedOrder[];
  readonly open: readonly OpenDifference[];
};

function ordersOfLists(
  { db }: ActivityDependencies,
  place: LookPlace,
  { orders, fills }: VenueLists,
): Promise<readonly ComparedOrder[]> {
  return ordersToCompare(db, {
    ...place,
    clientOrderIds: orders.ok ? orders.value.map(({ clientOrderId }) => clientOrderId) : [],
    venueOrderIds: fills.ok ? [...new Set(fills.value.map(({ venueOrderId }) => venueOrderId))] : [],
  });
}

type FillsSeen = { readonly differences: readonly Difference[]; readonly fault: string | null };

/** What the venue's lists say of our own orders and fills is told to the book; then what still differs is a difference. */
async function lookAtFills({ deps, room, place, lists, book, open }: Scene): Promise<FillsSeen> {
  const fault = faultOf(lists.orders) ?? faultOf(lists.fills);
  if (!lists.orders.ok || !lists.fills.ok) return { differences: [], fault };
  const own = ownFills(lists.orders.value, lists.fills.value, book);
  const listedUntilMs = deps.now() - lookUpLagMs;
  const before = compareFills(await bookFills(deps.db, place), own, listedUntilMs);
  const accepted = await acceptedKeys(deps.db, place.account, before.map(keyOf));
  const known = new Set([...accepted, ...open.map(({ difference }) => keyOf(difference))]);
  const news = new Set(
    before
      .filter((each) => each.kind !== 'missingFill' && !known.has(keyOf(each)))
      .map(({ clientOrderId }) => clientOrderId),
  );
  let told = 0;
  for (const order of lists.orders.value) {
    const inBook = book.find(({ clientOrderId }) => clientOrderId === order.clientOrderId);
    if (inBook === undefined || !(news.has(order.clientOrderId) || isNews(order, inBook))) continue;
    await applyAnswer(deps, room, { ...order, fills: fillsOf(order, lists.fills.value) }, 'lookup');
    told += 1;
  }
  const after = told === 0 ? before : compareFills(await bookFills(deps.db, place), own, listedUntilMs);
  return { differences: [...after, ...carriedOver(open, place.sinceMs)], fault: null };
}

/** Whether the venue says more of an order, or something else, than the book has taken from it. */
const isNews = (order: VenueOrder, known: ComparedOrder): boolean =>
  !known.isSettled ||
  order.report.status !== known.status ||
  !isEqual(order.report.filledQuantity, known.reportedQuantity);

const fillsOf = ({ symbol, venueOrderId }: VenueOrder, fills: readonly AccountFill[]): readonly AccountFill[] =>
  fills.filter((fill) => fill.symbol === symbol && fill.venueOrderId === venueOrderId);

/** The venue's fills of our orders; what it does not list by client order id, the book may know by the venue's id. */
function ownFills(
  orders: readonly VenueOrder[],
  fills: readonly AccountFill[],
  book: readonly ComparedOrder[],
): readonly OwnFill[] {
  const byClientId = new Map(book.map((order) => [order.clientOrderId, order]));
  const byVenueId = new Map(book.map((order) => [`${order.symbol}:${order.venueOrderId}`, order]));
  for (const { clientOrderId, symbol, venueOrderId } of orders) {
    const order = byClientId.get(clientOrderId);
    if (order !== undefined) byVenueId.set(`${symbol}:${venueOrderId}`, order);
  }
  return fills.flatMap((fill) => {
    const order = byVenueId.get(`${fill.symbol}:${fill.venueOrderId}`);
    if (order === undefined) return [];
    return [{ ...fill, side: order.side, clientOrderId: order.clientOrderId, tradeId: order.tradeId }];
  });
}

/** Differences of fills that are older than what is compared: nobody has looked at them, so they last. */
function carriedOver(open: readonly OpenDifference[], sinceMs: number): readonly Difference[] {
  return open
    .map(({ difference }) => difference)
    .filter((difference) => 'transactedAtMs' in difference && difference.transactedAtMs < sinceMs);
}

type HoldingsSeen = FillsSeen & { readonly compared: LookTaken['holdings'] };

/** Without the fills nobody can tell what the balances should be. */
async function lookAtHoldings(
  { deps, place, lists }: Scene,
  fillFault: string | null,
  hasBaseline: boolean,
): Promise<HoldingsSeen> {
  const fault = fillFault ?? faultOf(lists.balances);
  if (fault !== null || !lists.balances.ok) return { differences: [], fault, compared: null };
  const balances = lists.balances.value;
  const recentSinceMs = lists.balancesAtMs - settledForMs;
  const book = await readHoldings(deps.db, { account: place.account, recentSinceMs });
  const { tolerances } = deps.reconciliation;
  const short = comparePositions(book.positions, book.expectation.recent, balances, tolerances);
  const drifts = hasBaseline ? compareBalances(book.expectation, balances, tolerances) : [];
  return { differences: [...drifts, ...short], fault: null, compared: { balances, book } };
}

const faultOf = (read: Read<unknown>): string | null => (read.ok ? null : read.detail);
