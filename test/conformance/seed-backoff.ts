import { backoffMs, isRetryable, jitteredMs, reconnectDelaysMs } from '../../src/domain/backoff.ts';
import type { TransportFailure, VenueSignal } from '../../src/domain/outcome.ts';
import { type Adapter, decimalOf } from './adapter.ts';

const millisecondsOf = (seconds: unknown): number => Number(decimalOf(seconds)) * 1_000;

// The tables describe errors by texts that stand for structured ones; the product never reads texts.
const transportTexts: readonly (readonly [RegExp, TransportFailure])[] = [
  [/timeout|timed out/i, 'timeout'],
  [/connection refused/i, 'refused'],
  [/connection reset/i, 'reset'],
  [/connection|network|os ?error/i, 'other'],
];

function failureOf(text: string): VenueSignal | { readonly kind: 'unknown' } {
  const status = /^HTTP (\d{3})\b/.exec(text)?.[1];
  if (status !== undefined) return { kind: 'http', status: Number(status) };
  const failure = transportTexts.find(([pattern]) => pattern.test(text))?.[1];
  return failure === undefined ? { kind: 'unknown' } : { kind: 'transport', failure, firstByteSent: true };
}

export const adapter: Adapter = {
  offered: {
    delay: ({ params }) => {
      const delayMs = backoffMs({
        baseMs: millisecondsOf(params['base']),
        capMs: millisecondsOf(params['cap']),
        factor: Number(params['factor']),
        attempt: Number(params['attempt']),
      });
      if (params['jitter'] !== true) return delayMs / 1_000;
      return [0, 0.25, 0.5, 0.75, 0.999_999].map((random) => jitteredMs(delayMs, random) / 1_000);
    },
    retryable: ({ params }) => isRetryable(failureOf(String(params['error']))),
    reconnect_delays: ({ params }) => reconnectDelaysMs(Number(params['max_attempts'])).map((ms) => ms / 1_000),
  },
  notOffered: { attempts: 'retries of an activity are the retry policy of Temporal' },
};
