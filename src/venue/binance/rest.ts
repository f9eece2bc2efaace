import type { Logger } from 'pino';
import { refusalSchema } from '../../contracts/schemas/binance.ts';
import type { TransportFailure } from '../../domain/outcome.ts';
import { type CrashPoint, crashPoint } from '../../observability/crash-point.ts';
import type { Clock } from '../clock.ts';
import type { RateAnswer, RateBudget, RatePause } from '../rate-budget.ts';
import type { HttpRequest, HttpResult, Transport } from '../transport.ts';
import type { Lane } from '../venue.ts';
import { pauseOf, usedOf } from './limits.ts';
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
  replaceOrder: { method: 'POST', path: '/api/v3/order/cancelReplace', weight: 1, security: 'signed' },
  cancelOrder: { method: 'DELETE', path: '/api/v3/order', weight: 1, security: 'signed' },
  cancelOpenOrders: { method: 'DELETE', path: '/api/v3/openOrders', weight: 1, security: 'signed' },
  order: { method: 'GET', path: '/api/v3/order', weight: 4, security: 'signed' },
  openOrders: { method: 'GET', path: '/api/v3/openOrders', weight: 6, security: 'signed' },
  allOpenOrders: { method: 'GET', path: '/api/v3/openOrders', weight: 80, security: 'signed' },
  allOrders: { method: 'GET', path: '/api/v3/allOrders', weight: 20, security: 'signed' },
  orderTrades: { method: 'GET', path: '/api/v3/myTrades', weight: 5, security: 'signed' },
  symbolTrades: { method: 'GET', path: '/api/v3/myTrades', weight: 20, security: 'signed' },
  account: { method: 'GET', path: '/api/v3/account', weight: 20, security: 'signed' },
} as const satisfies Record<string, Endpoint>;

/** Where a test ends the process between a request and its answer. */
const pointOf: ReadonlyMap<Endpoint, () => void> = new Map(
  (
    [
      [endpoints.placeOrder, 'afterBytes'],
      [endpoints.replaceOrder, 'afterBytes'],
      [endpoints.cancelOrder, 'cancelSent'],
    ] as const satisfies readonly (readonly [Endpoint, CrashPoint])[]
  ).map(([endpoint, point]) => [endpoint, () => crashPoint(point)]),
);

export type RestAnswer =
  | {
      readonly kind: 'http';
      readonly status: number;
      /** Parsed JSON; undefined when the body is none. */
      readonly body: unknown;
      readonly code?: number;
      readonly message?: string;
      readonly pause?: RatePause;
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

type Timestamp = { readonly signedAtMs: number; readonly recvWindowMs: number };

export type RestOptions = {
  readonly restUrl: string;
  readonly apiKey: string;
  readonly signer: Signer;
  readonly transport: Transport;
  readonly budget: RateBudget;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  /** Takes secrets out of what the venue, or whoever answers in its place, says of a request it refuses. */
  readonly scrub: (text: string) => string;
  /** What the venue thinks of the timestamp that a signed request carried, where its answer shows that. */
  readonly onTimestamp: (verdict: 'accepted' | 'refused', timestamp: Timestamp) => void;
};

export function createRest(options: RestOptions): Rest {
  const carry = createCourier(options);
  return {
    call: (endpoint, parameters, lane, signal) =>
      carry(requestOf(endpoint, parameters, options), {
        endpoint,
        lane,
        signal,
        timestamp: timestampOf(endpoint, parameters),
      }),
  };
}

export type ReadyRequest = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>;

/** What a request is: the call, who waits for it, and the timestamp that it carries where it is signed. */
export type Errand = {
  readonly endpoint: Endpoint;
  readonly lane: Lane;
  readonly signal?: AbortSignal | undefined;
  readonly timestamp?: Timestamp | undefined;
};

/** Carries a request that is ready to go, at most once, within the venue's limits. Never rejects. */
export type Courier = (request: ReadyRequest, errand: Errand) => Promise<RestAnswer>;

export type CourierOptions = Omit<RestOptions, 'restUrl' | 'apiKey' | 'signer'>;

export function createCourier(options: CourierOptions): Courier {
  const { transport, budget, clock, requestTimeoutMs, logger, scrub, onTimestamp } = options;
  return async (request, { endpoint, lane, signal, timestamp }) => {
    const isPlacement = endpoint === endpoints.placeOrder || endpoint === endpoints.replaceOrder;
    const grant = await budget.take({ lane, weight: endpoint.weight, isPlacement });
    if (grant.outcome === 'refused') return { kind: 'held', retryAtMs: grant.retryAtMs, detail: grant.reason };

    const sentAt = clock.monotonicMs();
    const result = await transport.request({
      ...request,
      timeoutMs: requestTimeoutMs,
      signal,
      onWritten: pointOf.get(endpoint),
    });
    const answer = result.kind === 'answer' ? readAnswer(result, scrub, lane, clock.nowMs()) : failureOf(result);
    grant.settle(rateAnswerOf(answer, result));
    const verdict = timestamp === undefined ? undefined : verdictOf(answer);
    if (timestamp !== undefined && verdict !== undefined) onTimestamp(verdict, timestamp);
    logger.debug({ path: endpoint.path, ms: clock.monotonicMs() - sentAt, ...describe(answer) }, 'venue answered');
    return answer;
  };
}

// What is known of an order, or refused by the matching engine: the timestamp was looked at before.
const codesAfterTimestamp: ReadonlySet<number> = new Set([-2010, -2011, -2013, -2021, -2022, -2026]);

/** Whether the answer shows that the timestamp was good. Others may have been given before anybody looked at it. */
function verdictOf(answer: RestAnswer): 'accepted' | 'refused' | undefined {
  if (answer.kind !== 'http') return undefined;
  if (answer.code === -1021) return 'refused';
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const isLater = answer.code !== undefined && codesAfterTimestamp.has(answer.code);
  return isSuccess || isLater ? 'accepted' : undefined;
}

/** The timestamp among the parameters of a signed call. */
export const timestampOf = ({ security }: Endpoint, { timestamp, recvWindow }: Parameters): Timestamp | undefined =>
  security === 'signed' ? { signedAtMs: Number(timestamp), recvWindowMs: Number(recvWindow) } : undefined;

function requestOf(
  { method, path, security }: Endpoint,
  parameters: Parameters,
  { restUrl, apiKey, signer }: Pick<RestOptions, 'restUrl' | 'apiKey' | 'signer'>,
): ReadyRequest {
  const url = restUrl + path;
  const headers: Record<string, string> = security === 'none' ? {} : { 'X-MBX-APIKEY': apiKey };
  const query = security === 'signed' ? signedQuery(parameters, signer) : encode(parameters);
  // A placement goes in the body: an address is what proxies write to their logs.
  if (method === 'POST') return { method, url, headers, body: query };
  return { method, url: query === '' ? url : `${url}?${query}`, headers };
}

/** Before when it may not be sent again; that the venue is overloaded keeps nobody from looking the order up. */
export function retryAtOf(answer: RestAnswer): { retryAtMs?: number } {
  if (answer.kind === 'held') return { retryAtMs: answer.retryAtMs };
  if (answer.kind === 'transport' || answer.pause === undefined || answer.code === -1008) return {};
  return { retryAtMs: answer.pause.untilMs };
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

function readAnswer(answered: Answered, scrub: (text: string) => string, lane: Lane, nowMs: number): RestAnswer {
  const { status, headers } = answered;
  const isRefusal = status < 200 || status >= 300;
  // The words of a refusal go into the book and into histories, and proxies quote what they were sent.
  const body = parseJson(isRefusal ? scrub(answered.body) : answered.body);
  const refusal = refusalSchema.safeParse(body).data;
  const pause = pauseOf({ status, headers, code: refusal?.code, message: refusal?.msg }, lane, nowMs);
  return {
    kind: 'http',
    status,
    body,
    ...(refusal === undefined ? {} : { code: refusal.code, message: refusal.msg }),
    ...(pause === undefined ? {} : { pause }),
  };
}

function rateAnswerOf(answer: RestAnswer, result: HttpResult): RateAnswer | null {
  if (result.kind === 'failure') return null;
  const pause = answer.kind === 'http' ? answer.pause : undefined;
  return { used: usedOf(result.headers), ...(pause === undefined ? {} : { pause }) };
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
