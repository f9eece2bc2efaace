import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { SimulatorClock } from '../clock.ts';
import type { Faults } from '../faults/faults.ts';
import { openChannel, type SocketRules } from './socket.ts';
import type { MarketStreams } from './streams.ts';
import type { UserStreams } from './user-stream.ts';

type StreamServers = { readonly market: MarketStreams; readonly user: UserStreams };
const farewellMs = 500;

type StreamContext = { readonly faults: Faults; readonly clock: SimulatorClock; readonly rules: SocketRules };

/** Serves the market streams and the WebSocket API on the port of the REST server. */
export function serveStreams(
  server: Server,
  { market, user }: StreamServers,
  context: StreamContext,
): () => Promise<void> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536, autoPong: false });
  server.on('upgrade', (request, stream, head) => {
    const url = new URL(request.url ?? '/', 'ws://venue');
    const isUser = url.pathname === '/ws-api/v3';
    if (!isUser && url.pathname !== '/stream' && !/^\/ws(\/|$)/.test(url.pathname)) return void stream.destroy();
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const channel = openChannel(socket, {
        ...context,
        path: isUser ? url.pathname : url.pathname.replace(/^\/ws\/.*/, '/ws'),
      });
      // A client that breaks the protocol or vanishes is closed by the library; there is nothing to do about it here.
      socket.on('error', () => undefined);
      if (isUser) user.connect(socket, channel, url);
      else market.connect(socket, channel, url);
    });
  });
  return async () => {
    for (const socket of sockets.clients) socket.close(1001);
    const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
    // Who does not answer the farewell is cut off.
    const patience = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
    }, farewellMs);
    await closed;
    clearTimeout(patience);
  };
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
