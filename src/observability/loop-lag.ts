/** How late the event loop runs what is due: a process that is late reacts late to prices, fills and halts. */
export type LoopLag = {
  /** Milliseconds: of now, and while it is high the longest that made it so. */
  lagMs(): number;
  /** Whether it is or lately was later than the limit. */
  isHigh(): boolean;
  stop(): void;
};

const lookEveryMs = 50;

/**
 * Watches the event loop by a timer that should come every 50 ms. What follows a long block is served as late as the
 * block was long, so `isHigh` stays for a while after the last late look.
 */
export function watchLoopLag(options: {
  readonly limitMs: number;
  readonly calmMs: number;
  /** A clock that is never set, in milliseconds. */
  readonly monotonicMs: () => number;
  readonly onLook?: (lagMs: number) => void;
}): LoopLag {
  const { limitMs, calmMs, monotonicMs, onLook } = options;
  let lookedAtMs = monotonicMs();
  let lastLagMs = 0;
  let worstLagMs = 0;
  let highUntilMs = Number.NEGATIVE_INFINITY;
  const lateBy = (): number => Math.max(0, monotonicMs() - lookedAtMs - lookEveryMs);
  const look = (): void => {
    lastLagMs = lateBy();
    lookedAtMs = monotonicMs();
    worstLagMs = Math.max(lastLagMs, lookedAtMs < highUntilMs ? worstLagMs : 0);
    if (lastLagMs > limitMs) highUntilMs = lookedAtMs + calmMs;
    onLook?.(lastLagMs);
  };
  const timer = setInterval(look, lookEveryMs).unref();
  const lagMs = (): number => Math.max(worstLagMs, lateBy());
  return {
    lagMs,
    isHigh: () => lateBy() > limitMs || monotonicMs() < highUntilMs,
    stop: () => clearInterval(timer),
  };
}
