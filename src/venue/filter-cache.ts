import type { SymbolFilters } from '../domain/filters.ts';

export type FilterCacheOptions = {
  /** Asks the venue for one symbol. */
  readonly fetch: (symbol: string) => Promise<SymbolFilters>;
  /** Milliseconds of any clock that does not run backwards. */
  readonly now: () => number;
  /** An entry this old or older is fetched anew. */
  readonly ttlMs?: number;
  /** How old an entry may be and still be served when the venue does not answer. */
  readonly maxStaleMs?: number;
  /** An old entry was served because the refresh failed. */
  readonly onWarning: (warning: { symbol: string; ageMs: number; error: unknown }) => void;
};

type FilterCacheStats = {
  readonly size: number;
  readonly ttlMs: number;
  readonly symbols: readonly string[];
  readonly agesMs: Readonly<Record<string, number>>;
  readonly hits: number;
  readonly misses: number;
};

export type FilterCache = {
  /** Rejects with the venue's error only when nothing young enough is left to serve. */
  get(symbol: string): Promise<SymbolFilters>;
  /**
   * What is at hand, however old, forgotten or not, and asked for anew behind its back where `get` would ask: for exits
   * and guards, which must not wait for the venue. Asks and waits only for a symbol that it has never had.
   */
  atHand(symbol: string): Promise<SymbolFilters>;
  /** Forgets one symbol, or all: the venue has just said that what we know is wrong. */
  clear(symbol?: string): void;
  stats(): FilterCacheStats;
};

type Entry = { readonly filters: SymbolFilters; readonly fetchedAt: number };

const hour = 3_600_000;

/** Trading rules by symbol. Any number of callers that miss at the same time share one request. */
export function createFilterCache(options: FilterCacheOptions): FilterCache {
  const { fetch, now, ttlMs = hour, maxStaleMs = 24 * hour, onWarning } = options;
  const entries = new Map<string, Entry>();
  const forgotten = new Map<string, Entry>();
  const fetching = new Map<string, Promise<Entry>>();
  let hits = 0;
  let misses = 0;

  async function refresh(symbol: string): Promise<Entry> {
    const running = fetching.get(symbol);
    if (running !== undefined) return await running;
    const started = fetch(symbol)
      .then((filters) => {
        const entry = { filters, fetchedAt: now() };
        // A clear while the request ran means that its answer may be the one that was wrong.
        if (fetching.get(symbol) === started) entries.set(symbol, entry);
        return entry;
      })
      .finally(() => {
        if (fetching.get(symbol) === started) fetching.delete(symbol);
      });
    fetching.set(symbol, started);
    return await started;
  }

  const isYoung = (entry: Entry): boolean => now() - entry.fetchedAt < ttlMs;

  return {
    async get(symbol) {
      const entry = entries.get(symbol);
      if (entry !== undefined && isYoung(entry)) {
        hits += 1;
        return entry.filters;
      }
      misses += 1;
      try {
        return (await refresh(symbol)).filters;
      } catch (error) {
        const stale = entries.get(symbol);
        if (stale === undefined || now() - stale.fetchedAt > maxStaleMs) throw error;
        onWarning({ symbol, ageMs: now() - stale.fetchedAt, error });
        return stale.filters;
      }
    },
    async atHand(symbol) {
      const entry = entries.get(symbol) ?? forgotten.get(symbol);
      if (entry === undefined) return (await refresh(symbol)).filters;
      if (!entries.has(symbol) || !isYoung(entry)) {
        refresh(symbol).catch((error) => onWarning({ symbol, ageMs: now() - entry.fetchedAt, error }));
      }
      return entry.filters;
    },
    clear(symbol) {
      for (const each of symbol === undefined ? [...entries.keys(), ...fetching.keys()] : [symbol]) {
        const entry = entries.get(each);
        if (entry !== undefined) forgotten.set(each, entry);
        entries.delete(each);
        fetching.delete(each);
      }
    },
    stats: () => ({
      size: entries.size,
      ttlMs,
      symbols: [...entries.keys()],
      agesMs: Object.fromEntries([...entries].map(([symbol, entry]) => [symbol, now() - entry.fetchedAt])),
      hits,
      misses,
    }),
  };
}
