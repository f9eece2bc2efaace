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
  /** What is missing up to this id does not exist: whoever waits for it goes on from the next trade there is. */
  onComplete(upToTradeId: number): readonly Seen[];
  /** The last trade that this guard has seen, or null when it is not armed. */
  seenBy(id: string): number | null;
  /** Every guard has seen all trades up to here, or null before the first. */
  seenUpTo(): number | null;
};

const recentMax = 16_384;
const nothing: readonly Seen[] = [];

/**
 * The eyes on one symbol: every guard sees every trade after its own first one, in order, exactly once. Where trades are
 * missing (a gap of the stream, a guard that was armed late, a restart) the live price is tested against the stops as
 * they stand at once, and what was missed follows in order before anything moves.
 */
export function createSymbolEyes(): SymbolEyes {
  const recent = createRecentTrades();
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
    return trade.venueTradeId === lane.nextId ? advance(lane) : lane.peek(trade);
  };

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
    onComplete(upToTradeId) {
      const lastId = Math.min(upToTradeId, recent.newestId());
      const seen = lanes.flatMap((lane) => {
        const changes: Seen[] = [];
        while (lane.nextId <= lastId) {
          changes.push(...advance(lane));
          if (lane.nextId <= lastId) lane.nextId += 1;
        }
        return [...changes, ...advance(lane)];
      });
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
function createRecentTrades() {
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
