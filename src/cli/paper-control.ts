import { readStackFile } from '../config/stack-file.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import type { GlobalOptions } from './site.ts';

/** What the paper venue says is wrong at present. */
export type Trouble = { readonly name: string; readonly sinceMs: number; readonly untilMs: number | null };

export type PlannedRule = {
  readonly id: string;
  readonly phase: string;
  readonly do: { readonly action: string };
  readonly matched: number;
  readonly struck: number;
  /** How often it strikes at most. */
  readonly times?: number;
};

const answerWithinMs = 5_000;

/**
 * Asks the control port of the stack's paper venue.
 *
 * @throws RatchetError STACK_NOT_FOUND, VENUE_NOT_PAPER, PAPER_VENUE_UNAVAILABLE, SCENARIO_INVALID
 */
export async function askPaperVenue<Answer>(
  { data }: GlobalOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Answer> {
  const stack = readStackFile(data);
  if (stack === undefined) throw new RatchetError('STACK_NOT_FOUND', { data });
  if (stack.mode !== 'paper' || stack.paper === undefined)
    throw new RatchetError('VENUE_NOT_PAPER', { mode: stack.mode });
  const url = new URL(`/__sim/${path}`, stack.paper.controlUrl);
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(answerWithinMs),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => null);
  if (!response) throw new RatchetError('PAPER_VENUE_UNAVAILABLE', { address: url.origin });
  const answer: unknown = await response.json();
  if (response.ok) return answer as Answer;
  throw new RatchetError('SCENARIO_INVALID', { problem: (answer as { problem?: string }).problem ?? 'unknown' });
}

export function troubleLines(troubles: readonly Trouble[]): readonly string[] {
  if (troubles.length === 0) return ['Nothing is wrong at the paper venue.'];
  return troubles.map(
    ({ name, untilMs }) =>
      `${name} ${untilMs === null ? 'until it is cleared' : `until ${new Date(untilMs).toISOString()}`}`,
  );
}
