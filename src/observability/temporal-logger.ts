import type { Logger as TemporalLogger } from '@temporalio/common';
import type { Logger } from './logger.ts';

/** For `Runtime.install({ logger })`: the lines of the SDK, its core and the workflows become ours. */
export function createTemporalLogger(logger: Logger): TemporalLogger {
  const sdk = logger.child({ source: 'temporal' });
  return {
    log: (level, message, fields) => sdk[levels[level]](fields ?? {}, message),
    trace: (message, fields) => sdk.trace(fields ?? {}, message),
    debug: (message, fields) => sdk.debug(fields ?? {}, message),
    info: (message, fields) => sdk.info(fields ?? {}, message),
    warn: (message, fields) => sdk.warn(fields ?? {}, message),
    error: (message, fields) => sdk.error(fields ?? {}, message),
  };
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
