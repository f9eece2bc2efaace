import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export type ScriptedStream = {
  readonly url: string;
  /** Paths with queries, in the order in which clients connected. */
  readonly paths: readonly string[];
  readonly connections: readonly WebSocket[];
  /** What clients sent, parsed. */
  readonly received: readonly Record<string, unknown>[];
  /** Sends to the clients that are connected now. */
  send(message: object | string): void;
  /** Resolves once so many clients have connected in all. */
  connected(count: number): Promise<void>;
  close(): Promise<void>;
};

/** A WebSocket server that says what the test says. `answers` = false also leaves pings unanswered. */
export async function startScriptedStream(
  options: {
    readonly onMessage?: (message: Record<string, unknown>) => object | null;
    readonly answers?: boolean;
  } = {},
): Promise<ScriptedStream> {
  const { onMessage = () => null, answers = true } = options;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: answers });
  const paths: string[] = [];
  const connections: WebSocket[] = [];
  const received: Record<string, unknown>[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  server.on('connection', (socket, request) => {
    paths.push(request.url ?? '');
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Record<string, unknown>;
      received.push(message);
      const reply = onMessage(message);
      if (reply !== null) socket.send(JSON.stringify(reply));
    });
    for (const { count, resolve } of waiting) if (connections.length >= count) resolve();
  });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    connections,
    received,
    send(message) {
      const text = typeof message === 'string' ? message : JSON.stringify(message);
      for (const socket of server.clients) socket.send(text);
    },
    connected: (count) =>
      new Promise((resolve) => {
        if (connections.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}
