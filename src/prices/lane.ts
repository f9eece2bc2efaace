import { type Change, createArmedSet } from '../domain/armed-set.ts';
import { type Decimal, isLess, isMore } from '../domain/decimal.ts';
import { type Guard, stepGuard } from '../domain/guard.ts';
import type { MarketTrade } from '../venue/venue.ts';

/** A guard that a trade changed, and the trade. */
export type Seen = Change & { readonly trade: MarketTrade };

/** Guards that have seen the same trades, in order. */
export type Lane = {
  readonly ids: ReadonlySet<string>;
  /** The trade that comes next. */
  nextId: number;
  find(id: string): Guard | undefined;
  arm(id: string, guard: Guard): void;
  disarm(id: string): void;
  /** The next trade, for every guard. */
  step(trade: MarketTrade): readonly Seen[];
  /** A trade that came ahead of others: it may hit a stop as it stands, and moves nothing. */
  peek(trade: MarketTrade): readonly Seen[];
};

const nothing: readonly Seen[] = [];

export function createLane(nextId: number): Lane {
  const set = createArmedSet();
  const ids = new Set<string>();
  let lowest: Decimal | null = null;
  let highest: Decimal | null = null;

  const triggerNow = (id: string, trade: MarketTrade): readonly Seen[] => {
    const guard = set.find(id);
    const step = guard && stepGuard(guard, trade.price);
    if (step?.action !== 'triggered') return nothing;
    set.amend(id, step.guard);
    return [{ id, guard: step.guard, action: 'triggered', trade }];
  };

  return {
    ids,
    nextId,
    find: (id) => set.find(id),
    arm(id, guard) {
      ids.add(id);
      set.arm(id, guard);
      lowest = null;
      highest = null;
    },
    disarm(id) {
      ids.delete(id);
      set.disarm(id);
    },
    step(trade) {
      this.nextId = trade.venueTradeId + 1;
      lowest = null;
      highest = null;
      const changes = set.onPrice(trade.price);
      return changes.length === 0 ? nothing : changes.map((change) => ({ ...change, trade }));
    },
    peek(trade) {
      // Only a price beyond those that were tested since the stops last moved can hit one of them.
      const isLowest = lowest === null || isLess(trade.price, lowest);
      const isHighest = highest === null || isMore(trade.price, highest);
      if (isLowest) lowest = trade.price;
      if (isHighest) highest = trade.price;
      return isLowest || isHighest ? [...ids].flatMap((id) => triggerNow(id, trade)) : nothing;
    },
  };
}
