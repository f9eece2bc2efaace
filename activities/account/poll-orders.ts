import type { WorkingOrder } from '../../src/contracts/messages/messages.ts';
import { deadOrdersSince, workingOrders } from '../../src/store/orders/book-order.ts';
import { closeArchived } from '../../src/store/orders/orders.ts';
import { createUrgentLane } from '../../src/venue/urgent-lane.ts';
import type { Lane } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { hearOwnOrder } from './hear-order.ts';

/** How long an order that was taken for dead is looked for. */
const deadWatchedMs = 3_600_000;
/** From so many on the list of all open orders, at 80 of weight, is cheaper than a look at each of them. */
const listedFrom = 20;
/** A fill that the stream has lost is found within 30 s even where requests run short: two rounds may come to nothing. */
const missedMax = 2;

export type OrderPolls = {
  /** Looks at every order that works, in the background: a round that comes to nothing is taken up by the next. */
  round(): Promise<void>;
  /** The next round may find fills that nobody has heard of: it goes ahead of entries. */
  hurry(): void;
};

/** The polls that find out what the account's stream has not told. */
export function createOrderPolls(deps: ActivityDependencies, room: VenueRoom, account: string): OrderPolls {
  const nextUrgentLane = createUrgentLane(deps.now);
  let missed = 0;
  let owed: ReadonlySet<string> = new Set();
  return {
    async round() {
      const lane = missed < missedMax ? 'report' : nextUrgentLane();
      const missedBefore = missed;
      missed = 0;
      let isComplete = false;
      try {
        owed = await pollOrders(deps, room, { account, lane, owed });
        isComplete = owed.size === 0;
      } finally {
        if (!isComplete) missed = Math.max(missed, missedBefore + 1);
      }
    },
    hurry() {
      missed = missedMax;
    },
  };
}

type Round = { readonly account: string; readonly lane: Lane; readonly owed: ReadonlySet<string> };

/**
 * Returns the orders for which the venue has not answered. They come first in the next round: where bans cut every round
 * short, the last of the list would else never be asked for.
 */
async function pollOrders(
  deps: ActivityDependencies,
  room: VenueRoom,
  { account, lane, owed }: Round,
): Promise<ReadonlySet<string>> {
  const sinceMs = deps.now() - deadWatchedMs;
  const working = await workingOrders(deps.db, { account });
  const orders = [...working, ...(await deadOrdersSince(deps.db, { account, sinceMs }))];
  const open = orders.length < listedFrom ? [] : await room.venue.openOrders(undefined, lane);
  const listed = new Map(open.map((order) => [order.clientOrderId, order]));
  const isOwed = ({ clientOrderId }: { readonly clientOrderId: string }): boolean => owed.has(clientOrderId);
  const unanswered = new Set<string>();
  for (const order of [...orders.filter(isOwed), ...orders.filter((each) => !isOwed(each))]) {
    const told = listed.get(order.clientOrderId);
    if (told !== undefined) await hearOwnOrder(deps, room, told, 'lookup');
    else if (!(await pollOrder(deps, room, order, lane))) unanswered.add(order.clientOrderId);
  }
  return unanswered;
}

async function pollOrder(
  deps: ActivityDependencies,
  room: VenueRoom,
  { symbol, clientOrderId }: Pick<WorkingOrder, 'symbol' | 'clientOrderId'>,
  lane: Lane,
): Promise<boolean> {
  const found = await room.venue.findOrder({ symbol, clientOrderId, lane });
  if (found.outcome === 'found') await hearOwnOrder(deps, room, found.order, 'lookup');
  if (found.outcome === 'archived') await closeArchived(deps.db, { clientOrderId, nowMs: deps.now() });
  return found.outcome !== 'unavailable';
}
