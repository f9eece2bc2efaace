import type { IncomingMessage } from 'node:http';
import type { SimulatorClock } from '../clock.ts';
import type { Parameters } from './parameters.ts';

/** A REST request as it came in, whole. */
export type Request = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly apiKey: string | undefined;
  readonly receivedAtMs: number;
};

const bodyBytesMax = 65_536;

export async function readRequest(incoming: IncomingMessage, clock: SimulatorClock): Promise<Request | null> {
  const receivedAtMs = clock.nowMs();
  const body = await readBody(incoming);
  if (body === null) return null;
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
  const apiKey = incoming.headers['x-mbx-apikey'];
  return {
    method: incoming.method ?? '',
    path,
    query,
    body,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
    receivedAtMs,
  };
}

/** The body as text; null when it never came whole, or is longer than any honest one. */
export async function readBody(incoming: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) return null;
      chunks.push(chunk);
    }
  } catch {
    // The client went away in the middle: there is nobody to tell.
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** For the plan and the log, which look at requests that the venue itself would refuse. */
export const fieldsOf = ({ query, body }: Request): Parameters =>
  Object.fromEntries([...new URLSearchParams(body), ...new URLSearchParams(query)]);
