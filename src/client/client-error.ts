import type { ErrorCode, ErrorContext } from '../contracts/schemas/error-body.ts';
import { type ErrorBody, errorBody, errorLine, isRetryable } from '../contracts/schemas/error-body.ts';
import type { Fault } from '../contracts/schemas/faults.ts';

/** Every error of the client, and what the HTTP API answers: code, what happened, what to do, and each field that is wrong. */
export class RatchetClientError extends Error {
  override readonly name = 'RatchetClientError';
  readonly code: string;
  readonly remedy: string;
  readonly faults: readonly Fault[];
  readonly body: ErrorBody;

  constructor(body: ErrorBody, options?: ErrorOptions) {
    super(withFaults(body), options);
    this.code = body.code;
    this.remedy = body.remedy;
    this.faults = body.faults ?? [];
    this.body = body;
  }

  /** Whether sending the same again can help. */
  get retryable(): boolean {
    return isRetryable(this.code);
  }

  toJSON(): ErrorBody {
    return this.body;
  }
}

/** An error of this code of the catalog, with its numbers. */
export const clientError = (code: ErrorCode, context: ErrorContext = {}, cause?: unknown): RatchetClientError =>
  new RatchetClientError(errorBody(code, context), cause === undefined ? {} : { cause });

function withFaults(body: ErrorBody): string {
  const faults = (body.faults ?? []).map(({ field, value, allowed }) => `\n  ${field}: ${value}; allowed: ${allowed}`);
  return `${errorLine(body)}${faults.join('')}`;
}
