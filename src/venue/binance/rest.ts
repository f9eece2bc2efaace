import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { refusalSchema } from '../../contracts/schemas/binance.ts';
import type { TransportFailure } from '../../domain/outcome.ts';
import type { Clock } from '../clock.ts';
import type { RateAnswer, RateBudget, RateLimitKind, RatePause } from '../rate-budget.ts';
import type { HttpRequest, HttpResult, Transport } from '../transport.ts';
import type { Lane } from '../venue.ts';
import { encode, type Parameters, type Signer, signedQuery } from './sign.ts';

/** One call of the API: where it goes, what it weighs, and whether it needs the key or a signature. */
export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly weight: number;
  readonly security: 'none' | 'key' | 'signed';
};

export const endpoints = {
  time: { method: 'GET', path: '/api/v3/time', weight: 1, security: 'none' },
  exchangeInfo: { method: 'GET', path: '/api/v3/exchangeInfo', weight: 20, security: 'none' },
  trades: { method: 'GET', path: '/api/v3/trades', weight: 25, security: 'none' },
  historicalTrades: { method: 'GET', path: '/api/v3/historicalTrades', weight: 25, security: 'key' },
  placeOrder: { method: 'POST', path: '/api/v3/order', weight: 1, security: 'signed' },
  cancelOrder: { method: 'DELETE', path: '/api/v3/order', weight: 1, security: 'signed' },
  order: { method: 'GET', path: '/api/v3/order', weight: 4, security: 'signed' },
  openOrders: { method: 'GET', path: '/api/v3/openOrders', weight: 6, security: 'signed' },
  allOpenOrders: { method: 'GET', path: '/api/v3/openOrders', weight: 80, security: 'signed' },
  allOrders: { method: 'GET', path: '/api/v3/allOrders', weight: 20, security: 'signed' },
  myTrades: { method: 'GET', path: '/api/v3/myTrades', weight: 5, security: 'signed' },
  account: { method: 'GET', path: '/api/v3/account', weight: 20, security: 'signed' },
} as const satisfies Record<string, Endpoint>;

export type RestAnswer =
  | {
      readonly kind: 'http';
      readonly status: number;
      /** Parsed JSON; undefined when the body is none. */
      readonly body: unknown;
      readonly code?: number;
      readonly message?: string;
      readonly retryAtMs?: number;
    }
  | {
      readonly kind: 'transport';
      readonly failure: TransportFailure;
      readonly firstByteSent: boolean;
      readonly detail: string;
    }
  /** Our own budget held it back: nothing was sent. */
  | { readonly kind: 'held'; readonly retryAtMs: number; readonly detail: string };

type Answered = Extract<HttpResult, { kind: 'answer' }>;
type Failed = Extract<HttpResult, { kind: 'failure' }>;

export type Rest = {
  /** One request, sent at most once. A signed call carries its own `timestamp`. Never rejects. */
  call(endpoint: Endpoint, parameters: Parameters, lane: Lane, signal?: AbortSignal): Promise<RestAnswer>;
};

export type RestOptions = {
  readonly restUrl: string;
  readonly apiKey: string;
  readonly signer: Signer;
  readonly transport: Transport;
  readonly budget: RateBudget;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  /** The venue has refused a timestamp: our idea of its clock is wrong. */
  readonly onTimestampRefused: () => void;
};

export function createRest(options: RestOptions): Rest {
  const { transport, budget, clock, requestTimeoutMs, logger, onTimestampRefused } = options;
  return {
    async call(endpoint, parameters, lane, signal) {
      const isPlacement = endpoint === endpoints.placeOrder;
      const grant = await budget.take({ lane, weight: endpoint.weight, isPlacement });
      if (grant.outcome === 'refused') return { kind: 'held', retryAtMs: grant.retryAtMs, detail: grant.reason };

      const sentAt = clock.monotonicMs();
      const request = requestOf(endpoint, parameters, options);
      const result = await transport.request({ ...request, timeoutMs: requestTimeoutMs, signal });
      const answer = result.kind === 'answer' ? readAnswer(result, clock.nowMs()) : failureOf(result);
      grant.settle(result.kind === 'answer' ? rateAnswerOf(answer, result.headers, clock.nowMs()) : null);
      if (answer.kind === 'http' && answer.code === -1021) onTimestampRefused();
      logger.debug({ path: endpoint.path, ms: clock.monotonicMs() - sentAt, ...describe(answer) }, 'venue answered');
      return answer;
    },
  };
}

function requestOf(
  { method, path, security }: Endpoint,
  parameters: Parameters,
  { restUrl, apiKey, signer }: Pick<RestOptions, 'restUrl' | 'apiKey' | 'signer'>,
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'> {
  const url = restUrl + path;
  const headers: Record<string, string> = security === 'none' ? {} : { 'X-MBX-APIKEY': apiKey };
  const query = security === 'signed' ? signedQuery(parameters, signer) : encode(parameters);
  // A placement goes in the body: an address is what proxies write to their logs.
  if (method === 'POST') return { method, url, headers, body: query };
  return { method, url: query === '' ? url : `${url}?${query}`, headers };
}

/** What may be told about an answer: codes and the venue's own words, never what was sent. */
export function describe(answer: RestAnswer): { readonly detail: string } {
  if (answer.kind === 'held') return { detail: `held back: ${answer.detail}` };
  if (answer.kind === 'transport') {
    const when = answer.firstByteSent ? 'after the request may have left' : 'before anything was sent';
    return { detail: `${answer.failure} (${answer.detail}) ${when}` };
  }
  const code = answer.code === undefined ? '' : ` ${answer.code}`;
  return { detail: `HTTP ${answer.status}${code}${answer.message === undefined ? '' : ` ${answer.message}`}` };
}

function readAnswer({ status, headers, body: text }: Answered, nowMs: number): RestAnswer {
  const body = parseJson(text);
  const refusal = refusalSchema.safeParse(body).data;
  const retryAtMs = retryAt(headers, refusal?.msg, nowMs);
  return {
    kind: 'http',
    status,
    body,
    ...(refusal === undefined ? {} : { code: refusal.code, message: refusal.msg }),
    ...(retryAtMs === undefined ? {} : { retryAtMs }),
  };
}

const failureOf = ({ failure, firstByteSent, detail }: Failed): RestAnswer => ({
  kind: 'transport',
  failure,
  firstByteSent,
  detail,
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAt(headers: IncomingHttpHeaders, message: string | undefined, nowMs: number): number | undefined {
  const bannedUntil = message?.match(/banned until (\d+)/)?.[1];
  if (bannedUntil !== undefined) return Number(bannedUntil);
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) ? nowMs + seconds * 1000 : undefined;
}

const minute = 60_000;

// How long to wait where the venue asks for a pause and does not say how long.
const pauseMs = { ban: 2 * minute, throttle: minute, orders: 10_000, firewall: 30_000, overload: 2 * minute };

function pauseOf(answer: RestAnswer, nowMs: number): RatePause | undefined {
  if (answer.kind !== 'http') return undefined;
  const { status, code, message, retryAtMs } = answer;
  const pause = (scope: RatePause['scope'], defaultMs: number, isBan = false): RatePause => ({
    scope,
    untilMs: retryAtMs ?? nowMs + defaultMs,
    reason: describe(answer).detail,
    isBan,
  });
  if (status === 418 || message?.includes('banned until')) return pause('everything', pauseMs.ban, true);
  if (code === -1015) return pause('placements', pauseMs.orders);
  if (status === 429 || code === -1003) return pause('everything', pauseMs.throttle);
  if (status === 403) return pause('everything', pauseMs.firewall);
  return code === -1008 ? pause('entries', pauseMs.overload) : undefined;
}

function rateAnswerOf(answer: RestAnswer, headers: IncomingHttpHeaders, nowMs: number): RateAnswer {
  const pause = pauseOf(answer, nowMs);
  return { used: usedOf(headers), ...(pause === undefined ? {} : { pause }) };
}

const kindOfHeader: Record<string, RateLimitKind> = { 'used-weight': 'weight', 'order-count': 'orders' };
const unitMs: Record<string, number> = { s: 1000, m: minute, h: 60 * minute, d: 1440 * minute };

/** `X-MBX-USED-WEIGHT-1M: 20`, `X-MBX-ORDER-COUNT-10S: 3`. */
function usedOf(headers: IncomingHttpHeaders): RateAnswer['used'] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const [, what = '', number, unit = ''] = name.match(/^x-mbx-(used-weight|order-count)-(\d+)([smhd])$/) ?? [];
    const kind = kindOfHeader[what];
    const count = Number(value);
    if (kind === undefined || !Number.isInteger(count)) return [];
    return [{ kind, windowMs: Number(number) * (unitMs[unit] ?? 0), count }];
  });
}
