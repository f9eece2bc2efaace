import type { Lane } from './venue.ts';

// So a question of 25 of weight takes at most 5 % of a limit of 6,000 a minute past everybody else.
const urgentEveryMs = 5_000;

/**
 * The lane of each next question that something urgent may wait for, and that may have to be asked again and again: ahead
 * of entries, but not so often that what went wrong uses up the limits. `nowMs` is any clock.
 */
export function createUrgentLane(nowMs: () => number): () => Lane {
  let urgentAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (nowMs() - urgentAtMs < urgentEveryMs) return 'report';
    urgentAtMs = nowMs();
    return 'cancel';
  };
}
