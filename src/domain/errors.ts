import { guardErrors } from './errors/guard-errors.ts';
import { haltErrors } from './errors/halt-errors.ts';
import { limitErrors } from './errors/limit-errors.ts';
import { orderErrors } from './errors/order-errors.ts';
import { reconciliationErrors } from './errors/reconciliation-errors.ts';
import { requestErrors } from './errors/request-errors.ts';
import { systemErrors } from './errors/system-errors.ts';
import { venueErrors } from './errors/venue-errors.ts';

/**
 * Every refusal and operating error that reaches a person: what happened and what to do about it. The numbers come
 * with the occurrence. A programmer's error is not in here: see `invariant`. A new code goes into the file of its part.
 * The table in docs/errors.md is generated from this object.
 */
export const errorCatalog = {
  ...requestErrors,
  ...limitErrors,
  ...orderErrors,
  ...guardErrors,
  ...haltErrors,
  ...reconciliationErrors,
  ...venueErrors,
  ...systemErrors,
} as const;

export type ErrorCode = keyof typeof errorCatalog;
export type ErrorContext = Readonly<Record<string, string | number | boolean>>;

/** An operating error with its code, its numbers and its remedy: `CODE: what. (key=value) To fix: …`. */
export class RatchetError extends Error {
  override readonly name = 'RatchetError';
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, context: ErrorContext = {}, options?: ErrorOptions) {
    super(describe(code, context), options);
    this.code = code;
    this.context = context;
  }

  get retryable(): boolean {
    return errorCatalog[this.code].retryable;
  }
}

/** The one sentence a person reads about a code. */
export function describe(code: ErrorCode, context: ErrorContext = {}): string {
  const { summary, remedy } = errorCatalog[code];
  const pairs = Object.entries(context).map(([key, value]) => `${key}=${value}`);
  return `${code}: ${summary} ${pairs.length > 0 ? `(${pairs.join(', ')}) ` : ''}To fix: ${remedy}`;
}
