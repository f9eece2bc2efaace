import WebSocket from 'ws';
import { jitteredMs, reconnectDelaysMs } from '../domain/backoff.ts';
import type { Clock } from './clock.ts';

export type SocketHandlers = {
  /** A connection is up; nothing has been said on it. */
  readonly onOpen: () => void;
  readonly onMessage: (text: string) => void;
  /** Any frame at all: a message, a ping, or the answer to one of our own pings. */
  readonly onAlive: () => void;
  /** The connection is gone, or could not be had. The next attempt is already planned. */
  readonly onDown: (detail: string) => void;
};

export type SocketOptions = {
  readonly url: () => string;
  readonly clock: Clock;
  readonly timings?: Partial<SocketTimings>;
  /** From 0 to 1: which part of a pause is waited, so that many who lost the venue together don't return together. */
  readonly random?: () => number;
};

export type SocketTimings = {
  /** A connection on which nothing at all arrives for this long is dropped. */
  readonly silenceMs: number;
  /** Our own pings: the venue's come every 20 s, too seldom to tell a quiet market from a dead line. */
  readonly pingMs: number;
  /** At most so long before the first, second, … attempt in a row; the last one repeats. */
  readonly backoffMs: readonly number[];
  /** A connection that lived this long ends the row of attempts. */
  readonly stableMs: number;
  /** The venue cuts a connection after 24 hours; we renew it before, when it suits us. */
  readonly renewMs: number;
};

export type ReconnectingSocket = {
  send(text: string): void;
  /** Drops this connection and opens the next: at once where this one was stable, else after the usual pause. */
  reconnect(detail: string): void;
  close(): void;
};

const defaults: SocketTimings = {
  silenceMs: 60_000,
  pingMs: 2000,
  backoffMs: reconnectDelaysMs(5),
  stableMs: 10_000,
  renewMs: 23.5 * 3_600_000,
};

/** A WebSocket that comes back by itself until it is closed. */
export function openReconnectingSocket(options: SocketOptions, handlers: SocketHandlers): ReconnectingSocket {
  const { url, clock, random = Math.random } = options;
  const timings = { ...defaults, ...options.timings };
  let socket: WebSocket | null = null;
  let attempts = 0;
  let openedAt = 0;
  let heardAt = 0;
  let retry: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let isClosed = false;

  const connect = (): void => {
    const opening = new WebSocket(url(), { handshakeTimeout: 10_000, maxPayload: 16 * 1024 * 1024 });
    socket = opening;
    // A connection that was given up may still speak: only the present one is heard.
    const whileCurrent = (handle: () => void): void => {
      if (socket === opening) handle();
    };
    const alive = (): void =>
      whileCurrent(() => {
        heardAt = clock.monotonicMs();
        handlers.onAlive();
      });
    opening.on('open', () => whileCurrent(opened));
    opening.on('ping', alive);
    opening.on('pong', alive);
    // Without a binaryType of our own the library hands over buffers.
    opening.on('message', (data: Buffer) => {
      alive();
      whileCurrent(() => handlers.onMessage(data.toString()));
    });
    // An error is always followed by a close.
    opening.on('error', () => undefined);
    opening.on('close', (code) => whileCurrent(() => down(`closed with code ${code}`, 'after a pause')));
  };

  const opened = (): void => {
    openedAt = clock.monotonicMs();
    heardAt = openedAt;
    heartbeat = setInterval(beat, timings.pingMs);
    handlers.onOpen();
  };

  const beat = (): void => {
    const now = clock.monotonicMs();
    if (now - heardAt >= timings.silenceMs) down(`nothing for ${timings.silenceMs} ms`, 'after a pause');
    else if (now - openedAt >= timings.renewMs) down('renewed before the venue cuts it', 'at once');
    else socket?.ping();
  };

  const down = (detail: string, next: 'at once' | 'after a pause'): void => {
    const wasStable = heartbeat !== undefined && clock.monotonicMs() - openedAt >= timings.stableMs;
    discard();
    if (isClosed) return;
    if (wasStable) attempts = 0;
    const pauseMs = jitteredMs(timings.backoffMs[Math.min(attempts, timings.backoffMs.length - 1)] ?? 0, random());
    attempts += 1;
    clearTimeout(retry);
    retry = setTimeout(connect, wasStable && next === 'at once' ? 0 : pauseMs);
    handlers.onDown(detail);
  };

  const discard = (): void => {
    clearInterval(heartbeat);
    heartbeat = undefined;
    const dropped = socket;
    socket = null;
    dropped?.terminate();
  };

  connect();
  return {
    send: (text) => socket?.send(text),
    reconnect: (detail) => down(detail, 'at once'),
    close() {
      isClosed = true;
      clearTimeout(retry);
      discard();
    },
  };
}
