import type { Refusal } from '../exchange/refusal.ts';
import type { Stage } from './stage.ts';

export type Body = Readonly<Record<string, unknown>>;
export type Outcome = { readonly status: number; readonly body: unknown };

/** One command of the control port: what it answers to a body and the parameters of the address. */
export type Command = (stage: Stage, body: Body, query: URLSearchParams) => Outcome;

export const ok = (body: unknown = {}): Outcome => ({ status: 200, body });
export const wrong = (problem: string): Outcome => ({ status: 400, body: { problem } });
export const refused = ({ status, body }: Refusal): Outcome => ({ status, body });

/** How long a trouble is to last: null = until it is ended, undefined = it says nothing that makes sense. */
export function durationOf(ms: unknown): number | null | undefined {
  if (ms === undefined || ms === null) return null;
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
