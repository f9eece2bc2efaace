import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What a proxy does to the bytes that pass it: lets them, keeps them back until it is healed (a network that swallows
 * everything; new connections hang too), refuses and ends every connection, holds each piece up, or ends a connection
 * after so many bytes of an answer.
 */
export type Weather =
  | { readonly kind: 'fair' }
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'limit'; readonly bytes: number };

export type TcpProxy = {
  readonly port: number;
  /** `host:port` of the proxy. */
  readonly address: string;
  /** From now on. A cut ends what is connected with a TCP reset. */
  become(weather: Weather): void;
  /** Ends what is connected with a TCP reset, and goes on as before. */
  reset(): void;
  heal(): void;
  close(): Promise<void>;
};

/** A TCP proxy on loopback, for tests that need a network they can break. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<Socket>();
  const waiting = new Set<() => void>();
  let weather: Weather = { kind: 'fair' };

  const untilChanged = () => new Promise<void>((resolve) => waiting.add(resolve));
  const untilPassable = async (): Promise<void> => {
    while (weather.kind === 'blackhole') await untilChanged();
    if (weather.kind === 'slow') await delay(weather.ms);
  };
  const keep = (socket: Socket): void => {
    pairs.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => pairs.delete(socket));
  };
  const reset = (): void => {
    for (const socket of pairs) socket.resetAndDestroy();
  };

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    keep(client);
    if (weather.kind === 'cut') {
      client.resetAndDestroy();
      return;
    }
    void untilPassable().then(() => {
      if (client.destroyed) return;
      const upstream = connect({ ...target, allowHalfOpen: true });
      keep(upstream);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
      void carry(client, upstream, untilPassable, () => undefined);
      void carry(upstream, client, untilPassable, () => (weather.kind === 'limit' ? weather.bytes : undefined));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const become = (next: Weather): void => {
    weather = next;
    if (next.kind === 'cut') reset();
    for (const wake of waiting) wake();
    waiting.clear();
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    become,
    reset,
    heal: () => become({ kind: 'fair' }),
    async close() {
      become({ kind: 'cut' });
      server.close();
      await once(server, 'close');
    },
  };
}

/** Carries the bytes of one direction, in their order, as the weather lets it. */
async function carry(
  from: Socket,
  to: Socket,
  untilPassable: () => Promise<void>,
  bytesMax: () => number | undefined,
): Promise<void> {
  let carried = 0;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await untilPassable();
      const limit = bytesMax();
      const part = limit === undefined ? chunk : chunk.subarray(0, Math.max(0, limit - carried));
      carried += part.length;
      if (!to.write(part)) await once(to, 'drain');
      if (part.length < chunk.length) return void to.resetAndDestroy();
    }
    to.end();
  } catch {
    // One of the two has ended the connection: so does the other.
    from.destroy();
    to.destroy();
  }
}
