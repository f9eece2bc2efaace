import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashPoint } from '../../src/observability/crash-point.ts';

export type Strike = 'SIGKILL' | 'SIGSTOP';

export type StrikePoints = {
  /** Where processes may die, once each time it is planned. */
  readonly crashPoints?: readonly CrashPoint[] | undefined;
  /** Where they may be stopped until somebody sends SIGCONT. */
  readonly pausePoints?: readonly CrashPoint[] | undefined;
};

/** The environment in which each point may strike, and the files whose presence keeps it from striking. */
export function strikes(data: string, { crashPoints = [], pausePoints = [] }: StrikePoints) {
  const folder = join(data, 'crash');
  const markOf = (point: CrashPoint, signal: Strike) => join(folder, `${signal}-${point}#1`);
  mkdirSync(folder, { recursive: true });
  for (const point of crashPoints) writeFileSync(markOf(point, 'SIGKILL'), '');
  for (const point of pausePoints) writeFileSync(markOf(point, 'SIGSTOP'), '');
  const planned = { CRASH_AT: crashPoints.join(','), PAUSE_AT: pausePoints.join(','), CRASH_ONCE_DIR: folder };
  return { markOf, planned };
}

/** Calls `onDeath` when the process ends, and what that gives when the watch ends. */
export function watchDeath(pid: number, onDeath: () => { end(): void }): { end(): void } {
  let outage: { end(): void } | undefined;
  const timer = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      clearInterval(timer);
      outage = onDeath();
    }
  }, 10);
  return {
    end() {
      clearInterval(timer);
      outage?.end();
    },
  };
}

/**
 * Lets a stopped process go on. Told several times: one that was stopped from outside on the way to stopping itself does
 * so when it goes on.
 */
export function wakeUp(pid: number): void {
  for (const afterMs of [0, 50, 100, 200, 400]) {
    setTimeout(() => {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It has ended meanwhile.
      }
    }, afterMs);
  }
}
