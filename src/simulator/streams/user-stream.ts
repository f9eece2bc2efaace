import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.ts';
import type { Conditions } from '../conditions.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ExchangeEvent } from '../exchange/journal.ts';
import { Refusal, refusals } from '../exchange/refusal.ts';
import { checkKey, checkTimestamp, type Keys } from '../rest/authentication.ts';
import { mandatory, type Parameters } from '../rest/parameters.ts';
import type { RateLimits } from '../rest/rate-limits.ts';
import { isSignedBy, socketPayload } from '../rest/signature.ts';
import type { Channel } from './socket.ts';
import { accountPosition, balanceUpdate, executionReport } from './user-events.ts';

export type UserStreamOptions = {
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  readonly keys: Keys;
  readonly limits: RateLimits;
  readonly conditions: Conditions;
};

export type UserStreams = {
  /** Serves one connection to `/ws-api/v3`. */
  connect(socket: WebSocket, channel: Channel, url: URL): void;
  announceShutdown(): void;
  /** Ends every subscription; the connections stay. */
  terminate(): void;
};

type Subscriber = { readonly channel: Channel; subscriptionId: number | null; readonly showsLimits: boolean };
type Frame = { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown };

const weightOfRequest = 2;

/** The WebSocket API, as far as user data goes: subscribe by signature, unsubscribe, list, ping, time. */
export function createUserStreams({ exchange, clock, keys, limits, conditions }: UserStreamOptions): UserStreams {
  const subscribers = new Set<Subscriber>();
  let lastSubscription = -1;

  exchange.onEvent((event) => {
    const frame = frameOf(event, clock.nowMs());
    if (!frame) return;
    for (const { channel, subscriptionId } of subscribers) {
      if (subscriptionId !== null) channel.send({ subscriptionId, event: frame });
    }
  });

  const subscribe = (subscriber: Subscriber, parameters: Parameters): object => {
    authenticate(keys, conditions, parameters, clock.nowMs());
    lastSubscription += 1;
    subscriber.subscriptionId = lastSubscription;
    return { subscriptionId: lastSubscription };
  };

  const resultOf = (subscriber: Subscriber, method: unknown, parameters: Parameters): object => {
    switch (method) {
      case 'userDataStream.subscribe.signature':
        return subscribe(subscriber, parameters);
      case 'userDataStream.unsubscribe':
        endSubscription(subscriber, clock.nowMs());
        return {};
      case 'session.subscriptions':
        return subscriber.subscriptionId === null ? [] : [{ subscriptionId: subscriber.subscriptionId }];
      case 'ping':
        return {};
      case 'time':
        return { serverTime: clock.nowMs() };
      default:
        throw new Refusal(400, -1020, 'This operation is not supported.');
    }
  };

  const answerTo = (subscriber: Subscriber, text: string): object => {
    const frame = parseFrame(text);
    const rateLimits = subscriber.showsLimits ? { rateLimits: limitRows(limits) } : {};
    if (!frame) return { id: null, status: 400, error: { code: -1135, msg: 'Invalid JSON Request' }, ...rateLimits };
    try {
      limits.charge(weightOfRequest);
      const result = resultOf(subscriber, frame.method, parametersOf(frame.params));
      return { id: frame.id ?? null, status: 200, result, ...rateLimits };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return {
        id: frame.id ?? null,
        status: error.status,
        error: { code: error.code, msg: error.message },
        ...rateLimits,
      };
    }
  };

  return {
    connect(socket, channel, url) {
      limits.charge(weightOfRequest);
      const showsLimits = url.searchParams.get('returnRateLimits') !== 'false';
      const subscriber: Subscriber = { channel, subscriptionId: null, showsLimits };
      subscribers.add(subscriber);
      socket.on('close', () => subscribers.delete(subscriber));
      socket.on('message', (data: Buffer) =>
        channel.sendRaw(JSON.stringify(answerTo(subscriber, data.toString('utf8')))),
      );
    },
    terminate() {
      for (const subscriber of subscribers) endSubscription(subscriber, clock.nowMs());
    },
    announceShutdown() {
      for (const { channel } of subscribers) channel.send({ event: { e: 'serverShutdown', E: clock.nowMs() } });
    },
  };
}

function frameOf(event: ExchangeEvent, nowMs: number): object | null {
  switch (event.type) {
    case 'execution':
      return executionReport(event, nowMs);
    case 'balances':
      return accountPosition(event.balances, event.atMs, nowMs);
    case 'transfer':
      return balanceUpdate(event.change, nowMs);
    case 'trade':
    case 'quotes':
      return null;
  }
}

function endSubscription(subscriber: Subscriber, nowMs: number): void {
  const { channel, subscriptionId } = subscriber;
  if (subscriptionId === null) return;
  subscriber.subscriptionId = null;
  channel.send({ subscriptionId, event: { e: 'eventStreamTerminated', E: nowMs } });
}

function authenticate(keys: Keys, conditions: Conditions, parameters: Parameters, nowMs: number): void {
  const apiKey = mandatory(parameters, 'apiKey');
  const signature = mandatory(parameters, 'signature');
  checkKey(apiKey, keys, conditions);
  if (!isSignedBy(keys.apiSecret, socketPayload(parameters), signature)) throw refusals.signature();
  checkTimestamp(parameters, nowMs);
}

const parametersOf = (params: unknown): Parameters =>
  Object.fromEntries(Object.entries(params ?? {}).map(([name, value]) => [name, String(value)]));

function parseFrame(text: string): Frame | null {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? frame : null;
  } catch {
    return null;
  }
}

function limitRows(limits: RateLimits): readonly object[] {
  const { weightPerMinute } = limits.limits;
  const minute = { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1 };
  return [{ ...minute, limit: weightPerMinute, count: limits.used() }];
}
