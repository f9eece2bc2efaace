/** The venue's clock. Everything that the venue does in time goes through it, so a test can move it by command. */
export type SimulatorClock = {
  readonly kind: 'wall' | 'virtual';
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Runs the task once, `afterMs` from now on this clock. Returns its cancellation. */
  schedule(afterMs: number, task: () => void): () => void;
  /** Moves the clock by so many milliseconds: a virtual one runs what falls due, a wall clock becomes wrong by that much. */
  shift(byMs: number): void;
  /** What is scheduled will not run any more. */
  stop(): void;
};

/** Real time, plus a deliberate error that `shift` adds to, for clients that must notice a wrong clock. */
export function wallClock(): SimulatorClock {
  let errorMs = 0;
  const timers = new Set<NodeJS.Timeout>();
  return {
    kind: 'wall',
    nowMs: () => Date.now() + errorMs,
    schedule(afterMs, task) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        task();
      }, afterMs);
      timers.add(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer);
      };
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
    shift(byMs) {
      errorMs += byMs;
    },
  };
}

type Due = { readonly atMs: number; readonly order: number; readonly task: () => void };

/** Time that stands still until `shift` moves it; tasks run in the order in which they fall due. */
export function virtualClock(startAtMs: number): SimulatorClock {
  let nowMs = startAtMs;
  let order = 0;
  const waiting = new Set<Due>();

  const nextDue = (untilMs: number): Due | undefined =>
    [...waiting].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];

  return {
    kind: 'virtual',
    nowMs: () => nowMs,
    schedule(afterMs, task) {
      order += 1;
      const due = { atMs: nowMs + Math.max(0, afterMs), order, task };
      waiting.add(due);
      return () => waiting.delete(due);
    },
    stop: () => waiting.clear(),
    shift(byMs) {
      const untilMs = nowMs + byMs;
      for (let due = nextDue(untilMs); due; due = nextDue(untilMs)) {
        waiting.delete(due);
        nowMs = due.atMs;
        due.task();
      }
      nowMs = untilMs;
    },
  };
}
