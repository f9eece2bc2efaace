/** The two clocks of a process. A step of the wall clock must not stretch or shorten a duration. */
export type Clock = {
  /** Epoch milliseconds: for stamps and for what is compared with the venue's own times. */
  readonly nowMs: () => number;
  /** Milliseconds since some fixed moment, never backwards: for ages and windows. */
  readonly monotonicMs: () => number;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
