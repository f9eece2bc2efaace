import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { RatchetError } from '../src/domain/errors.ts';

/** The one place where our errors become Temporal's: the code is the type, the catalog says retryable. */
export const failureInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) {
    try {
      return await next(input);
    } catch (error) {
      if (!(error instanceof RatchetError)) throw error;
      throw ApplicationFailure.create({
        message: error.message,
        type: error.code,
        nonRetryable: !error.retryable,
        details: [error.context],
        cause: error,
      });
    }
  },
};
