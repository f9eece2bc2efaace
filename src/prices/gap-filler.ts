import type { MarketTrade, Venue } from '../venue/venue.ts';

/** Trades that somebody missed: those after the one id and before the other. */
type Gap = {
  afterId: number;
  readonly beforeId: number;
  /** Whether anybody still wants them. */
  readonly isWanted: () => boolean;
  readonly deliver: (trade: MarketTrade) => void;
};

export type GapFillerOptions = {
  readonly symbol: string;
  readonly venue: Pick<Venue, 'marketTrades'>;
  /** The venue does not have so many ids of a gap either. */
  readonly onMissing: (count: number) => void;
  readonly retryMs: number;
};

export type GapFiller = { add(gap: Gap): void; close(): void };

const pageRows = 1000;
// A list may lag behind the stream for a moment. What it still does not have after these empty answers does not exist.
const emptyAnswersMax = 3;

type OpenGap = Gap & { emptyAnswers: number };

/**
 * Fetches the missing trades of one symbol, gap after gap, oldest first, and asks until the venue answers. An empty answer
 * counts as one only when it is given again.
 */
export function createGapFiller({ symbol, venue, onMissing, retryMs }: GapFillerOptions): GapFiller {
  const gaps: OpenGap[] = [];
  let isFilling = false;
  let isClosed = false;

  const fill = async (): Promise<void> => {
    if (isFilling) return;
    isFilling = true;
    for (let gap = gaps[0]; gap !== undefined && !isClosed; gap = gaps[0]) {
      const page = gap.isWanted() ? await fetchPage(gap) : [];
      if (page === null) await pause(retryMs);
      else if (page.length === 0 || fillWith(gap, page)) gaps.shift();
    }
    isFilling = false;
  };

  /** The next trades of a gap, none when the venue has none; null = it can't say just now. */
  const fetchPage = async (gap: OpenGap): Promise<readonly MarketTrade[] | null> => {
    const { afterId, beforeId } = gap;
    const wanted = beforeId - afterId - 1;
    const page = await venue.marketTrades(symbol, afterId, Math.min(wanted, pageRows)).catch(() => null);
    if (page === null) return null;
    gap.emptyAnswers = page.length === 0 ? gap.emptyAnswers + 1 : 0;
    if (page.length === 0 && gap.emptyAnswers < emptyAnswersMax) return null;
    const missed = page.filter(({ venueTradeId: id }) => id > afterId && id < beforeId);
    if (missed.length === 0) onMissing(wanted);
    return missed;
  };

  /** Whether that was all of the gap. */
  const fillWith = (gap: Gap, page: readonly MarketTrade[]): boolean => {
    for (const trade of page) {
      const skipped = trade.venueTradeId - gap.afterId - 1;
      if (skipped > 0) onMissing(skipped);
      gap.afterId = trade.venueTradeId;
      gap.deliver(trade);
    }
    return gap.afterId + 1 >= gap.beforeId;
  };

  return {
    add(gap) {
      if (gap.beforeId - gap.afterId <= 1) return;
      gaps.push({ ...gap, emptyAnswers: 0 });
      void fill();
    },
    close() {
      isClosed = true;
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
