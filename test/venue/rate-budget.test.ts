import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createRateBudget, type RateAnswer, type RateBudget, type RatePause } from '../../src/venue/rate-budget.ts';
import type { Lane } from '../../src/venue/venue.ts';

const minute = 60_000;
const limits = [
  { kind: 'weight', windowMs: minute, max: 1000 },
  { kind: 'orders', windowMs: 10_000, max: 50 },
] as const;

function aBudget(startMs = 1_000 * minute) {
  const world = { nowMs: startMs };
  const onPause = vi.fn<(pause: RatePause) => void>();
  const clock = { nowMs: () => world.nowMs, monotonicMs: () => world.nowMs };
  return { world, onPause, budget: createRateBudget({ limits, clock, onPause }) };
}

/** Takes until refused; how much was granted. The answers say nothing about limits. */
async function takeAll(budget: RateBudget, lane: Lane, weight: number, isPlacement = false): Promise<number> {
  for (let granted = 0; ; granted += 1) {
    const grant = await budget.take({ lane, weight, isPlacement });
    if (grant.outcome === 'refused') return granted;
    grant.settle(null);
  }
}

async function answer(budget: RateBudget, told: RateAnswer, lane: Lane = 'report'): Promise<void> {
  const grant = await budget.take({ lane, weight: 1, isPlacement: false });
  if (grant.outcome === 'granted') grant.settle(told);
}

describe('lanes', () => {
  test('leave a fifth of the limit alone and keep a share for each lane above', async () => {
    const { budget } = aBudget();
    expect(await takeAll(budget, 'report', 10)).toBe(48);
    expect(await takeAll(budget, 'entry', 10)).toBe(12);
    expect(await takeAll(budget, 'cancel', 10)).toBe(12);
    expect(await takeAll(budget, 'exit', 10)).toBe(8);
  });

  test('leave placements for exits when entries have used up theirs', async () => {
    const { budget } = aBudget();
    expect(await takeAll(budget, 'entry', 1, true)).toBe(30);
    expect(await takeAll(budget, 'exit', 1, true)).toBe(10);
  });

  test('count what is under way', async () => {
    const { budget } = aBudget();
    for (let i = 0; i < 80; i += 1) {
      expect((await budget.take({ lane: 'exit', weight: 10, isPlacement: false })).outcome).toBe('granted');
    }
    expect((await budget.take({ lane: 'exit', weight: 10, isPlacement: false })).outcome).toBe('refused');
  });
});

describe('windows', () => {
  test('begin anew at each full minute, and a refusal says when that is', async () => {
    const { world, budget } = aBudget(1_000 * minute + 59_999);
    expect(await takeAll(budget, 'exit', 100)).toBe(8);
    expect(await budget.take({ lane: 'exit', weight: 100, isPlacement: false })).toMatchObject({
      outcome: 'refused',
      retryAtMs: 1_001 * minute,
    });
    world.nowMs += 1;
    expect(await takeAll(budget, 'exit', 100)).toBe(8);
  });

  test("begin by the venue's clock", async () => {
    const { world, budget } = aBudget(1_000 * minute + 30_000);
    budget.learnClockOffset(20_000);
    await takeAll(budget, 'exit', 100);
    world.nowMs += 9_999;
    expect(await budget.take({ lane: 'exit', weight: 100, isPlacement: false })).toMatchObject({
      retryAtMs: 1_000 * minute + 40_000,
    });
    world.nowMs += 1;
    expect(await takeAll(budget, 'exit', 100)).toBe(8);
  });

  test('stay within the budget through an hour of any requests', async () => {
    const requests = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 20_000 }),
        lane: fc.constantFrom<Lane>('exit', 'cancel', 'entry', 'report'),
        weight: fc.integer({ min: 1, max: 250 }),
        isPlacement: fc.boolean(),
        heard: fc.boolean(),
      }),
      { minLength: 50, maxLength: 400 },
    );
    await fc.assert(
      fc.asyncProperty(requests, async (sequence) => {
        const { world, budget } = aBudget();
        const venue = new Map<string, number>();
        const count = (kind: string, windowMs: number, by: number): number => {
          const key = `${kind}/${windowMs}/${Math.floor(world.nowMs / windowMs)}`;
          venue.set(key, (venue.get(key) ?? 0) + by);
          return venue.get(key) ?? 0;
        };
        for (const request of sequence) {
          world.nowMs += request.afterMs;
          const grant = await budget.take(request);
          if (grant.outcome === 'refused') {
            expect(grant.retryAtMs).toBeGreaterThan(world.nowMs);
            continue;
          }
          const weight = count('weight', minute, request.weight);
          const orders = count('orders', 10_000, request.isPlacement ? 1 : 0);
          expect(weight).toBeLessThanOrEqual(800);
          expect(orders).toBeLessThanOrEqual(40);
          const used = [
            { kind: 'weight' as const, windowMs: minute, count: weight },
            { kind: 'orders' as const, windowMs: 10_000, count: orders },
          ];
          grant.settle(request.heard ? { used } : null);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("the venue's own counts", () => {
  test('show what other processes have used', async () => {
    const { budget } = aBudget();
    await answer(budget, { used: [{ kind: 'weight', windowMs: minute, count: 700 }] });
    expect(await takeAll(budget, 'exit', 10)).toBe(10);
  });

  test('do not go back when answers overtake each other', async () => {
    const { budget } = aBudget();
    await answer(budget, { used: [{ kind: 'weight', windowMs: minute, count: 700 }] }, 'exit');
    await answer(budget, { used: [{ kind: 'weight', windowMs: minute, count: 300 }] }, 'exit');
    expect(await takeAll(budget, 'exit', 10)).toBe(10);
  });

  test('take filled orders off the count of placements', async () => {
    const { budget } = aBudget();
    expect(await takeAll(budget, 'exit', 1, true)).toBe(40);
    await answer(budget, { used: [{ kind: 'orders', windowMs: 10_000, count: 5 }] });
    expect(await takeAll(budget, 'exit', 1, true)).toBe(35);
  });

  test('of a window that is over say nothing about the next', async () => {
    const { world, budget } = aBudget();
    const grant = await budget.take({ lane: 'exit', weight: 10, isPlacement: false });
    world.nowMs += minute;
    if (grant.outcome === 'granted') grant.settle({ used: [{ kind: 'weight', windowMs: minute, count: 790 }] });
    expect(await takeAll(budget, 'exit', 10)).toBe(79);
  });

  test('may come with other limits', async () => {
    const { budget } = aBudget();
    budget.learnLimits([{ kind: 'weight', windowMs: minute, max: 500 }]);
    expect(await takeAll(budget, 'exit', 10)).toBe(40);
  });
});

describe('pauses', () => {
  const pause = (scope: RatePause['scope'], untilMs: number, isBan = false): RateAnswer => ({
    used: [],
    pause: { scope, untilMs, reason: 'the venue says so', isBan },
  });

  const granted = async (budget: RateBudget, lane: Lane, isPlacement: boolean): Promise<boolean> => {
    const grant = await budget.take({ lane, weight: 1, isPlacement });
    if (grant.outcome === 'granted') grant.settle(null);
    return grant.outcome === 'granted';
  };

  test.each([
    { scope: 'everything', exit: false, cancel: false, entry: false },
    { scope: 'placements', exit: false, cancel: true, entry: false },
    { scope: 'entries', exit: true, cancel: true, entry: false },
  ] as const)('of $scope hold back those they name until they end', async ({ scope, exit, cancel, entry }) => {
    const { world, budget } = aBudget();
    const untilMs = world.nowMs + 5000;
    await answer(budget, pause(scope, untilMs));
    expect(await granted(budget, 'exit', true)).toBe(exit);
    expect(await granted(budget, 'cancel', false)).toBe(cancel);
    expect(await granted(budget, 'entry', true)).toBe(entry);
    expect(await granted(budget, 'report', false)).toBe(scope !== 'everything');
    if (!entry) {
      expect(await budget.take({ lane: 'entry', weight: 1, isPlacement: true })).toMatchObject({ retryAtMs: untilMs });
    }
    world.nowMs = untilMs;
    expect(await granted(budget, 'entry', true)).toBe(true);
  });

  test('tell a ban and its end', async () => {
    const { world, budget, onPause } = aBudget();
    expect(budget.bannedUntilMs()).toBeNull();
    const untilMs = world.nowMs + 120_000;
    await answer(budget, pause('everything', untilMs, true));
    expect(budget.bannedUntilMs()).toBe(untilMs);
    expect(onPause).toHaveBeenCalledTimes(1);
    world.nowMs = untilMs;
    expect(budget.bannedUntilMs()).toBeNull();
  });

  test('are told once, however many answers say the same', async () => {
    const { world, budget, onPause } = aBudget();
    const grants = await Promise.all([1, 2, 3].map(() => budget.take({ lane: 'exit', weight: 1, isPlacement: false })));
    for (const grant of grants) {
      if (grant.outcome === 'granted') grant.settle(pause('everything', world.nowMs + 5000));
    }
    expect(onPause).toHaveBeenCalledTimes(1);
  });

  test('are not shortened by a shorter one', async () => {
    const { world, budget } = aBudget();
    const grants = await Promise.all([1, 2].map(() => budget.take({ lane: 'exit', weight: 1, isPlacement: false })));
    const [long, short] = grants;
    if (long?.outcome === 'granted') long.settle(pause('everything', world.nowMs + 10_000));
    if (short?.outcome === 'granted') short.settle(pause('everything', world.nowMs + 1000));
    world.nowMs += 5000;
    expect(await granted(budget, 'exit', false)).toBe(false);
  });
});
