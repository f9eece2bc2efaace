import type { ErrorCode, ErrorContext } from './errors.ts';

/** One reason why something does not fit, with its numbers. A check answers all of them, not only the first. */
export type Fault = { readonly code: ErrorCode; readonly context: ErrorContext };
