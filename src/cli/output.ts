import { RatchetClientError } from '../client/client-error.ts';
import { type ErrorBody, errorBody, errorLine, isRetryable, RatchetError } from '../contracts/schemas/error-body.ts';

/** Exit codes of every command; `ratchet --help` explains them. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unavailable: 3, awaitsApproval: 4 } as const;

export type OutputOptions = { readonly json: boolean };

/** Prints the answer of a command: one JSON document, or lines for a person. */
export function print({ json }: OutputOptions, answer: unknown, lines: readonly string[]): void {
  process.stdout.write(`${json ? JSON.stringify(answer) : lines.join('\n')}\n`);
}

/** Lines for a person while the command goes on. With `--json` the answer alone is printed, at the end. */
export function say({ json }: OutputOptions, lines: readonly string[]): void {
  if (!json && lines.length > 0) print({ json }, undefined, lines);
}

/** What to type to follow a trade, on the same data folder as this command. */
export const followHint = ({ data }: { readonly data: string }, tradeId: string): string =>
  `Follow it: ratchet ${data === '.ratchet' ? '' : `--data ${data} `}trade ${tradeId} --follow`;

/** Of a table that is also piped: no colors, no lines between the rows. */
export const tableStyle = { style: { head: [], border: [], compact: true } };

/** To the second, in UTC. */
export const utc = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

/** Says what went wrong and what to do. Returns the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const body = bodyOf(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: body })}\n`);
  else process.stderr.write(`${[errorLine(body), ...faultLines(body)].join('\n')}\n`);
  return exitCodeOf(body.code);
}

/** A refusal or an error as a person gets it. What is none is thrown on. */
export function bodyOf(error: unknown): ErrorBody {
  if (error instanceof RatchetClientError) return error.body;
  if (error instanceof RatchetError) return errorBody(error.code, error.context);
  // A mistake of ours: the stack is what a report needs.
  throw error;
}

const faultLines = ({ faults = [] }: ErrorBody): readonly string[] =>
  faults.map(({ field, value, allowed }) => `  ${field}: ${value}; allowed: ${allowed}`);

const usageCodes: ReadonlySet<string> = new Set([
  'REQUEST_INVALID',
  'CONFIG_INVALID',
  'STACK_FILE_INVALID',
  'STACK_NOT_FOUND',
  'TEMPORAL_CONFIG_INVALID',
  'API_WITHOUT_TLS',
  'AUDIT_KEY_INVALID',
  'AUDIT_CHECKPOINT_UNREADABLE',
  'SCENARIO_INVALID',
]);

function exitCodeOf(code: string): number {
  if (usageCodes.has(code)) return exitCodes.usage;
  return isRetryable(code) ? exitCodes.unavailable : exitCodes.refused;
}
