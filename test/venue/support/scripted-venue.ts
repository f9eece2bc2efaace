import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { type BinanceVenueOptions, createBinanceVenue } from '../../../src/venue/binance/adapter.ts';
import { type Clock, systemClock } from '../../../src/venue/clock.ts';
import { createRateBudget, type RateBudget } from '../../../src/venue/rate-budget.ts';
import type { SocketTimings } from '../../../src/venue/reconnecting-socket.ts';
import type { Venue } from '../../../src/venue/venue.ts';

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly url: string;
};

export type Reply =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Ends the connection in that way once the request is there. */
  | 'reset'
  | 'hang'
  /** A byte at a time, and never to its end. */
  | 'drip'
  | 'half a body';

export type ScriptedVenue = {
  readonly url: string;
  readonly requests: readonly Received[];
  /** Requests to a path, `POST /api/v3/order`. */
  requestsTo(route: string): readonly Received[];
  close(): Promise<void>;
};

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const refuse = (status: number, code: number, msg: string, headers = {}): Reply => ({
  status,
  body: { code, msg },
  headers,
});

/** An HTTP server that answers by a script. Routes are `GET /api/v3/order`; `/time` answers by itself. */
export async function startScriptedVenue(
  script: Readonly<Record<string, (request: Received) => Reply>>,
): Promise<ScriptedVenue> {
  const requests: Received[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    requests.push(request);
    const route = `${request.method} ${request.path}`;
    const isTime = request.path === '/api/v3/time';
    const reply =
      script[route]?.(request) ?? (isTime ? ok({ serverTime: Date.now() }) : refuse(404, -1, `no ${route}`));
    answer(response, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    requestsTo: (route) => requests.filter(({ method, path }) => `${method} ${path}` === route),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<Received> {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  const url = new URL(incoming.url ?? '/', 'http://venue');
  const parameters = { ...Object.fromEntries(new URLSearchParams(body)), ...Object.fromEntries(url.searchParams) };
  const { method = '', headers } = incoming;
  return { method, path: url.pathname, parameters, headers, body, url: incoming.url ?? '' };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return;
  if (reply === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (reply === 'drip') {
    response.writeHead(200, { 'content-length': '1000' });
    const dripping = setInterval(() => response.write('{'), 20);
    response.on('close', () => clearInterval(dripping));
    return;
  }
  if (reply === 'half a body') {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"symbol":"BTCUSDT","orderId":1', () => response.socket?.destroy());
    return;
  }
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  response.writeHead(reply.status, reply.headers).end(text);
}

export type VenueSettings = {
  readonly url: string;
  readonly wsUrl?: string;
  readonly budget?: RateBudget;
  readonly clock?: Clock;
  readonly socketTimings?: Partial<SocketTimings>;
  readonly requestTimeoutMs?: number;
  readonly keys?: { readonly apiKey: string; readonly apiSecret: string };
  readonly logger?: pino.Logger;
  /** The adapter: our own unless another is named. */
  readonly create?: (options: BinanceVenueOptions) => Venue;
};

/** The adapter, pointed at a local server. */
export function aVenue({ url, wsUrl = url.replace('http', 'ws'), ...settings }: VenueSettings): Venue {
  const { clock = systemClock, create = createBinanceVenue } = settings;
  return create({
    name: 'test',
    restUrl: url,
    streamUrl: wsUrl,
    wsApiUrl: `${wsUrl}/ws-api/v3`,
    ...(settings.keys ?? { apiKey: 'key-canary', apiSecret: 'secret-canary' }),
    budget: settings.budget ?? createRateBudget({ clock }),
    clock,
    logger: settings.logger ?? pino({ level: 'silent' }),
    requestTimeoutMs: settings.requestTimeoutMs ?? 2000,
    socketTimings: { pingMs: 50, backoffMs: [20, 40, 80, 160, 320], stableMs: 100, ...settings.socketTimings },
  });
}
