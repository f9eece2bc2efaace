import { type RatePause, type RateRequest, resumesAtMs, scopesOver, withPause, yieldMs } from '../domain/rate-limit.ts';
import type { Clock } from './clock.ts';

/** From when on a request may be sent, and why not before. */
export type Refusal = { readonly retryAtMs: number; readonly reason: string };

export type RatePauses = {
  /** Returns whether that is news: not over, and longer than what was known. */
  add(pause: RatePause): boolean;
  holding(request: RateRequest): Refusal | null;
  bannedUntilMs(): number | null;
};

const longestYieldMs = Math.max(...Object.values(yieldMs));

/** What the venue has told somebody to wait for, as far as this process knows. Times are of our own clock. */
export function createRatePauses(clock: Clock, onPause?: (pause: RatePause) => void): RatePauses {
  let pauses: readonly RatePause[] = [];
  return {
    add(asked) {
      pauses = pauses.filter(({ untilMs }) => untilMs > clock.nowMs() - longestYieldMs);
      const more = withPause(pauses, asked);
      if (more === null || asked.untilMs <= clock.nowMs()) return false;
      pauses = more;
      onPause?.(asked);
      return true;
    },
    holding(request) {
      const retryAtMs = resumesAtMs(pauses, request, clock.nowMs());
      if (retryAtMs === null) return null;
      const reason = pauses.find(({ scope }) => scopesOver(request).includes(scope))?.reason ?? '';
      return { retryAtMs, reason };
    },
    bannedUntilMs() {
      const ban = pauses.find(({ isBan, untilMs }) => isBan && untilMs > clock.nowMs());
      return ban?.untilMs ?? null;
    },
  };
}
