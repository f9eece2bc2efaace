import type { VenueSignal } from './outcome.ts';

export type Backoff = { readonly baseMs: number; readonly capMs: number; readonly factor: number };

/** How long to wait before try number `attempt` + 1, counted from 0: min(cap, base x factor^attempt). */
export const backoffMs = ({ baseMs, capMs, factor, attempt }: Backoff & { readonly attempt: number }): number =>
  Math.min(capMs, baseMs * factor ** attempt);

/** A wait anywhere between 0 and `delayMs`, so that many who failed together don't return together. `random` in [0, 1). */
export const jitteredMs = (delayMs: number, random: number): number => delayMs * random;

/** The waits before each of so many reconnections of a stream: 1, 2, 4, 8, 16 seconds. */
export const reconnectDelaysMs = (attemptsMax: number): readonly number[] =>
  Array.from({ length: attemptsMax }, (_, attempt) => 1_000 * 2 ** attempt);

/**
 * Whether asking again can help, by the class of the failure and never by its text: the network, a rate limit and the
 * venue's own faults can pass; any other refusal is an answer. For requests without effects only: see `OutcomeClass`.
 */
export function isRetryable(failure: VenueSignal | { readonly kind: 'unknown' }): boolean {
  if (failure.kind === 'transport') return true;
  return failure.kind === 'http' && (failure.status === 429 || failure.status >= 500);
}
