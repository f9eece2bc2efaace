import { expect, test, vi } from 'vitest';
import { type ClockDrift, createVenueClock } from '../../../src/venue/binance/venue-clock.ts';

/** Both clocks of ours run together until `step` moves the wall clock alone. A question takes `roundTripMs`. */
function aVenueClock({ venueAheadMs = 0, roundTripMs = 0 } = {}) {
  const world = { wallMs: 1_000_000, monotonicMs: 0, trueMs: 1_000_000, answers: true };
  const pass = (ms: number): void => {
    world.wallMs += ms;
    world.monotonicMs += ms;
    world.trueMs += ms;
  };
  const ask = vi.fn(async () => {
    pass(roundTripMs / 2);
    const serverTime = world.trueMs + venueAheadMs;
    pass(roundTripMs / 2);
    if (!world.answers) throw new Error('no answer');
    return serverTime;
  });
  const drifts: ClockDrift[] = [];
  const clock = createVenueClock({
    askServerTimeMs: ask,
    clock: { nowMs: () => world.wallMs, monotonicMs: () => world.monotonicMs },
    onDrift: (drift) => drifts.push(drift),
  });
  const step = (ms: number): void => {
    world.wallMs += ms;
  };
  return { world, ask, clock, pass, step, drifts };
}

test('measures at the middle of the round trip', async () => {
  const { clock } = aVenueClock({ venueAheadMs: 500, roundTripMs: 800 });
  expect(await clock.offsetMs()).toBe(500);
});

test('measures once a minute', async () => {
  const { clock, ask, pass } = aVenueClock();
  await clock.offsetMs();
  pass(59_999);
  await clock.offsetMs();
  expect(ask).toHaveBeenCalledTimes(1);
  pass(1);
  await clock.offsetMs();
  expect(ask).toHaveBeenCalledTimes(2);
});

test('asks once for many who ask together', async () => {
  const { clock, ask } = aVenueClock();
  await Promise.all(Array.from({ length: 20 }, () => clock.nowMs()));
  expect(ask).toHaveBeenCalledTimes(1);
});

test.each([3_600_000, -3_600_000])("keeps the venue's time when our wall clock steps by %i ms", async (stepMs) => {
  const { clock, pass, step, world } = aVenueClock({ venueAheadMs: 500 });
  await clock.nowMs();
  step(stepMs);
  pass(1000);
  expect(await clock.nowMs()).toBe(world.trueMs + 500);
  expect(await clock.offsetMs()).toBe(500 - stepMs);
});

test('measures anew once it is told that it is wrong', async () => {
  const { clock, ask } = aVenueClock();
  await clock.nowMs();
  clock.refused();
  await clock.nowMs();
  await clock.nowMs();
  expect(ask).toHaveBeenCalledTimes(2);
});

test('goes on with an old measurement while the venue does not answer', async () => {
  const { clock, world, pass } = aVenueClock({ venueAheadMs: 500 });
  await clock.nowMs();
  world.answers = false;
  pass(3_600_000);
  expect(await clock.offsetMs()).toBe(500);
});

test('rejects while nothing was ever measured', async () => {
  const { clock, world } = aVenueClock();
  world.answers = false;
  await expect(clock.nowMs()).rejects.toThrow('no answer');
  world.answers = true;
  expect(await clock.offsetMs()).toBe(0);
});
