import { z } from 'zod';
import { type ErrorCode, type ErrorContext, errorCatalog } from '../../domain/errors.ts';
import type { Fault } from './faults.ts';

export { type ErrorCode, type ErrorContext, RatchetError } from '../../domain/errors.ts';

/** The one shape in which a refusal or an error reaches a bot or a person: over HTTP, from the client, from `--json`. */
export const errorBodySchema = z
  .object({
    code: z.string().describe('Of the error catalog, such as TRADE_ID_MISMATCH.'),
    message: z.string(),
    remedy: z.string(),
    faults: z
      .array(z.object({ field: z.string(), value: z.string(), allowed: z.string() }))
      .readonly()
      .exactOptional()
      .describe('Every field that is wrong, not only the first.'),
    context: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .exactOptional()
      .describe('The numbers of this occurrence.'),
  })
  .meta({ id: 'Error' });

export type ErrorBody = z.output<typeof errorBodySchema>;

/** The body of a code of the catalog. */
export function errorBody(code: ErrorCode, context: ErrorContext = {}, faults?: readonly Fault[]): ErrorBody {
  const { summary, remedy } = errorCatalog[code];
  return {
    code,
    message: summary,
    remedy,
    ...(faults && { faults }),
    ...(Object.keys(context).length > 0 && { context }),
  };
}

/** The same as one line of text: `CODE: what happened. (key=value) To fix: what to do.` */
export function errorLine({ code, message, remedy, context }: ErrorBody): string {
  const pairs = Object.entries(context ?? {}).map(([key, value]) => `${key}=${value}`);
  return `${code}: ${message} ${pairs.length > 0 ? `(${pairs.join(', ')}) ` : ''}To fix: ${remedy}`;
}

/** Whether a code that came from elsewhere, such as from a workflow's failure, is one of the catalog. */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalog, code);

/** Whether trying the same again can help. What is not in the catalog is not tried again. */
export const isRetryable = (code: string): boolean => isErrorCode(code) && errorCatalog[code].retryable;
