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

const aRequest = (lane: Lane, weight: number, isPlacement = false) => ({ lane, weight, isPlacement });

/** The same, waiting out every pause that pacing asks for, until the window is over or used up. */
async function takeAllPaced(
  world: { nowMs: number },
  budget: RateBudget,
  lane: Lane,
  weight: number,
  isPlacement = false,
): Promise<number> {
  const windowMs = isPlacement ? 10_000 : minute;
  const startMs = world.nowMs - (world.nowMs % windowMs);
  for (let granted = 0; ; ) {
    const grant = await budget.take({ lane, weight, isPlacement });
    if (grant.outcome === 'refused' && grant.retryAtMs >= startMs + windowMs) return granted;
    if (grant.outcome === 'refused') world.nowMs = grant.retryAtMs;
    else {
      grant.settle(null);
      granted += 1;
    }
  }
}

async function answer(budget: RateBudget, told: RateAnswer, lane: Lane = 'report'): Promise<void> {
  const grant = await budget.take({ lane, weight: 1, isPlacement: false });
  if (grant.outcome === 'granted') grant.settle(told);
}

describe('lanes', () => {
  test('reports see three fifths of a limit, entries four, and exits and cancels are never held back', async () => {
    const { world, budget } = aBudget();
    expect(await takeAllPaced(world, budget, 'report', 10)).toBe(60);
    expect(await takeAllPaced(world, budget, 'entry', 10)).toBe(20);
    for (const lane of ['exit', 'cancel'] as const) {
      for (let i = 0; i < 200; i += 1) expect((await budget.take(aRequest(lane, 10))).outcome).toBe('granted');
    }
  });

  test('leave placements for exits when entries have used up theirs', async () => {
    const { world, budget } = aBudget();
    expect(await takeAllPaced(world, budget, 'entry', 1, true)).toBe(40);
    for (let i = 0; i < 60; i += 1) expect((await budget.take(aRequest('exit', 1, true))).outcome).toBe('granted');
  });

  test('count what is under way, of the lanes above too', async () => {
    const { budget } = aBudget();
    for (let i = 0; i < 80; i += 1) await budget.take(aRequest('exit', 10));
    expect(await budget.take(aRequest('entry', 1))).toMatchObject({ outcome: 'refused' });
  });

  test('are paced: a quarter of a share goes at once, the rest over the window', async () => {
    const { world, budget } = aBudget();
    expect(await takeAll(budget, 'entry', 1, true)).toBe(10);
    expect(await budget.take(aRequest('entry', 1, true))).toMatchObject({ retryAtMs: world.nowMs + 250 });
    world.nowMs += 250;
    expect(await takeAll(budget, 'entry', 1, true)).toBe(1);
  });

  test('let a request through that is dearer than the pace, once the pace has room', async () => {
    const { budget } = aBudget();
    budget.learnLimits([{ kind: 'weight', windowMs: minute, max: 200 }]);
    expect(await takeAll(budget, 'report', 80)).toBe(1);
  });
});

describe('windows', () => {
  test('begin anew at each full minute, and a refusal says when that is', async () => {
    const { world, budget } = aBudget(1_000 * minute + 50_000);
    await answer(budget, { used: [{ kind: 'weight', windowMs: minute, count: 800 }] }, 'exit');
    expect(await budget.take(aRequest('entry', 100))).toMatchObject({ outcome: 'refused', retryAtMs: 1_001 * minute });
    world.nowMs = 1_001 * minute - 1;
    expect(await takeAll(budget, 'entry', 100)).toBe(0);
    world.nowMs += 1;
    expect(await takeAll(budget, 'entry', 100)).toBe(2);
  });

  test("begin by the venue's clock", async () => {
    const { world, budget } = aBudget(1_000 * minute + 30_000);
    budget.learnClockOffset(20_000);
    await answer(budget, { used: [{ kind: 'weight', windowMs: minute, count: 800 }] }, 'exit');
    world.nowMs += 9_999;
    expect(await budget.take(aRequest('entry', 100))).toMatchObject({ retryAtMs: 1_000 * minute + 40_000 });
    world.nowMs += 1;
    expect(await takeAll(budget, 'entry', 100)).toBe(2);
  });

  const anHour = (lanes: readonly Lane[]) =>
    fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 18_000 }),
        lane: fc.constantFrom(...lanes),
        weight: fc.integer({ min: 1, max: 250 }),
        isPlacement: fc.boolean(),
        heard: fc.boolean(),
        times: fc.integer({ min: 1, max: 30 }),
      }),
      { minLength: 100, maxLength: 400 },
    );

  /** Plays the requests on a venue whose windows begin `skewMs` later than we believe. Returns its fullest windows. */
  async function play(
    sequence: readonly {
      afterMs: number;
      lane: Lane;
      weight: number;
      isPlacement: boolean;
      heard: boolean;
      times: number;
    }[],
    skewMs = 0,
  ): Promise<{ readonly weight: number; readonly orders: number }> {
    const { world, budget } = aBudget();
    const counts = new Map<string, number>();
    const fullest = { weight: 0, orders: 0 };
    const count = (kind: 'weight' | 'orders', windowMs: number, by: number): number => {
      const key = `${kind}/${Math.floor((world.nowMs - skewMs) / windowMs)}`;
      counts.set(key, (counts.get(key) ?? 0) + by);
      fullest[kind] = Math.max(fullest[kind], counts.get(key) ?? 0);
      return counts.get(key) ?? 0;
    };
    for (const { afterMs, times, heard, ...request } of sequence) {
      world.nowMs += afterMs;
      for (let i = 0; i < times; i += 1) {
        const grant = await budget.take(request);
        if (grant.outcome === 'refused') {
          expect(grant.retryAtMs).toBeGreaterThan(world.nowMs);
          continue;
        }
        const weight = count('weight', minute, request.weight);
        const orders = count('orders', 10_000, request.isPlacement ? 1 : 0);
        const used = [
          { kind: 'weight' as const, windowMs: minute, count: weight },
          { kind: 'orders' as const, windowMs: 10_000, count: orders },
        ];
        grant.settle(heard ? { used } : null);
      }
    }
    return fullest;
  }

  test('stay below four fifths through an hour of any entries and reports', async () => {
    await fc.assert(
      fc.asyncProperty(anHour(['entry', 'report']), async (sequence) => {
        const { weight, orders } = await play(sequence);
        expect(weight).toBeLessThanOrEqual(800);
        expect(orders).toBeLessThanOrEqual(40);
      }),
      { numRuns: 30 },
    );
  });

  test("are never overdrawn by entries, wherever the venue's own windows begin", async () => {
    await fc.assert(
      fc.asyncProperty(anHour(['entry']), fc.integer({ min: 0, max: minute }), async (sequence, skewMs) => {
        const { weight, orders } = await play(
          sequence.map((each) => ({ ...each, weight: 1, heard: false })),
          skewMs,
        );
        expect(weight).toBeLessThanOrEqual(1000);
        expect(orders).toBeLessThanOrEqual(50);
      }),
      { numRuns: 30 },
    );
  });

  test('have room for exits whatever entries and reports do', async () => {
    await fc.assert(
      fc.asyncProperty(anHour(['entry', 'report', 'exit']), async (sequence) => {
        // Exits of a fifth of each limit at most: so much is kept for them.
        const fitting = sequence.map((each) => (each.lane === 'exit' ? { ...each, weight: 20, times: 1 } : each));
        const spaced = fitting.map((each) => (each.lane === 'exit' ? { ...each, afterMs: 18_000 } : each));
        const { weight, orders } = await play(spaced);
        expect(weight).toBeLessThanOrEqual(1000);
        expect(orders).toBeLessThanOrEqual(50);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the venue's own counts", () => {
  const weightOf = (count: number): RateAnswer => ({ used: [{ kind: 'weight', windowMs: minute, count }] });

  test('show what other processes have used', async () => {
    const { budget } = aBudget();
    await answer(budget, weightOf(700));
    expect(await takeAll(budget, 'entry', 100)).toBe(1);
  });

  test('do not go back when answers overtake each other', async () => {
    const { budget } = aBudget();
    await answer(budget, weightOf(700), 'exit');
    await answer(budget, weightOf(300), 'exit');
    expect(await takeAll(budget, 'entry', 100)).toBe(1);
  });

  test('take filled orders off the count of placements', async () => {
    const { world, budget } = aBudget();
    await answer(budget, { used: [{ kind: 'orders', windowMs: 10_000, count: 40 }] }, 'exit');
    expect(await takeAllPaced(world, budget, 'entry', 1, true)).toBe(0);
    await answer(budget, { used: [{ kind: 'orders', windowMs: 10_000, count: 5 }] }, 'exit');
    expect(await takeAllPaced(world, budget, 'entry', 1, true)).toBe(35);
  });

  test('of a window that is over say nothing about the next', async () => {
    const { world, budget } = aBudget();
    const grant = await budget.take(aRequest('exit', 10));
    world.nowMs += minute;
    if (grant.outcome === 'granted') grant.settle(weightOf(790));
    expect(await takeAll(budget, 'entry', 100)).toBe(2);
  });

  test('may come with other limits', async () => {
    const { world, budget } = aBudget();
    budget.learnLimits([{ kind: 'weight', windowMs: minute, max: 500 }]);
    expect(await takeAllPaced(world, budget, 'entry', 10)).toBe(40);
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
    expect(await budget.take(aRequest('entry', 1, true))).toMatchObject({ retryAtMs: untilMs + 500 });
  });

  test('end for exits and cancels first, then for entries, then for reports', async () => {
    const { world, budget } = aBudget();
    const untilMs = world.nowMs + 5000;
    await answer(budget, pause('everything', untilMs));
    const allowed = async (): Promise<string[]> => {
      const lanes: Lane[] = ['exit', 'cancel', 'entry', 'report'];
      const kept = await Promise.all(lanes.map(async (lane) => ((await granted(budget, lane, false)) ? [lane] : [])));
      return kept.flat();
    };
    world.nowMs = untilMs - 1;
    expect(await allowed()).toEqual([]);
    world.nowMs = untilMs;
    expect(await allowed()).toEqual(['exit', 'cancel']);
    world.nowMs = untilMs + 500;
    expect(await allowed()).toEqual(['exit', 'cancel', 'entry']);
    world.nowMs = untilMs + 1000;
    expect(await allowed()).toEqual(['exit', 'cancel', 'entry', 'report']);
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
