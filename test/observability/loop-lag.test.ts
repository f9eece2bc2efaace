import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchLoopLag } from '../../src/observability/loop-lag.ts';

describe('F82: the lag of the event loop', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const aWatch = () => {
    let nowMs = 1_000;
    const looks: number[] = [];
    const lag = watchLoopLag({ limitMs: 250, calmMs: 1_000, monotonicMs: () => nowMs, onLook: (ms) => looks.push(ms) });
    return {
      lag,
      looks,
      /** The timer comes after so long. */
      timerComesAfter(ms: number) {
        nowMs += ms;
        vi.advanceTimersByTime(50);
      },
      /** Time passes, and nothing is served. */
      block(ms: number) {
        nowMs += ms;
      },
    };
  };

  test.each([
    { name: 'in time', afterMs: 50, isHigh: false },
    { name: 'as late as it may be', afterMs: 300, isHigh: false },
    { name: 'later', afterMs: 301, isHigh: true },
  ])('a timer that comes $name: $isHigh', ({ afterMs, isHigh }) => {
    const { lag, looks, timerComesAfter } = aWatch();
    timerComesAfter(afterMs);
    expect(looks).toEqual([afterMs - 50]);
    expect(lag.isHigh()).toBe(isHigh);
  });

  test('stays high for a second after a block of three, and then is calm again', () => {
    const { lag, timerComesAfter } = aWatch();
    timerComesAfter(3_050);
    for (let n = 0; n < 19; n += 1) timerComesAfter(50);
    expect({ isHigh: lag.isHigh(), lagMs: lag.lagMs() }).toEqual({ isHigh: true, lagMs: 3_000 });
    timerComesAfter(50);
    expect({ isHigh: lag.isHigh(), lagMs: lag.lagMs() }).toEqual({ isHigh: false, lagMs: 0 });
  });

  test('is seen by whoever is served before the timer', () => {
    const { lag, block } = aWatch();
    block(3_000);
    expect(lag.isHigh()).toBe(true);
    expect(lag.lagMs()).toBe(2_950);
  });
});

test('F82: a loop that was really blocked is late', async () => {
  const lag = watchLoopLag({ limitMs: 250, calmMs: 60_000, monotonicMs: () => performance.now() });
  await setTimeout(60);
  const untilMs = performance.now() + 400;
  while (performance.now() < untilMs);
  expect(lag.isHigh()).toBe(true);
  await setTimeout(120);
  expect(lag.isHigh()).toBe(true);
  lag.stop();
});
