/**
 * Every refusal and operating error that reaches a person: what happened and what to do about it. The numbers come
 * with the occurrence. A programmer's error is not in here: see `invariant`. `retryable` = trying again can help.
 * The table in docs/errors.md is generated from this object.
 */
export const errorCatalog = {
  REQUEST_INVALID: {
    retryable: false,
    summary: 'The request does not fit the contract.',
    remedy: 'Mend every field that is named; the contract is in the README and at /docs of the API.',
  },
  TRADE_ID_MISMATCH: {
    retryable: false,
    summary: 'This trade id was used before with other content.',
    remedy: 'Send the first content again to get its decision, or choose a new trade id for a new trade.',
  },
  WORKFLOW_ID_INVALID: {
    retryable: false,
    summary: 'An entry runs only under its own workflow id.',
    remedy: 'Start it with the workflow id entry-<tradeId>.',
  },
  REQUEST_EXPIRED: {
    retryable: false,
    summary: 'The request was decided after its deadline.',
    remedy: 'Send a fresh request with a new trade id; raise validForMs if decisions take longer than that here.',
  },
  VENUE_UNAVAILABLE: {
    retryable: true,
    summary: 'The venue did not answer.',
    remedy: 'Nothing while retries last. If it goes on, look at the status of the venue and the network.',
  },
  CONFIG_INVALID: {
    retryable: false,
    summary: 'The configuration does not hold together.',
    remedy: 'Mend every setting that is named; docs/operating.md lists them with unit, default and meaning.',
  },
} as const satisfies Record<string, { retryable: boolean; summary: string; remedy: string }>;

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
