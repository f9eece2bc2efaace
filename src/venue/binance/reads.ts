import type { z } from 'zod';
import { isRetryable } from '../../domain/backoff.ts';
import { RatchetError } from '../../domain/errors.ts';
import type { Lane } from '../venue.ts';
import { describe, type Endpoint, type Rest, type RestAnswer, retryAtOf } from './rest.ts';
import type { Parameters } from './sign.ts';
import type { VenueClock } from './venue-clock.ts';

const keyCodes: ReadonlySet<number> = new Set([-1002, -1022, -2014, -2015]);

/** Asks for something that changes nothing at the venue. Throws what a port's read may throw. */
export type Read = <T extends z.ZodType>(
  endpoint: Endpoint,
  schema: T,
  parameters: Parameters,
  lane: Lane,
) => Promise<z.output<T>>;

/** Reads that either answer with what the schema says or throw an operating error with the venue's own words. */
export function createRead(venue: string, rest: Rest): Read {
  return async (endpoint, schema, parameters, lane) => {
    const answer = await rest.call(endpoint, parameters, lane);
    if (!isSuccess(answer)) throw refusalOf(venue, endpoint, answer);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new RatchetError('VENUE_UNAVAILABLE', { venue, path: endpoint.path, detail: `unreadable answer at ${path}` });
  };
}

// The venue's own default. Look-ups and cancels are harmless when late, so theirs is not the intent's.
const recvWindowMs = 5000;

/** Adds the venue's time to what is about to be signed. Rejects while that time is not known. */
export const createTimestamps =
  (venueClock: VenueClock) =>
  async (parameters: Parameters): Promise<Parameters> => ({
    ...parameters,
    recvWindow: recvWindowMs,
    timestamp: await venueClock.nowMs(),
  });

export const isSuccess = (answer: RestAnswer): answer is RestAnswer & { kind: 'http' } =>
  answer.kind === 'http' && answer.status >= 200 && answer.status < 300;

function refusalOf(venue: string, endpoint: Endpoint, answer: RestAnswer): RatchetError {
  const context = { venue, path: endpoint.path, ...describe(answer) };
  if (answer.kind === 'http' && answer.code === -1121) return new RatchetError('SYMBOL_UNKNOWN', context);
  if (answer.kind === 'http' && answer.code !== undefined && keyCodes.has(answer.code)) {
    return new RatchetError('VENUE_KEY_REFUSED', context);
  }
  const canPass = answer.kind === 'held' || isRetryable(answer);
  return new RatchetError(canPass ? 'VENUE_UNAVAILABLE' : 'VENUE_REQUEST_REFUSED', {
    ...context,
    ...retryAtOf(answer),
  });
}
