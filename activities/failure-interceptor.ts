import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { RatchetError } from '../src/domain/errors.ts';

/**
 * The one place where our errors become Temporal's: the code is the type, the catalog says retryable. What an error
 * says goes into the history for good, with its stack and its causes, so `scrub` takes the secrets out of all of it.
 */
export function createFailureInterceptor(scrub: (text: string) => string): ActivityInboundCallsInterceptor {
  return {
    async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
      try {
        return await next(input);
      } catch (error) {
        cleanse(error, scrub);
        if (!(error instanceof RatchetError)) throw error;
        throw ApplicationFailure.create({
          message: error.message,
          type: error.code,
          nonRetryable: !error.retryable,
          details: [JSON.parse(scrub(JSON.stringify(error.context)))],
          cause: error,
        });
      }
    },
  };
}

// In place: whoever looks at an error, Temporal's converter too, goes by its class and its identity.
function cleanse(error: unknown, scrub: (text: string) => string): void {
  for (let at = error; at instanceof Error; at = at.cause) {
    at.message = scrub(at.message);
    if (at.stack !== undefined) at.stack = scrub(at.stack);
  }
}
