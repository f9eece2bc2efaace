import { ApplicationFailure } from '@temporalio/workflow';
import { describe, type ErrorCode } from '../src/domain/errors.ts';

/** A refusal of the catalog as Temporal's own failure: the code is its type, the faults are its details. */
export function refuse(code: ErrorCode, faults: readonly string[], ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.create({
    message: describe(code, { faults: faults.join('; ') }),
    type: code,
    nonRetryable: true,
    details,
  });
}
