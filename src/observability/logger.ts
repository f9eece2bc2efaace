import { type DestinationStream, type Logger, pino, type SerializedError, stdSerializers } from 'pino';
import { createScrubber, redacted, secretFields } from './scrubber.ts';

export type { Logger };

type LoggerOptions = {
  /** The process: worker, api, … */
  readonly name: string;
  /** LOG_LEVEL. */
  readonly level: string;
  /** Values that no line may show, wherever they turn up. */
  readonly secrets?: readonly string[];
  /** Standard error unless said otherwise: standard output belongs to results. */
  readonly destination?: DestinationStream;
};

/**
 * One event, one line of JSON: a fixed short message in lower case, and fields. Lines are written before the call
 * returns, so that a process that is killed has said what it did last.
 */
export function createLogger(options: LoggerOptions): Logger {
  const scrub = createScrubber(options.secrets ?? []);
  return pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: redacted },
      serializers: { err: serializedError, error: serializedError },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

// pino's `*` is exactly one level; deeper ones are left to the scrubber.
const redactedPaths = secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.headers["${field}"]`]);

// The standard one copies every property of an error, and a driver's error may carry the whole request.
function serializedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack }: SerializedError = stdSerializers.err(error);
  const { code, context } = error as { code?: unknown; context?: unknown };
  return {
    type,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(context === undefined ? {} : { context }),
  };
}
