import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Simulator } from '../../../src/simulator/server.ts';

/** One time for the venue, the adapter and the activities. It stands still unless somebody sleeps. */
export type VirtualTime = {
  readonly nowMs: () => number;
  /** Moves the time, lets everybody in the background do what has fallen due, and returns at once. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Waits for others to move it: what runs in the background sleeps like this. */
  readonly doze: (ms: number) => Promise<void>;
  /** What somebody in the background does is waited for before the time moves on. */
  readonly busy: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Until nobody in the background does anything. */
  readonly settled: () => Promise<void>;
};

const framesMs = 1;

export function virtualTime({ clock }: Simulator): VirtualTime {
  let working = 0;
  const settled = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; ) {
      await setImmediate();
      quiet = working === 0 ? quiet + 1 : 0;
    }
  };
  return {
    nowMs: () => clock.nowMs(),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      clock.shift(Math.max(0, Math.ceil(ms)));
      // Frames on their way through a socket are nobody's work yet.
      await setTimeout(framesMs);
      await settled();
    },
    doze: (ms) => new Promise((resolve) => void clock.schedule(ms, resolve)),
    async busy(work) {
      working += 1;
      try {
        return await work;
      } finally {
        working -= 1;
      }
    },
    settled,
  };
}
