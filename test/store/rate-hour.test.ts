import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/simulator/random.ts';
import { createSharedRates } from '../../src/store/fleet/rate-budget.ts';
import { createRateBudget, type RateBudget } from '../../src/venue/rate-budget.ts';
import type { Lane } from '../../src/venue/venue.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const minute = 60_000;
const startMs = Date.UTC(2026, 10, 21, 12);
const limits = [
  { kind: 'weight', windowMs: minute, max: 300 },
  { kind: 'orders', windowMs: 10_000, max: 10 },
] as const;

let database: TestDatabase;
let opened: { close(): Promise<void> }[];

beforeEach(async () => {
  opened = [];
  database = await aDatabase();
});
afterEach(async () => {
  for (const each of opened) await each.close();
  await database.close();
});

/** A venue that counts what reaches it, in its own windows, and tells its counts where it is asked to. */
function aVenueThatCounts(now: () => number) {
  const counts = new Map<string, number>();
  const add = (kind: string, windowMs: number, by: number): number => {
    const key = `${kind}/${Math.floor(now() / windowMs)}`;
    counts.set(key, (counts.get(key) ?? 0) + by);
    return counts.get(key) ?? 0;
  };
  return {
    receive(lane: Lane, weight: number, isPlacement: boolean) {
      if (isPlacement) add(lane, 10_000, 1);
      return [
        { kind: 'weight' as const, windowMs: minute, count: add('weight', minute, weight) },
        { kind: 'orders' as const, windowMs: 10_000, count: add('orders', 10_000, isPlacement ? 1 : 0) },
      ];
    },
    fullest: (kind: string) =>
      Math.max(...[...counts].filter(([key]) => key.startsWith(`${kind}/`)).map(([, count]) => count)),
  };
}

describe('an hour of four processes that want far more than there is', () => {
  test('never goes over, keeps entries below four fifths, and always has room for exits', async () => {
    let nowMs = startMs;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const budgets: RateBudget[] = Array.from({ length: 4 }, (_, i) => {
      const shared = createSharedRates({
        db: database.another(2),
        venue: 'paper',
        holder: `p${i}`,
        onAnnounced: () => () => undefined,
        onError: (error) => {
          throw error;
        },
      });
      opened.push(shared);
      const budget = createRateBudget({ limits, clock, shared });
      budget.learnClockOffset(0);
      return budget;
    });
    const venue = aVenueThatCounts(() => nowMs);
    const random = seededRandom(67);
    const granted: Record<Lane, number> = { exit: 0, cancel: 0, entry: 0, report: 0 };
    const ask = async (lane: Lane, weight: number, isPlacement: boolean): Promise<void> => {
      const grant = await budgets[random.below(4)]?.take({ lane, weight, isPlacement });
      if (grant?.outcome !== 'granted') return;
      granted[lane] += 1;
      const used = venue.receive(lane, weight, isPlacement);
      // Some answers are lost: then only our own count knows of the request.
      grant.settle(random.chance(0.8) ? { used } : null);
    };

    for (let second = 0; second < 3600; second += 1) {
      nowMs = startMs + second * 1000 + random.below(1000);
      // Entries and reports for twice the limits; exits and cancels for a tenth of them.
      for (let i = 0; i < 2; i += 1) await ask('entry', 1, true);
      if (second % 5 === 0) await ask('report', 1 + random.below(40), false);
      if (second % 12 === 0) await ask('exit', 1, true);
      if (second % 12 === 6) await ask('cancel', 4, false);
    }
    expect(venue.fullest('entry')).toBeLessThanOrEqual(8);
    expect(venue.fullest('orders')).toBeLessThanOrEqual(10);
    expect(venue.fullest('weight')).toBeLessThanOrEqual(300);
    expect(granted.exit).toBe(300);
    expect(granted.cancel).toBe(300);
    // Holding back is no art: what there is must also be used.
    expect(granted.entry).toBeGreaterThan(0.6 * 8 * 360);
  }, 120_000);
});
