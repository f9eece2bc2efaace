import { describe, expect, test, vi } from 'vitest';
import { type ClockDrift, createVenueClock, type VenueClock } from '../../../src/venue/binance/venue-clock.ts';

/** Both clocks of ours run together until `step` moves the wall clock alone. A question takes `roundTripMs`. */
function aVenueClock({
  venueAheadMs = 0,
  roundTripMs = 0,
  roundTrips = [] as readonly number[],
  onAsked = (_asked: number): boolean => true,
} = {}) {
  const world = { wallMs: 1_000_000, monotonicMs: 0, trueMs: 1_000_000, answers: true };
  const pass = (ms: number): void => {
    world.wallMs += ms;
    world.monotonicMs += ms;
    world.trueMs += ms;
  };
  let asked = 0;
  const ask = vi.fn(async () => {
    const tripMs = roundTrips[asked] ?? roundTripMs;
    asked += 1;
    pass(tripMs / 2);
    const serverTime = world.trueMs + venueAheadMs;
    pass(tripMs / 2);
    if (!world.answers || !onAsked(asked)) throw new Error('no answer');
    return serverTime;
  });
  const drifts: ClockDrift[] = [];
  const measured: number[] = [];
  const clock = createVenueClock({
    askServerTimeMs: ask,
    clock: { nowMs: () => world.wallMs, monotonicMs: () => world.monotonicMs },
    onMeasured: (offsetMs) => measured.push(offsetMs),
    onDrift: (drift) => drifts.push(drift),
  });
  const step = (ms: number): void => {
    world.wallMs += ms;
  };
  return { world, ask, clock, pass, step, drifts, measured };
}

test('measures at the middle of the round trip', async () => {
  const { clock } = aVenueClock({ venueAheadMs: 500, roundTripMs: 800 });
  expect(await clock.offsetMs()).toBe(500);
});

test('measures once a minute, and lets nobody wait for that', async () => {
  const { clock, ask, pass, world } = aVenueClock();
  await clock.offsetMs();
  pass(59_999);
  await clock.offsetMs();
  expect(ask).toHaveBeenCalledTimes(1);
  pass(1);
  world.trueMs += 5;
  expect(await clock.offsetMs()).toBe(0);
  expect(ask).toHaveBeenCalledTimes(2);
  expect(await clock.offsetMs()).toBe(5);
});

test('waits for a measurement when the last one is too old', async () => {
  const { clock, pass, world } = aVenueClock();
  await clock.offsetMs();
  pass(600_000);
  world.trueMs += 5;
  expect(await clock.offsetMs()).toBe(5);
});

test('asks once for many who ask together', async () => {
  const { clock, ask } = aVenueClock();
  await Promise.all(Array.from({ length: 20 }, () => clock.nowMs()));
  expect(ask).toHaveBeenCalledTimes(1);
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

test('tells what is sent to the budget as soon as it is measured', async () => {
  const { clock, measured } = aVenueClock({ venueAheadMs: 500 });
  expect(clock.state()).toEqual({ isUsable: true, offsetMs: null, uncertaintyMs: null, refusalsInARow: 0 });
  await clock.nowMs();
  expect(measured).toEqual([500]);
});

describe('a slow round trip', () => {
  test('bounds how wrong the offset can be', async () => {
    const { clock } = aVenueClock({ venueAheadMs: 500, roundTripMs: 80 });
    await clock.offsetMs();
    expect(clock.state()).toMatchObject({ offsetMs: 500, uncertaintyMs: 40 });
  });

  test('is measured again, and the fastest counts', async () => {
    const trips = [3000, 900, 60];
    const { clock, ask } = aVenueClock({ venueAheadMs: 500, roundTrips: trips });
    await clock.offsetMs();
    expect(ask).toHaveBeenCalledTimes(3);
    expect(clock.state()).toMatchObject({ offsetMs: 500, uncertaintyMs: 30 });
  });

  test('is what there is where the next question gets no answer', async () => {
    const { clock, world } = aVenueClock({ roundTrips: [3000], onAsked: (asked) => asked < 2 });
    world.answers = true;
    await clock.offsetMs();
    expect(clock.state().uncertaintyMs).toBe(1500);
  });
});

describe('drift', () => {
  test('is told where a measurement is not what the one before had foretold', async () => {
    const { clock, world, pass, drifts } = aVenueClock({ roundTripMs: 20 });
    await clock.nowMs();
    world.trueMs += 700;
    pass(600_000);
    await clock.nowMs();
    expect(drifts).toEqual([{ driftMs: 700, offsetMs: 700, uncertaintyMs: 20 }]);
  });

  test('is not told where the round trips explain it', async () => {
    const { clock, world, pass, drifts } = aVenueClock({ roundTripMs: 100 });
    await clock.nowMs();
    world.trueMs += 90;
    pass(600_000);
    await clock.nowMs();
    expect(drifts).toEqual([]);
  });
});

describe('F22: our wall clock jumps', () => {
  test.each([3_600_000, -3_600_000, 1000])(
    'by %i ms: it is measured anew at once, and time goes on as it was',
    async (stepMs) => {
      const { clock, ask, pass, step, world } = aVenueClock({ venueAheadMs: 500 });
      await clock.nowMs();
      pass(1000);
      step(stepMs);
      expect(await clock.nowMs()).toBe(world.trueMs + 500);
      expect(await clock.offsetMs()).toBe(500 - stepMs);
      expect(ask).toHaveBeenCalledTimes(2);
    },
  );

  test('while the machine slept and the monotonic clock stood still, too', async () => {
    const { clock, ask, world } = aVenueClock();
    await clock.nowMs();
    world.wallMs += 3_600_000;
    world.trueMs += 3_600_000;
    expect(await clock.nowMs()).toBe(world.trueMs);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('a clock that is slewed does not', async () => {
    const { clock, ask, pass, step } = aVenueClock();
    await clock.nowMs();
    for (let seconds = 0; seconds < 59; seconds += 1) {
      pass(1000);
      step(0.5);
      await clock.nowMs();
    }
    expect(ask).toHaveBeenCalledTimes(1);
  });
});

describe('F21: the venue refuses timestamps (-1021)', () => {
  const signedNow = async (clock: VenueClock) => ({ signedAtMs: await clock.nowMs(), recvWindowMs: 3000 });

  test('three in a row may be mended, after the fourth the clock is of no use', async () => {
    const { clock, ask } = aVenueClock();
    for (let refusals = 1; refusals <= 4; refusals += 1) {
      clock.refused(await signedNow(clock));
      expect(clock.state()).toMatchObject({ refusalsInARow: refusals, isUsable: refusals <= 3 });
    }
    await clock.nowMs();
    expect(ask).toHaveBeenCalledTimes(5);
  });

  test('of many requests under way one counts, for they had the same measurement', async () => {
    const { clock } = aVenueClock();
    const signed = await signedNow(clock);
    for (let i = 0; i < 10; i += 1) clock.refused(signed);
    expect(clock.state()).toMatchObject({ refusalsInARow: 1, isUsable: true });
  });

  test('one that is accepted ends the row', async () => {
    const { clock } = aVenueClock();
    for (let i = 0; i < 4; i += 1) clock.refused(await signedNow(clock));
    clock.confirmed();
    expect(clock.state()).toMatchObject({ refusalsInARow: 0, isUsable: true });
  });

  test('one that was late by our own clock as well says nothing against it', async () => {
    const { clock, pass } = aVenueClock();
    for (let i = 0; i < 10; i += 1) {
      const signed = await signedNow(clock);
      pass(3001);
      clock.refused(signed);
    }
    expect(clock.state()).toMatchObject({ refusalsInARow: 0, isUsable: true });
  });
});
