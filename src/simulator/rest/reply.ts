import type { ServerResponse } from 'node:http';
import type { SimulatorClock } from '../clock.ts';
import { type FaultAction, type FaultPhase, type FaultRule, sleep } from '../faults/faults.ts';

type Of<A extends FaultAction['action']> = FaultAction & { readonly action: A };

/** What goes back over the wire, the ways in which nothing does included. */
export type Reply =
  | Answer
  | { readonly kind: 'drop' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang'; readonly ms: number | null };

export type Answer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Cut off after so many bytes. */
  readonly bytes?: number;
};

const page = '<!DOCTYPE html><html><head><title>One moment</title></head><body>One moment, please.</body></html>';
const html = { 'Content-Type': 'text/html' };
const json = { 'Content-Type': 'application/json;charset=UTF-8' };

export const jsonReply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: 'answer',
  status,
  body: JSON.stringify(body),
  headers: { ...json, ...headers },
});

/** What the plan does to one request: waits where it says so, and remembers the answer that it puts in place of the true one. */
export type Ordeal = {
  isStruck(phase: FaultPhase): boolean;
  strike(phase: FaultPhase): Promise<void>;
  /** Once this is set before the order is accepted, the order is not taken. */
  replacement(): Reply | null;
  has(action: FaultAction['action']): boolean;
  lagMs(): number;
  /** The true answer, as the plan lets it through. */
  letThrough(reply: Reply): Reply;
};

export function createOrdeal(
  rules: readonly FaultRule[],
  clock: SimulatorClock,
  onStrike: (name: string) => void,
): Ordeal {
  let replacement: Reply | null = null;
  const done = new Set<FaultRule>();
  const waiting = (phase: FaultPhase): readonly FaultRule[] =>
    rules.filter((rule) => rule.phase === phase && !done.has(rule));
  const actions = rules.map((rule) => rule.do);
  const lag = actions.find((each): each is Of<'lagQuery'> => each.action === 'lagQuery');
  const truncate = actions.find((each): each is Of<'truncate'> => each.action === 'truncate');

  return {
    isStruck: (phase) => waiting(phase).length > 0,
    async strike(phase) {
      for (const rule of waiting(phase)) {
        done.add(rule);
        onStrike(`${phase} ${rule.do.action}`);
        if (rule.do.action === 'delay') await sleep(clock, rule.do.ms);
        replacement ??= replacementOf(rule.do);
      }
    },
    replacement: () => replacement,
    has: (action) => rules.some((rule) => rule.do.action === action),
    lagMs: () => lag?.ms ?? 0,
    letThrough: (reply) => (truncate && reply.kind === 'answer' ? { ...reply, bytes: truncate.bytes } : reply),
  };
}

function replacementOf(action: FaultAction): Reply | null {
  switch (action.action) {
    case 'drop':
    case 'reset':
      return { kind: action.action };
    case 'hang':
      return { kind: 'hang', ms: action.ms ?? null };
    case 'garbage':
      return { kind: 'answer', status: 200, body: page, headers: html };
    case 'status':
      return statusReply(action);
    default:
      return null;
  }
}

function statusReply({ code, body, headers }: Extract<FaultAction, { action: 'status' }>): Reply {
  if (typeof body === 'string') return { kind: 'answer', status: code, body, headers: { ...html, ...headers } };
  return jsonReply(code, body ?? {}, headers);
}

/** Sends the reply, or does to the connection what stands in its place. */
export async function send(response: ServerResponse, reply: Reply, clock: SimulatorClock): Promise<void> {
  const { socket } = response;
  if (!socket || socket.destroyed) return;
  if (reply.kind === 'reset') return void socket.resetAndDestroy();
  if (reply.kind === 'drop') return void socket.destroy();
  if (reply.kind === 'hang') {
    if (reply.ms === null) return;
    await sleep(clock, reply.ms);
    return void socket.destroy();
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, 'Content-Length': body.length });
  if (reply.bytes === undefined) return void response.end(body);
  response.write(body.subarray(0, reply.bytes), () => socket.destroy());
}
