import { describe, expect, test, vi } from 'vitest';
import { decimal, zero } from '../../src/domain/decimal.ts';
import type { SymbolFilters } from '../../src/domain/filters.ts';
import { createFilterCache } from '../../src/venue/filter-cache.ts';
import { aSymbol } from '../support/any-symbol.ts';

const ttlMs = 3_600_000;
const maxStaleMs = 24 * ttlMs;

const filtersOf = (symbol: string, tick = '0.01'): SymbolFilters =>
  aSymbol({ symbol, tickSize: decimal(tick), stepSize: decimal('0.00001'), notionalMin: zero });

function aCache() {
  const world = { nowMs: 1_000_000, fails: false };
  const fetch = vi.fn(async (symbol: string) => {
    if (world.fails) throw new Error('the venue does not answer');
    return filtersOf(symbol);
  });
  const onWarning = vi.fn();
  const cache = createFilterCache({ fetch, now: () => world.nowMs, ttlMs, maxStaleMs, onWarning });
  return { world, fetch, onWarning, cache };
}

describe('get', () => {
  test.each([
    { ageMs: 0, fetches: 1 },
    { ageMs: ttlMs - 1, fetches: 1 },
    { ageMs: ttlMs, fetches: 2 },
    { ageMs: 2 * ttlMs, fetches: 2 },
  ])('asks the venue $fetches times in all when asked again after $ageMs ms', async ({ ageMs, fetches }) => {
    const { world, fetch, cache } = aCache();
    await cache.get('BTC/USDT');
    world.nowMs += ageMs;
    await cache.get('BTC/USDT');
    expect(fetch).toHaveBeenCalledTimes(fetches);
  });

  test('asks once for a hundred callers that miss together', async () => {
    const { fetch, cache } = aCache();
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get('BTC/USDT')));
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(new Set(answers).size).toBe(1);
  });

  test('keeps symbols apart', async () => {
    const { fetch, cache } = aCache();
    expect((await cache.get('BTC/USDT')).symbol).toBe('BTC/USDT');
    expect((await cache.get('ETH/USDT')).symbol).toBe('ETH/USDT');
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test.each([
    { name: 'serves an entry of just the greatest age with a warning', ageMs: maxStaleMs, served: true },
    { name: 'serves nothing older', ageMs: maxStaleMs + 1, served: false },
  ])('$name when the venue does not answer', async ({ ageMs, served }) => {
    const { world, onWarning, cache } = aCache();
    await cache.get('BTC/USDT');
    world.nowMs += ageMs;
    world.fails = true;
    const answer = cache.get('BTC/USDT');
    if (served) expect((await answer).symbol).toBe('BTC/USDT');
    else await expect(answer).rejects.toThrow('the venue does not answer');
    expect(onWarning).toHaveBeenCalledTimes(served ? 1 : 0);
    if (served) expect(onWarning).toHaveBeenCalledWith(expect.objectContaining({ symbol: 'BTC/USDT', ageMs }));
  });

  test('asks again after a failure, and does not keep the failure', async () => {
    const { world, cache } = aCache();
    world.fails = true;
    await expect(cache.get('BTC/USDT')).rejects.toThrow();
    world.fails = false;
    expect((await cache.get('BTC/USDT')).symbol).toBe('BTC/USDT');
  });
});

describe('at hand', () => {
  const state = (cache: ReturnType<typeof aCache>['cache'], how: string, world: { nowMs: number }) => {
    if (how === 'forgotten') cache.clear('BTC/USDT');
    else world.nowMs += how === 'old' ? ttlMs : 2 * maxStaleMs;
  };

  test.each(['forgotten', 'old', 'too old'])('is what is %s, at once, while the venue is asked', async (how) => {
    const answers: ((filters: SymbolFilters) => void)[] = [];
    const world = { nowMs: 0 };
    const cache = createFilterCache({
      fetch: () => new Promise((resolve) => answers.push(resolve)),
      now: () => world.nowMs,
      ttlMs,
      maxStaleMs,
      onWarning: () => undefined,
    });
    const first = cache.atHand('BTC/USDT');
    answers[0]?.(filtersOf('BTC/USDT', '0.01'));
    await first;
    state(cache, how, world);
    expect((await cache.atHand('BTC/USDT')).tickSize).toBe('0.01');
    expect(answers).toHaveLength(2);
    answers[1]?.(filtersOf('BTC/USDT', '0.1'));
    await vi.waitFor(async () => expect((await cache.atHand('BTC/USDT')).tickSize).toBe('0.1'));
  });

  test('is what it was where the venue does not answer, with a warning', async () => {
    const { world, cache, onWarning } = aCache();
    await cache.get('BTC/USDT');
    world.fails = true;
    cache.clear('BTC/USDT');
    expect((await cache.atHand('BTC/USDT')).tickSize).toBe('0.01');
    await vi.waitFor(() => expect(onWarning).toHaveBeenCalledTimes(1));
  });
});

describe('clear', () => {
  test('forgets one symbol and leaves the others', async () => {
    const { cache, fetch } = aCache();
    await cache.get('BTC/USDT');
    await cache.get('ETH/USDT');
    cache.clear('BTC/USDT');
    expect(cache.stats().symbols).toEqual(['ETH/USDT']);
    await cache.get('BTC/USDT');
    await cache.get('ETH/USDT');
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  test('forgets all', async () => {
    const { cache } = aCache();
    await cache.get('BTC/USDT');
    await cache.get('ETH/USDT');
    cache.clear();
    expect(cache.stats().size).toBe(0);
  });

  test('does not keep the answer of a request that began before it', async () => {
    const answers: ((filters: SymbolFilters) => void)[] = [];
    const cache = createFilterCache({
      fetch: () => new Promise((resolve) => answers.push(resolve)),
      now: () => 0,
      onWarning: () => undefined,
    });
    const early = cache.get('BTC/USDT');
    cache.clear('BTC/USDT');
    const late = cache.get('BTC/USDT');
    answers[1]?.(filtersOf('BTC/USDT', '0.1'));
    answers[0]?.(filtersOf('BTC/USDT', '0.01'));
    expect((await early).tickSize).toBe('0.01');
    expect((await late).tickSize).toBe('0.1');
    expect((await cache.get('BTC/USDT')).tickSize).toBe('0.1');
  });
});

test('tells its size, ages, hits and misses', async () => {
  const { world, cache } = aCache();
  await cache.get('BTC/USDT');
  world.nowMs += 5000;
  await cache.get('BTC/USDT');
  await cache.get('ETH/USDT');
  expect(cache.stats()).toEqual({
    size: 2,
    ttlMs,
    symbols: ['BTC/USDT', 'ETH/USDT'],
    agesMs: { 'BTC/USDT': 5000, 'ETH/USDT': 0 },
    hits: 1,
    misses: 2,
  });
});
