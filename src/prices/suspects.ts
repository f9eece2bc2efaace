import type { Decimal } from '../domain/decimal.ts';
import { createJumpCheck } from '../domain/price-sanity.ts';
import type { Clock } from '../venue/clock.ts';
import { createUrgentLane } from '../venue/urgent-lane.ts';
import type { MarketTrade, Venue } from '../venue/venue.ts';

type OfTrade = { readonly symbol: string; readonly venueTradeId: number; readonly price: Decimal };

export type SuspectEvent =
  /** A trade of the stream lies so far from the last one that it counts only once somebody else says so, too. */
  | ({ readonly type: 'suspect'; readonly lastPrice: Decimal | null } & OfTrade)
  | ({ readonly type: 'confirmed'; readonly by: 'venue' | 'stream'; readonly afterMs: number } & OfTrade)
  /** The venue's list has that trade at another price, or not at all (null): nobody has seen or will see it. */
  | ({ readonly type: 'contradicted'; readonly venuePrice: Decimal | null } & OfTrade);

export type SuspectsOptions = {
  readonly symbol: string;
  readonly venue: Pick<Venue, 'marketTrades'>;
  readonly clock: Clock;
  readonly counts: { suspects: number; contradicted: number; duplicates: number };
  readonly onEvent: (event: SuspectEvent) => void;
  /** The longest pause between two questions. */
  readonly retryMs: number;
  /** A trade of the stream farther than this from the last one counts once the venue or the next trade says so, too. */
  readonly jumpMaxPercent: Decimal;
};

/** Takes the venue's own trades, all there are from this id to the last of them. */
type OnPage = (page: readonly MarketTrade[], fromTradeId: number) => void;

export type Suspects = {
  /** Whether one of them came after this trade. */
  isAnyAfter(venueTradeId: number): boolean;
  /**
   * What a trade of the stream that comes after the latest one lets be believed, in order of the ids: itself, itself with
   * a suspect that it agrees with, or nothing, when it is a suspect. Then the venue is asked about it at once.
   */
  sift(trade: MarketTrade, latest: MarketTrade | null): readonly MarketTrade[];
  /** Settles what the venue's list, complete from this id to its end, has at the same price, another one, or not. */
  judge(page: readonly MarketTrade[], fromTradeId: number): void;
  /** Forgets all of them: the venue counts anew. */
  clear(): void;
  close(): void;
};

type Held = { readonly trade: MarketTrade; readonly sinceMs: number; answers: number };

const pageRows = 500;
const firstPauseMs = 50;
// A list may lag behind the stream for a moment. An id that it still does not have after these answers does not exist.
const answersMax = 6;
// So many at once are no slip of a digit. The oldest counts as contradicted, so that a broken stream fills no memory.
const heldMax = 64;

/** The trades of one symbol that are in doubt. None of them is shown to anybody before it is settled. */
export function createSuspects(options: SuspectsOptions, onPage: OnPage): Suspects {
  const { symbol, venue, clock, counts, onEvent, retryMs } = options;
  const isJump = createJumpCheck(options.jumpMaxPercent);
  // In the order in which they came, which is nearly that of their ids.
  const held = new Map<number, Held>();
  // A stop may wait for the answer.
  const nextLane = createUrgentLane(clock.monotonicMs);
  let isAsking = false;
  let isClosed = false;

  const confirm = ({ trade, sinceMs }: Held, by: 'venue' | 'stream'): void => {
    held.delete(trade.venueTradeId);
    onEvent({ type: 'confirmed', by, afterMs: clock.monotonicMs() - sinceMs, ...ofTrade(trade) });
  };

  const contradict = ({ trade }: Held, venuePrice: Decimal | null): void => {
    held.delete(trade.venueTradeId);
    counts.contradicted += 1;
    onEvent({ type: 'contradicted', venuePrice, ...ofTrade(trade) });
  };

  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    let pauseMs = firstPauseMs;
    for (let oldest = oldestOf(held); oldest !== undefined && !isClosed; oldest = oldestOf(held)) {
      await askAbout(oldest);
      if (held.get(oldest.trade.venueTradeId) !== oldest) continue;
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, retryMs);
    }
    isAsking = false;
  };

  const askAbout = async (oldest: Held): Promise<void> => {
    const { venueTradeId } = oldest.trade;
    // A look-up that fails is no proof of anything: it is asked again until the venue answers.
    const page = await venue.marketTrades(symbol, venueTradeId - 1, pageRows, nextLane()).catch(() => null);
    if (page === null || isClosed || held.get(venueTradeId) !== oldest) return;
    oldest.answers += 1;
    onPage(page, venueTradeId);
    if (held.get(venueTradeId) === oldest && oldest.answers >= answersMax) contradict(oldest, null);
  };

  const hold = (trade: MarketTrade, latest: MarketTrade | null): void => {
    const [first] = held.values();
    if (held.size >= heldMax && first !== undefined) contradict(first, null);
    held.set(trade.venueTradeId, { trade, sinceMs: clock.monotonicMs(), answers: 0 });
    counts.suspects += 1;
    onEvent({ type: 'suspect', lastPrice: latest?.price ?? null, ...ofTrade(trade) });
    void ask();
  };

  /** The suspect that came just before this trade, if that agrees with it and nothing newer has overtaken it. */
  const agreeingWith = (
    { venueTradeId: otherId, price }: MarketTrade,
    latest: MarketTrade | null,
  ): Held | undefined => {
    const before = [...held.values()].at(-1);
    if (before === undefined) return undefined;
    const { venueTradeId: id, price: suspected } = before.trade;
    const isOpen = id !== otherId && id > (latest?.venueTradeId ?? -1);
    return isOpen && !isJump(suspected, price) ? before : undefined;
  };

  return {
    isAnyAfter: (venueTradeId) => held.size > 0 && [...held.keys()].some((id) => id > venueTradeId),
    sift(trade, latest) {
      const isNear = latest !== null && !isJump(latest.price, trade.price);
      if (isNear && held.size === 0) return [trade];
      const agreeing = agreeingWith(trade, latest);
      if (agreeing !== undefined) {
        confirm(agreeing, 'stream');
        return inOrder(agreeing.trade, trade);
      }
      if (isNear) return [trade];
      if (held.has(trade.venueTradeId)) counts.duplicates += 1;
      else hold(trade, latest);
      return [];
    },
    judge(page, fromTradeId) {
      const lastId = page.at(-1)?.venueTradeId ?? -1;
      for (const one of [...held.values()]) {
        const { venueTradeId, price } = one.trade;
        if (venueTradeId < fromTradeId || venueTradeId > lastId) continue;
        const told = page.find(({ venueTradeId: id }) => id === venueTradeId);
        if (told?.price === price) confirm(one, 'venue');
        else contradict(one, told?.price ?? null);
      }
    },
    clear: () => held.clear(),
    close() {
      isClosed = true;
      held.clear();
    },
  };
}

const oldestOf = (held: ReadonlyMap<number, Held>): Held | undefined =>
  [...held.values()].reduce<Held | undefined>(
    (oldest, one) => (oldest === undefined || one.trade.venueTradeId < oldest.trade.venueTradeId ? one : oldest),
    undefined,
  );

const inOrder = (a: MarketTrade, b: MarketTrade): readonly MarketTrade[] =>
  a.venueTradeId < b.venueTradeId ? [a, b] : [b, a];

const ofTrade = ({ symbol, venueTradeId, price }: MarketTrade): OfTrade => ({ symbol, venueTradeId, price });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
