import type { ServerResponse } from 'node:http';
import type { SimulatorClock } from '../clock.ts';
import { sleep } from '../faults/faults.ts';

/** What goes back over the wire, the ways in which nothing does included. */
export type Reply =
  | Answer
  | { readonly kind: 'drop' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang'; readonly ms: number | null };

type Headers = Readonly<Record<string, string>>;

export type Answer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
  /** Cut off after so many bytes. */
  readonly bytes?: number;
  /** Comes in pieces. */
  readonly slow?: { readonly bytes: number; readonly everyMs: number };
};

const page = '<!DOCTYPE html><html><head><title>One moment</title></head><body>One moment, please.</body></html>';
const json = { 'Content-Type': 'application/json;charset=UTF-8' };

export const jsonReply = (status: number, body: unknown, headers: Headers = {}): Reply => ({
  kind: 'answer',
  status,
  body: JSON.stringify(body),
  headers: { ...json, ...headers },
});

/** What stands before the venue and knows nothing of its dialect answers with a page. */
export const pageAnswer = (status: number, body = page, headers: Headers = {}): Answer => ({
  kind: 'answer',
  status,
  body,
  headers: { 'Content-Type': 'text/html', ...headers },
});

export const garbageAnswer = pageAnswer(200);

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
  if (reply.bytes !== undefined) response.write(body.subarray(0, reply.bytes), () => socket.destroy());
  else if (reply.slow) await drip(response, body, reply.slow, clock);
  else response.end(body);
}

async function drip(
  response: ServerResponse,
  body: Buffer,
  { bytes, everyMs }: { readonly bytes: number; readonly everyMs: number },
  clock: SimulatorClock,
): Promise<void> {
  for (let from = 0; from < body.length && !response.destroyed; from += Math.max(1, bytes)) {
    await sleep(clock, everyMs);
    response.write(body.subarray(from, from + Math.max(1, bytes)));
  }
  response.end();
}
