import type { Guard } from '../domain/guard.ts';
import type { MarketTrade } from '../venue/venue.ts';
import { createLane, type Lane, type Seen } from './lane.ts';

export type { Seen };

export type SymbolEyes = {
  size(): number;
  find(id: string): Guard | undefined;
  /** Watches from the trade after `sinceTradeId` on. The same id again takes the place of the guard before. */
  arm(id: string, guard: Guard, sinceTradeId: number): readonly Seen[];
  disarm(id: string): void;
  /** A trade, in any order. What it changes, and what trades that waited for it change. */
  onTrade(trade: MarketTrade): readonly Seen[];
  /** Trades after this id are wanted once more from the venue. Null = nothing is missing. */
  missingAfter(): number | null;
  /** The venue's own trades after this id, oldest first: ids that it leaves out between them do not exist. */
  onPage(page: readonly MarketTrade[], afterTradeId: number): readonly Seen[];
  /** The venue has none after this id: whoever waits for one goes on from the next trade at hand. */
  onNoneAfter(afterTradeId: number): readonly Seen[];
  /** The last trade that this guard has seen, or null when it is not armed. */
  seenBy(id: string): number | null;
  /** Every guard has seen all trades up to here, or null before the first. */
  seenUpTo(): number | null;
};

const recentMaxDefault = 16_384;
const nothing: readonly Seen[] = [];

/**
 * The eyes on one symbol: every guard sees every trade after its own first one, in order, exactly once. Where trades are
 * missing (a gap of the stream, a guard that was armed late, a restart) the live price is tested against the stops as
 * they stand at once, and what was missed follows in order before anything moves. `recentMax` = so many ids are kept at
 * hand; a guard that is farther behind is shown each trade as it comes.
 */
export function createSymbolEyes({ recentMax = recentMaxDefault } = {}): SymbolEyes {
  const recent = createRecentTrades(recentMax);
  // One lane is level with the stream; a guard that came late catches up in a lane of its own.
  let lanes: readonly Lane[] = [];

  const laneOf = (id: string) => lanes.find((lane) => lane.ids.has(id));

  const advance = (lane: Lane): readonly Seen[] => {
    let seen = nothing;
    for (let trade = recent.at(lane.nextId); trade !== undefined; trade = recent.at(lane.nextId)) {
      const changes = lane.step(trade);
      if (changes.length > 0) seen = seen.length === 0 ? changes : [...seen, ...changes];
    }
    return seen;
  };

  const show = (lane: Lane, trade: MarketTrade): readonly Seen[] => {
    if (trade.venueTradeId < lane.nextId) return nothing;
    if (trade.venueTradeId > lane.nextId) return lane.peek(trade);
    // The trade itself, which is not among the recent ones when it is much older than they are.
    const seen = lane.step(trade);
    const next = advance(lane);
    return next.length === 0 ? seen : [...seen, ...next];
  };

  /** Goes over ids that do not exist, up to this one. */
  const pass = (lane: Lane, upToId: number): readonly Seen[] => {
    const seen: Seen[] = [];
    while (lane.nextId <= upToId) {
      seen.push(...advance(lane));
      if (lane.nextId <= upToId) lane.nextId += 1;
    }
    return [...seen, ...advance(lane)];
  };

  /** A lane that waits for older trades than these has been told nothing about them. */
  const passAll = (afterId: number, upToId: number): readonly Seen[] =>
    lanes.filter((lane) => lane.nextId > afterId).flatMap((lane) => pass(lane, upToId));

  const isBehind = (lane: Lane) => lane.nextId <= recent.newestId();

  const eyes: SymbolEyes = {
    size: () => lanes.reduce((total, lane) => total + lane.ids.size, 0),
    find: (id) => laneOf(id)?.find(id),
    arm(id, guard, sinceTradeId) {
      eyes.disarm(id);
      const lane = createLane(sinceTradeId + 1);
      lane.arm(id, guard);
      lanes = [...lanes, lane];
      const newest = recent.at(recent.newestId());
      const seen = [...advance(lane), ...(newest && isBehind(lane) ? lane.peek(newest) : [])];
      lanes = merged(lanes);
      return seen;
    },
    disarm(id) {
      laneOf(id)?.disarm(id);
      lanes = lanes.filter((lane) => lane.ids.size > 0);
    },
    onTrade(trade) {
      recent.add(trade);
      const [only] = lanes;
      if (only !== undefined && lanes.length === 1) return show(only, trade);
      const seen = lanes.flatMap((lane) => show(lane, trade));
      lanes = merged(lanes);
      return seen;
    },
    missingAfter() {
      const behind = lanes.filter(isBehind);
      return behind.length === 0 ? null : Math.min(...behind.map((lane) => lane.nextId)) - 1;
    },
    onPage: (page, afterTradeId) =>
      page.flatMap((trade) => [...passAll(afterTradeId, trade.venueTradeId - 1), ...eyes.onTrade(trade)]),
    onNoneAfter(afterTradeId) {
      const seen = passAll(afterTradeId, recent.newestId());
      lanes = merged(lanes);
      return seen;
    },
    seenBy(id) {
      const lane = laneOf(id);
      return lane === undefined ? null : lane.nextId - 1;
    },
    seenUpTo: () => (lanes.length === 0 ? null : Math.min(...lanes.map((lane) => lane.nextId)) - 1),
  };
  return eyes;
}

/** Lanes that have come level become one. */
function merged(lanes: readonly Lane[]): Lane[] {
  const byNext = new Map<number, Lane>();
  for (const lane of lanes) {
    const level = byNext.get(lane.nextId);
    if (level === undefined) byNext.set(lane.nextId, lane);
    else for (const id of lane.ids) level.arm(id, lane.find(id) as Guard);
  }
  return [...byNext.values()];
}

/** The newest trades by their id, so that a guard that is armed a moment late needs nobody else. */
function createRecentTrades(recentMax: number) {
  // A ring: each id has one place, which a later trade takes over.
  const ring: (MarketTrade | undefined)[] = new Array(recentMax);
  let newestId = 0;
  return {
    at(id: number): MarketTrade | undefined {
      const trade = ring[id % recentMax];
      return trade?.venueTradeId === id ? trade : undefined;
    },
    newestId: () => newestId,
    add(trade: MarketTrade): void {
      const place = trade.venueTradeId % recentMax;
      if ((ring[place]?.venueTradeId ?? -1) > trade.venueTradeId) return;
      ring[place] = trade;
      if (trade.venueTradeId > newestId) newestId = trade.venueTradeId;
    },
  };
}
