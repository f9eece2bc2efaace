import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { StreamKind } from '../conditions.ts';
import { type ChannelContext, openChannel } from './socket.ts';
import type { MarketStreams } from './streams.ts';
import type { UserStreams } from './user-stream.ts';

type StreamServers = { readonly market: MarketStreams; readonly user: UserStreams };

export type StreamDoors = {
  /** Closes the connections of that kind. */
  close(kind: StreamKind, code: number): void;
  /** Closes them all, and takes no more. */
  end(): Promise<void>;
};

const farewellMs = 500;
const goingAway = 1001;

/** Serves the market streams and the WebSocket API on the port of the REST server. */
export function serveStreams(server: Server, { market, user }: StreamServers, context: ChannelContext): StreamDoors {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536, autoPong: false });
  const open = new Map<WebSocket, StreamKind>();
  server.on('upgrade', (request, stream, head) => {
    const url = new URL(request.url ?? '/', 'ws://venue');
    const kind = url.pathname === '/ws-api/v3' ? 'user' : 'market';
    if (kind === 'market' && url.pathname !== '/stream' && !/^\/ws(\/|$)/.test(url.pathname)) {
      return void stream.destroy();
    }
    if (context.conditions.outage === 'blackout') return turnAway(stream);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      open.set(socket, kind);
      socket.on('close', () => open.delete(socket));
      // A client that breaks the protocol or vanishes is closed by the library; there is nothing to do about it here.
      socket.on('error', () => undefined);
      const path = kind === 'user' ? url.pathname : url.pathname.replace(/^\/ws\/.*/, '/ws');
      const channel = openChannel(socket, { path, kind }, context);
      if (kind === 'user') user.connect(socket, channel, url);
      else market.connect(socket, channel, url);
    });
  });
  return {
    close(kind, code) {
      for (const [socket, each] of open) if (each === kind) socket.close(code);
    },
    end: () => endAll(sockets),
  };
}

function turnAway(stream: Duplex): void {
  stream.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

async function endAll(sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.close(goingAway);
  const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
  // Who does not answer the farewell is cut off.
  const patience = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
  }, farewellMs);
  await closed;
  clearTimeout(patience);
}

/** Starts an HTTP server and returns it with the port it got (0 asks for a free one). */
export function listen(
  handler: RequestListener,
  port: number,
  host: string,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handler);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve({ server, port: (server.address() as AddressInfo).port }));
  });
}

/** Ends a server and what is still connected to it. */
export function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
