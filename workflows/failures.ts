import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  isCancellation,
  log,
  TemporalFailure,
} from '@temporalio/workflow';
import { describe, type ErrorCode } from '../src/domain/errors.ts';

const insistEveryMs = 10_000;

/** A refusal of the catalog as Temporal's own failure: the code is its type, the faults are its details. */
export function refuse(code: ErrorCode, faults: readonly string[], ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.create({
    message: describe(code, { faults: faults.join('; ') }),
    type: code,
    nonRetryable: true,
    details,
  });
}

/**
 * That an activity has failed for good, which a lifecycle that never gives up takes for a pause: no retry mends it, but
 * somebody may mend its cause. Whatever else was thrown, a cancellation too, is thrown on.
 */
export function assertActivityFailed(error: unknown): asserts error is TemporalFailure {
  // A local activity's failure comes as it is, another one's inside an ActivityFailure.
  if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
}

/** Asks again and again when an activity has failed for good, until it answers. Undefined when that `isOver` before. */
export async function insist<T>(ask: () => Promise<T>, isOver = () => false): Promise<T | undefined> {
  while (!isOver()) {
    try {
      return await ask();
    } catch (error) {
      assertActivityFailed(error);
      log.error('an activity has failed for good and is asked again', { cause: causeOf(error) });
      await condition(isOver, insistEveryMs, { summary: 'ask again after a failure' });
    }
  }
  return undefined;
}

/** What the activity itself said, without the plumbing around it. */
export const causeOf = (error: TemporalFailure): string => error.cause?.message ?? error.message;

/** Throws the activity's own refusal, so that whoever waits reads its code and faults, not the plumbing around it. */
export function throwRefusal(error: unknown): never {
  if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) throw error.cause;
  throw error;
}
