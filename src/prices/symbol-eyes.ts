import { type ArmedSet, type Change, createArmedSet } from '../domain/armed-set.ts';
import { type Decimal, isLess, isMore } from '../domain/decimal.ts';
import { type Guard, stepGuard } from '../domain/guard.ts';
import type { MarketTrade } from '../venue/venue.ts';

/** A guard that a trade changed, and the trade. */
export type Seen = Change & { readonly trade: MarketTrade };

export type SymbolEyes = {
  size(): number;
  find(id: string): Guard | undefined;
  /** Watches from the trade after `sinceTradeId` on. The same id again takes the place of the guard before. */
  arm(id: string, guard: Guard, sinceTradeId: number): readonly Seen[];
  disarm(id: string): void;
  /** A trade of the stream, in any order. What it changes, and what trades that waited for it change. */
  onTrade(trade: MarketTrade): readonly Seen[];
  /** The trade that is missing: trades after this id are wanted from the venue. Null = nothing is missing. */
  missingAfter(): number | null;
  /** Trades after an id, oldest first, as the venue has them. The first may be later than asked: the venue has no others. */
  onMissing(afterTradeId: number, trades: readonly MarketTrade[]): readonly Seen[];
  /** Every guard has seen all trades up to here, or null before the first. */
  seenUpTo(): number | null;
};

/** Guards that have seen the same trades. One lane is level with the stream; a late guard catches up in its own. */
type Lane = { readonly set: ArmedSet; readonly ids: Set<string>; nextId: number; lowest: Decimal | null; highest: Decimal | null };

const recentMax = 20_000;

/**
 * The eyes on one symbol: every guard sees every trade after its own first one, in order, exactly once. Where trades are
 * missing (a gap of the stream, a guard that was armed late, a restart) the live price is tested against the stops as
 * they stand at once, and what was missed follows in order before anything moves.
 */
export function createSymbolEyes(): SymbolEyes {
  const recent = new Map<number, MarketTrade>();
  const lanes: Lane[] = [];
  let newestId = 0;

  const laneOf = (id: string) => lanes.find((lane) => lane.ids.has(id));

  function advance(lane: Lane): Seen[] {
    const seen: Seen[] = [];
    for (let trade = recent.get(lane.nextId); trade !== undefined; trade = recent.get(lane.nextId)) {
      seen.push(...stepLane(lane, trade));
    }
    return seen;
  }

  function stepLane(lane: Lane, trade: MarketTrade): Seen[] {
    lane.nextId = trade.venueTradeId + 1;
    lane.lowest = null;
    lane.highest = null;
    return lane.set.onPrice(trade.price).map((change) => ({ ...change, trade }));
  }

  // Only a price beyond those tested before can hit a stop that has not moved since.
  function peek(lane: Lane, trade: MarketTrade): Seen[] {
    const isLowest = lane.lowest === null || isLess(trade.price, lane.lowest);
    const isHighest = lane.highest === null || isMore(trade.price, lane.highest);
    if (isLowest) lane.lowest = trade.price;
    if (isHighest) lane.highest = trade.price;
    return isLowest || isHighest ? triggeredNow(lane, trade) : [];
  }

  function merge(): void {
    const [main, ...others] = lanes.toSorted((a, b) => b.nextId - a.nextId);
    if (main === undefined) return;
    for (const lane of others.filter(({ nextId }) => nextId === main.nextId)) {
      for (const id of lane.ids) {
        main.ids.add(id);
        main.set.arm(id, lane.set.find(id) as Guard);
      }
      lanes.splice(lanes.indexOf(lane), 1);
    }
  }

  function remember(trade: MarketTrade): void {
    recent.set(trade.venueTradeId, trade);
    newestId = Math.max(newestId, trade.venueTradeId);
    for (const oldest of recent.keys()) {
      if (recent.size <= recentMax) break;
      recent.delete(oldest);
    }
  }

  const eyes: SymbolEyes = {
    size: () => lanes.reduce((total, lane) => total + lane.ids.size, 0),
    find: (id) => laneOf(id)?.set.find(id),
    arm(id, guard, sinceTradeId) {
      eyes.disarm(id);
      const lane: Lane = { set: createArmedSet(), ids: new Set([id]), nextId: sinceTradeId + 1, lowest: null, highest: null };
      lane.set.arm(id, guard);
      lanes.push(lane);
      const newest = recent.get(newestId);
      const seen = advance(lane);
      if (newest !== undefined && lane.nextId <= newestId) seen.push(...peek(lane, newest));
      merge();
      return seen;
    },
    disarm(id) {
      const lane = laneOf(id);
      lane?.set.disarm(id);
      lane?.ids.delete(id);
      if (lane?.ids.size === 0) lanes.splice(lanes.indexOf(lane), 1);
    },
    onTrade(trade) {
      remember(trade);
      const seen = lanes.flatMap((lane) => {
        if (trade.venueTradeId < lane.nextId) return [];
        return trade.venueTradeId === lane.nextId ? advance(lane) : peek(lane, trade);
      });
      merge();
      return seen;
    },
    missingAfter() {
      const behind = lanes.filter((lane) => lane.nextId <= newestId);
      return behind.length === 0 ? null : Math.min(...behind.map((lane) => lane.nextId)) - 1;
    },
    onMissing(afterTradeId, trades) {
      for (const trade of trades) remember(trade);
      const first = trades[0]?.venueTradeId ?? newestId + 1;
      const seen = lanes.flatMap((lane) => {
        // The venue has nothing between: whoever waited for it goes on from what there is.
        if (lane.nextId > afterTradeId && lane.nextId < first && !recent.has(lane.nextId)) lane.nextId = first;
        return advance(lane);
      });
      merge();
      return seen;
    },
    seenUpTo: () => (lanes.length === 0 ? null : Math.min(...lanes.map((lane) => lane.nextId)) - 1),
  };
  return eyes;
}

function triggeredNow(lane: Lane, trade: MarketTrade): Seen[] {
  const seen: Seen[] = [];
  for (const id of lane.ids) {
    const guard = lane.set.find(id);
    if (guard === undefined) continue;
    const step = stepGuard(guard, trade.price);
    if (step.action !== 'triggered') continue;
    lane.set.amend(id, step.guard);
    seen.push({ id, guard: step.guard, action: 'triggered', trade });
  }
  return seen;
}
