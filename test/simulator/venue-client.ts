import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';

/** What a test sees of an answer. */
export type Seen = {
  readonly status: number;
  readonly headers: Headers;
  // A test reads whatever field it is about; the dialect's types are the simulator's own business.
  // biome-ignore lint/suspicious/noExplicitAny: answers are JSON of many shapes
  readonly body: any;
};

export type Parameters = Readonly<Record<string, string | number>>;

/** Signs by its own means, so that a mistake of the simulator's signature code cannot hide. */
export const signatureOf = (secret: string, payload: string): string =>
  createHmac('sha256', secret).update(payload).digest('hex');

const textOf = (parameters: Parameters): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');

/** A small client of the dialect for tests: every call over a real socket. */
export function clientOf(simulator: Simulator) {
  const { url, keys, clock } = simulator;
  const headers = { 'X-MBX-APIKEY': keys.apiKey };

  const send = async (method: string, path: string, query: string, init: RequestInit = {}): Promise<Seen> => {
    const response = await fetch(`${url}${path}${query === '' ? '' : `?${query}`}`, { method, headers, ...init });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  const signed = (method: string, path: string, parameters: Parameters = {}): Promise<Seen> => {
    const text = textOf({ timestamp: clock.nowMs(), ...parameters });
    return send(method, path, `${text}&signature=${signatureOf(keys.apiSecret, text)}`);
  };

  return {
    send,
    signed,
    get: (path: string, parameters: Parameters = {}) => send('GET', path, textOf(parameters)),
    order: (parameters: Parameters) => signed('POST', '/api/v3/order', { symbol: 'BTCUSDT', ...parameters }),
    buy: (quantity: string, more: Parameters = {}) =>
      signed('POST', '/api/v3/order', { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity, ...more }),
    limit: (side: 'BUY' | 'SELL', quantity: string, price: string, more: Parameters = {}) => {
      const terms = { symbol: 'BTCUSDT', side, type: 'LIMIT', timeInForce: 'GTC', quantity, price };
      return signed('POST', '/api/v3/order', { ...terms, ...more });
    },
    find: (parameters: Parameters) => signed('GET', '/api/v3/order', { symbol: 'BTCUSDT', ...parameters }),
    cancel: (parameters: Parameters) => signed('DELETE', '/api/v3/order', { symbol: 'BTCUSDT', ...parameters }),
  };
}

/** Reads JSON frames of one WebSocket in their order; a frame that never comes fails the test by its own time limit. */
export async function openStream(address: string) {
  const socket = new WebSocket(address);
  // biome-ignore lint/suspicious/noExplicitAny: frames are JSON of many shapes
  const frames: any[] = [];
  const waiting: (() => void)[] = [];
  const raw: string[] = [];
  socket.on('message', (data: Buffer) => {
    raw.push(data.toString('utf8'));
    try {
      frames.push(JSON.parse(data.toString('utf8')));
    } catch {
      frames.push(null);
    }
    for (const wake of waiting.splice(0)) wake();
  });
  await once(socket, 'open');
  return {
    socket,
    frames,
    raw,
    /** The first frame that fits, those that came before included. */
    // biome-ignore lint/suspicious/noExplicitAny: frames are JSON of many shapes
    async until(fits: (frame: any) => boolean): Promise<any> {
      for (;;) {
        const found = frames.find((frame) => frame !== null && fits(frame));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    send: (frame: object) => socket.send(JSON.stringify(frame)),
    close: () => socket.terminate(),
  };
}

/** A connection that hears the account's events. */
export async function openUserStream(simulator: Simulator) {
  const stream = await openStream(`${simulator.wsUrl}/ws-api/v3`);
  const { apiKey, apiSecret } = simulator.keys;
  const timestamp = simulator.clock.nowMs();
  const signature = signatureOf(apiSecret, `apiKey=${apiKey}&timestamp=${timestamp}`);
  stream.send({
    id: 'subscribe',
    method: 'userDataStream.subscribe.signature',
    params: { apiKey, timestamp, signature },
  });
  await stream.until((frame) => frame.id === 'subscribe' && frame.status === 200);
  return stream;
}

/** Calls the control port. */
export async function control(simulator: Simulator, method: string, path: string, body?: unknown): Promise<Seen> {
  const response = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** A venue at BTC/USDT 46,000 that moves by ticks, which the test closes by itself or by `closeAll`. */
export async function aVenue(
  options: Partial<Extract<SimulatorOptions, { replay: 'manual' }>> = {},
): Promise<Simulator> {
  const simulator = await startSimulator({ replay: 'manual', ...options });
  open.push(simulator);
  return simulator;
}

const open: Simulator[] = [];

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
}
