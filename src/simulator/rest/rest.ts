import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SimulatorClock } from '../clock.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Refusal, refusals } from '../exchange/refusal.ts';
import type { Faults } from '../faults/faults.ts';
import { accountEndpoints } from './account-endpoints.ts';
import type { Call, Endpoint } from './call.ts';
import { marketEndpoints } from './market-endpoints.ts';
import {
  checkAllRead,
  decimalOf,
  mandatory,
  optional,
  type Parameters,
  readParameters,
  wholeOf,
} from './parameters.ts';
import type { RateLimits } from './rate-limits.ts';
import { type Answer, createOrdeal, jsonReply, type Ordeal, type Reply, send } from './reply.ts';
import type { OpenRequest, RequestLog } from './request-log.ts';
import { isSignedBy, restPayload } from './signature.ts';

/** The one account's credentials. They protect nothing here; they make clients sign as they must elsewhere. */
export type Keys = { readonly apiKey: string; readonly apiSecret: string };

export type RestOptions = {
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  readonly keys: Keys;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly log: RequestLog;
};

type Request = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly apiKey: string | undefined;
  readonly receivedAtMs: number;
};

const endpoints = [...marketEndpoints, ...accountEndpoints];
const bodyBytesMax = 65_536;
const microsecondsFrom = 1e14;

/** Answers REST requests the way the exchange does, as far as the plan of faults lets it. */
export function createRest(
  options: RestOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (incoming, response) => {
    const request = await readRequest(incoming, options.clock);
    if (!request) return void incoming.socket.destroy();
    const open = options.log.open(request);
    const fields = fieldsOf(request);
    open.read(fields);
    const rules = options.faults.strike({ method: request.method, path: request.path, fields });
    const ordeal = createOrdeal(rules, options.clock, (fault) => open.struck(fault));
    const reply = await replyTo(options, request, open, ordeal);
    open.ended(reply.kind === 'answer' ? endOf(reply) : null);
    await send(response, reply, options.clock);
  };
}

async function replyTo(options: RestOptions, request: Request, open: OpenRequest, ordeal: Ordeal): Promise<Reply> {
  const answer = await trueAnswer(options, request, open, ordeal);
  for (const phase of ['after_accept', 'after_match', 'before_response', 'mid_response'] as const) {
    if (answer) await ordeal.strike(phase);
  }
  const replacement = ordeal.replacement();
  if (replacement) return replacement;
  const reply = ordeal.letThrough(answer ?? jsonReply(500, {}));
  if (reply === answer) open.answered();
  return reply;
}

/** What the venue itself says, or null when the plan cut in before it looked at the request. */
async function trueAnswer(
  options: RestOptions,
  request: Request,
  open: OpenRequest,
  ordeal: Ordeal,
): Promise<Reply | null> {
  const { limits } = options;
  await ordeal.strike('before_auth');
  if (ordeal.replacement()) return null;
  try {
    const body = await answer(options, request, open, ordeal);
    return body === undefined ? null : jsonReply(200, body, limits.headers());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const headers = { ...limits.headers(), ...error.headers };
    return jsonReply(error.status, { code: error.code, msg: error.message }, headers);
  }
}

async function answer(options: RestOptions, request: Request, open: OpenRequest, ordeal: Ordeal): Promise<unknown> {
  const { limits } = options;
  const limited = limits.refusal();
  if (limited) throw limited;
  const endpoint = endpoints.find(({ method, path }) => method === request.method && path === request.path);
  if (!endpoint) throw refusals.noSuchEndpoint();
  const parameters = readParameters(request.query, request.body);
  const weight = typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight({ parameters });
  if (!endpoint.isFreeOnSuccess) limits.charge(weight);
  try {
    authenticate(options, endpoint, request, parameters);
    open.reached('authenticated');
    checkAllRead(parameters, endpoint.parameters);
    await ordeal.strike('before_accept');
    if (ordeal.replacement()) return undefined;
    if (endpoint.security === 'signed') checkWindow(parameters, options.clock.nowMs());
    open.reached('validated');
    return await endpointAnswer(options, endpoint, request, parameters, open, ordeal);
  } catch (error) {
    if (endpoint.isFreeOnSuccess) limits.charge(weight);
    throw error;
  }
}

async function endpointAnswer(
  { exchange, clock, limits }: RestOptions,
  endpoint: Endpoint,
  { receivedAtMs }: Request,
  parameters: Parameters,
  open: OpenRequest,
  ordeal: Ordeal,
): Promise<unknown> {
  const call: Call = {
    requestId: open.requestId,
    receivedAtMs,
    parameters,
    exchange,
    clock,
    limits,
    isStruck: (phase) => ordeal.isStruck(phase),
    strike: (phase) => ordeal.strike(phase),
    accepted(phase) {
      open.accepted();
      open.reached(phase);
    },
    lagMs: ordeal.lagMs(),
  };
  const first = await endpoint.answer(call);
  // A network that repeats a request hides the second answer; what it did stays.
  if (ordeal.has('dup')) await Promise.resolve(endpoint.answer(call)).catch(ignoreRefusal);
  return first;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}

function authenticate(
  { keys, clock }: RestOptions,
  endpoint: Endpoint,
  request: Request,
  parameters: Parameters,
): void {
  if (endpoint.security === 'none') return;
  if (!request.apiKey) throw refusals.apiKeyFormat();
  if (request.apiKey !== keys.apiKey) throw refusals.apiKey();
  if (endpoint.security === 'key') return;
  const { signature, payload } = restPayload(request.query, request.body);
  if (signature === null || signature === '') throw refusals.missing('signature');
  if (!isSignedBy(keys.apiSecret, payload, signature)) throw refusals.signature();
  checkTimestamp(parameters, clock.nowMs());
}

/** The look at a request that comes in: neither from the future nor too old. */
export function checkTimestamp(parameters: Parameters, nowMs: number): void {
  if (timestampMsOf(parameters) >= nowMs + 1_000) throw refusals.aheadOfServer();
  checkWindow(parameters, nowMs);
}

/** Milliseconds, or microseconds where there are that many digits. */
function timestampMsOf(parameters: Parameters): number {
  const timestamp = wholeOf('timestamp', mandatory(parameters, 'timestamp'));
  return timestamp >= microsecondsFrom ? timestamp / 1_000 : timestamp;
}

// The second look, just before the matching engine.
function checkWindow(parameters: Parameters, nowMs: number): void {
  const recvWindowMs = Number(decimalOf('recvWindow', optional(parameters, 'recvWindow') ?? '5000'));
  if (recvWindowMs > 60_000) throw refusals.windowTooLong();
  if (nowMs - timestampMsOf(parameters) > recvWindowMs) throw refusals.outsideWindow();
}

async function readRequest(incoming: IncomingMessage, clock: SimulatorClock): Promise<Request | null> {
  const receivedAtMs = clock.nowMs();
  const body = await readBody(incoming);
  if (body === null) return null;
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
  const apiKey = incoming.headers['x-mbx-apikey'];
  return {
    method: incoming.method ?? '',
    path,
    query,
    body,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
    receivedAtMs,
  };
}

/** The body as text; null when it never came whole, or is longer than any honest one. */
export async function readBody(incoming: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) return null;
      chunks.push(chunk);
    }
  } catch {
    // The client went away in the middle: there is nobody to tell.
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

// For the plan and the log, which look at requests that the venue itself would refuse.
const fieldsOf = ({ query, body }: Request): Parameters =>
  Object.fromEntries([...new URLSearchParams(body), ...new URLSearchParams(query)]);

function endOf({ status, body }: Answer) {
  if (status < 400) return { httpStatus: status, code: null, message: null };
  try {
    const { code = null, msg = null } = JSON.parse(body) as { code?: number; msg?: string };
    return { httpStatus: status, code, message: msg };
  } catch {
    return { httpStatus: status, code: null, message: null };
  }
}
