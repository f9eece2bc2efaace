import { tradeEventSchema } from '../../contracts/schemas/binance.ts';
import type { Clock } from '../clock.ts';
import { openReconnectingSocket, type SocketTimings } from '../reconnecting-socket.ts';
import type { MarketDataEvent, Subscription } from '../venue.ts';
import { venueSymbolOf } from './symbols.ts';

export type MarketStreamOptions = {
  readonly streamUrl: string;
  readonly symbols: readonly string[];
  readonly clock: Clock;
  readonly timings?: Partial<SocketTimings>;
};

/** Trades of several symbols on one connection. Judges each message alone; order and gaps are for the price hub. */
export function openMarketStream(
  { streamUrl, symbols, clock, timings = {} }: MarketStreamOptions,
  onEvent: (event: MarketDataEvent) => void,
): Subscription {
  const names = new Map(symbols.map((symbol) => [venueSymbolOf(symbol), symbol]));
  const streams = [...names.keys()].map((name) => `${encodeURIComponent(name.toLowerCase())}@trade`);
  const url = `${streamUrl}/stream?streams=${streams.join('/')}`;

  const socket = openReconnectingSocket(
    { url: () => url, clock, timings },
    {
      onOpen: () => onEvent({ type: 'connected' }),
      onAlive: () => onEvent({ type: 'alive', atMs: clock.nowMs() }),
      onDown: (detail) => onEvent({ type: 'disconnected', detail }),
      onMessage: (text) => {
        const message = readMessage(text, names);
        if (message === 'serverShutdown') socket.reconnect('the venue is going to shut this connection down');
        else if (message !== null) onEvent(message);
      },
    },
  );
  return { close: async () => socket.close() };
}

/** A trade, a fault, the venue's good-bye, or null for what does not concern prices. */
function readMessage(text: string, names: ReadonlyMap<string, string>): MarketDataEvent | 'serverShutdown' | null {
  const payload = unwrap(text);
  if (payload === undefined) return malformed(text);
  if (payload['e'] === 'serverShutdown') return 'serverShutdown';
  // The answer to a subscription carries an id and no event.
  if (payload['e'] === undefined && 'id' in payload) return null;
  const parsed = tradeEventSchema.safeParse(payload);
  const symbol = parsed.success ? names.get(parsed.data.s) : undefined;
  if (!parsed.success || symbol === undefined) return malformed(text);
  const { t, p, q, T } = parsed.data;
  return { type: 'trade', trade: { symbol, venueTradeId: t, price: p, quantity: q, tradedAtMs: T } };
}

/** The message itself; a combined stream wraps it as `{stream, data}`. */
function unwrap(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (!isObject(message)) return undefined;
    return isObject(message['data']) ? message['data'] : message;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (text: string): MarketDataEvent => ({ type: 'malformed', detail: text.slice(0, 200) });
