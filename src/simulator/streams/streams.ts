import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.ts';
import type { Exchange, Venue } from '../exchange/exchange.ts';
import type { Print } from '../exchange/tape.ts';
import { eight } from '../rest/answers.ts';
import type { Channel } from './socket.ts';

const streamsMax = 1_024;
const messagesPerSecond = 5;

type Subscriber = { readonly channel: Channel; readonly streams: Set<string>; readonly isCombined: boolean };

export type MarketStreams = {
  /** Serves one connection to `/ws…` or `/stream…`. */
  connect(socket: WebSocket, channel: Channel, url: URL): void;
  /** Sends text to every connection as it is. */
  broadcastRaw(text: string): void;
  /** Says that the venue goes down. */
  announceShutdown(): void;
};

/** The market streams: `<symbol>@trade` and `<symbol>@bookTicker`. */
export function createMarketStreams(exchange: Exchange, clock: SimulatorClock): MarketStreams {
  const subscribers = new Set<Subscriber>();

  const publish = (stream: string, data: object): void => {
    for (const { channel, streams, isCombined } of subscribers) {
      if (streams.has(stream)) channel.send(isCombined ? { stream, data } : data);
    }
  };

  let updates = 0;
  exchange.onEvent((event) => {
    if (event.type === 'trade')
      publish(`${event.symbol.toLowerCase()}@trade`, tradeEvent(event.symbol, event.print, clock));
    if (event.type !== 'quotes') return;
    const venue = exchange.venues.get(event.symbol);
    updates += 1;
    if (venue?.quotes) publish(`${event.symbol.toLowerCase()}@bookTicker`, quotesEvent(venue, updates));
  });

  return {
    connect(socket, channel, url) {
      const subscriber: Subscriber = {
        channel,
        streams: new Set(streamsOf(url)),
        isCombined: url.pathname === '/stream',
      };
      subscribers.add(subscriber);
      socket.on('close', () => subscribers.delete(subscriber));
      socket.on(
        'message',
        createListener(subscriber, () => channel.close(1008)),
      );
    },
    broadcastRaw(text) {
      for (const { channel } of subscribers) channel.sendRaw(text);
    },
    announceShutdown() {
      const data = { e: 'serverShutdown', E: clock.nowMs() };
      for (const { channel, isCombined } of subscribers) {
        channel.send(isCombined ? { stream: '!serverShutdown', data } : data);
      }
    },
  };
}

function tradeEvent(symbol: string, print: Print, clock: SimulatorClock): object {
  return {
    e: 'trade',
    E: clock.nowMs(),
    s: symbol,
    t: print.tradeId,
    p: eight(print.price),
    q: eight(print.quantity),
    T: print.tradedAtMs,
    m: print.buyerIsMaker,
    M: true,
  };
}

function quotesEvent({ market, quotes }: Venue, updateId: number): object {
  const quantity = eight(market.levelQuantity);
  return {
    u: updateId,
    s: market.symbol,
    b: eight(quotes?.bid ?? null),
    B: quantity,
    a: eight(quotes?.ask ?? null),
    A: quantity,
  };
}

/** `/ws/<a>/<b>` or `/stream?streams=<a>/<b>`. */
function streamsOf(url: URL): readonly string[] {
  const names =
    url.pathname === '/stream' ? (url.searchParams.get('streams') ?? '') : url.pathname.replace(/^\/ws\/?/, '');
  return names.split('/').filter((name) => name !== '');
}

/** Answers SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS; cuts off whoever sends more than five messages a second. */
function createListener({ channel, streams }: Subscriber, cutOff: () => void): (data: Buffer) => void {
  let received = 0;
  return (data) => {
    // In real time, like the connection itself: a virtual clock that stands still would cut off every client in the end.
    if (received === 0) setTimeout(() => (received = 0), 1_000).unref();
    received += 1;
    if (received > messagesPerSecond) return cutOff();
    channel.sendRaw(JSON.stringify(answerTo(data.toString('utf8'), streams)));
  };
}

type Message = { readonly method?: unknown; readonly params?: unknown; readonly id?: unknown };

function answerTo(text: string, streams: Set<string>): object {
  const message = parseMessage(text);
  if (!message) return { error: { code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' } };
  const { method, params = [], id = null } = message;
  if (!Array.isArray(params) || !params.every((name) => typeof name === 'string')) {
    return { error: { code: 2, msg: 'Invalid request: params must be an array of strings' }, id };
  }
  switch (method) {
    case 'SUBSCRIBE':
      if (new Set([...streams, ...params]).size > streamsMax)
        return { error: { code: 2, msg: 'Invalid request: too many streams' }, id };
      for (const name of params) streams.add(name);
      return { result: null, id };
    case 'UNSUBSCRIBE':
      for (const name of params) streams.delete(name);
      return { result: null, id };
    case 'LIST_SUBSCRIPTIONS':
      return { result: [...streams], id };
    default:
      return { error: { code: 2, msg: 'Invalid request: unknown method' }, id };
  }
}

function parseMessage(text: string): Message | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : null;
  } catch {
    return null;
  }
}
