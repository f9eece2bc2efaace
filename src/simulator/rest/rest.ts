import type { IncomingMessage, ServerResponse } from 'node:http';
import { decimal, isPositive, subtract } from '../../domain/decimal.ts';
import type { SimulatorClock } from '../clock.ts';
import type { Conditions } from '../conditions.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Refusal, refusals } from '../exchange/refusal.ts';
import type { FaultRule, Faults } from '../faults/faults.ts';
import { createOrdeal, type Ordeal } from '../faults/ordeal.ts';
import { accountEndpoints } from './account-endpoints.ts';
import { authenticate, checkWindow, type Keys } from './authentication.ts';
import type { Call, Endpoint } from './call.ts';
import { marketEndpoints } from './market-endpoints.ts';
import { orderEndpoints } from './order-endpoints.ts';
import { checkAllRead, type Parameters, readParameters } from './parameters.ts';
import type { RateLimits } from './rate-limits.ts';
import { type Answer, jsonReply, pageAnswer, type Reply, send } from './reply.ts';
import { fieldsOf, type Request, readRequest } from './request.ts';
import type { OpenRequest, RequestLog } from './request-log.ts';

export type RestOptions = {
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  readonly keys: Keys;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly conditions: Conditions;
  readonly log: RequestLog;
};

/** One request on its way through the venue. */
type Passage = { readonly request: Request; readonly open: OpenRequest; readonly ordeal: Ordeal };

const endpoints = [...marketEndpoints, ...accountEndpoints, ...orderEndpoints];

/** Answers REST requests the way the exchange does, as far as the plan of faults lets it. */
export function createRest(
  options: RestOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (incoming, response) => {
    const request = await readRequest(incoming, options.clock);
    if (!request) return void incoming.socket.destroy();
    const { method, path } = request;
    const rules = options.faults.strike({ method, path, fields: fieldsOf(request) });
    const reply = await serve(options, request, rules);
    await repeat(options, request, rules);
    await send(response, reply, options.clock);
  };
}

async function serve(
  options: RestOptions,
  request: Request,
  rules: readonly FaultRule[],
  note?: string,
): Promise<Reply> {
  const open = options.log.open(request);
  open.read(fieldsOf(request));
  if (note !== undefined) open.struck(note);
  const ordeal = createOrdeal(rules, options.clock, (fault) => open.struck(fault));
  const reply = await replyTo(options, { request, open, ordeal });
  open.ended(reply.kind === 'answer' ? endOf(reply) : null);
  return reply;
}

/** A network that repeats a request hides the second answer; what it did stays. */
async function repeat(options: RestOptions, request: Request, rules: readonly FaultRule[]): Promise<void> {
  const dup = rules.map((rule) => rule.do).find((action) => action.action === 'dup');
  if (!dup) return;
  const again = () =>
    serve(options, { ...request, receivedAtMs: options.clock.nowMs() }, [], 'repeated by the network');
  if (dup.ms === undefined) await again();
  else options.clock.schedule(dup.ms, () => void again());
}

async function replyTo(options: RestOptions, passage: Passage): Promise<Reply> {
  const { open, ordeal } = passage;
  const outage = outageOf(options.conditions);
  if (outage) {
    open.struck(options.conditions.outage ?? '');
    return outage;
  }
  const answer = await trueAnswer(options, passage);
  for (const phase of ['after_accept', 'after_match', 'before_response', 'mid_response'] as const) {
    if (answer) await ordeal.strike(phase);
  }
  const replacement = ordeal.replacement();
  if (replacement) return replacement;
  const reply = ordeal.letThrough(answer ?? jsonReply(500, {}));
  if (reply === answer) open.answered();
  return reply;
}

function outageOf({ outage }: Conditions): Reply | null {
  if (outage === null) return null;
  return pageAnswer(outage === 'firewall' ? 403 : 503);
}

/** What the venue itself says, or null when the plan cut in before it looked at the request. */
async function trueAnswer(options: RestOptions, passage: Passage): Promise<Reply | null> {
  const { limits } = options;
  await passage.ordeal.strike('before_auth');
  if (passage.ordeal.replacement()) return null;
  try {
    const body = await answer(options, passage);
    return body === undefined ? null : jsonReply(200, body, limits.headers());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return jsonReply(error.status, error.body, { ...limits.headers(), ...error.headers });
  }
}

async function answer(options: RestOptions, passage: Passage): Promise<unknown> {
  const { limits } = options;
  const { request } = passage;
  const limited = limits.refusal();
  if (limited) throw limited;
  const endpoint = endpoints.find(({ method, path }) => method === request.method && path === request.path);
  if (!endpoint) throw refusals.noSuchEndpoint();
  const parameters = readParameters(request.query, request.body);
  const weight = typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight({ parameters });
  if (!endpoint.isFreeOnSuccess) limits.charge(weight);
  try {
    return await admitted(options, passage, endpoint, parameters);
  } catch (error) {
    if (endpoint.isFreeOnSuccess) limits.charge(weight);
    throw error;
  }
}

/** Lets the request in to its endpoint, past both looks at its time. */
async function admitted(
  options: RestOptions,
  { request, open, ordeal }: Passage,
  endpoint: Endpoint,
  parameters: Parameters,
): Promise<unknown> {
  const { clock } = options;
  authenticate({ ...options, nowMs: clock.nowMs() }, endpoint, request, parameters);
  open.reached('authenticated');
  checkAllRead(parameters, endpoint.parameters);
  await ordeal.strike('before_accept');
  if (ordeal.replacement()) return undefined;
  if (endpoint.security === 'signed') secondLook(options, endpoint, parameters);
  open.reached('validated');
  fillFirst(options.exchange, parameters, ordeal);
  return endpoint.answer(callOf(options, { request, open, ordeal }, parameters));
}

// An order that fails here was counted already.
function secondLook({ clock, limits }: RestOptions, endpoint: Endpoint, parameters: Parameters): void {
  try {
    checkWindow(parameters, clock.nowMs());
  } catch (error) {
    if (endpoint.isOrder) limits.chargeOrder();
    throw error;
  }
}

/** What a plan says about the resting order that the request names: it is filled before the request is looked at. */
function fillFirst({ books, fill }: Exchange, parameters: Parameters, ordeal: Ordeal): void {
  const action = ordeal.find('fill');
  if (!action) return;
  const orderId = Number(parameters['orderId'] ?? parameters['cancelOrderId'] ?? -1);
  const clientOrderId = parameters['origClientOrderId'] ?? parameters['cancelOrigClientOrderId'] ?? '';
  const order = books.orders.get(orderId) ?? books.findByClientId(parameters['symbol'] ?? '', clientOrderId);
  if (!order || !books.openOrders.has(order.orderId)) return;
  const leaves = subtract(order.quantity, order.filledQuantity);
  const quantity = action.quantity === undefined ? leaves : decimal(action.quantity);
  if (isPositive(quantity)) fill(order.orderId, quantity);
}

function callOf(
  { exchange, clock, limits }: RestOptions,
  { request, open, ordeal }: Passage,
  parameters: Parameters,
): Call {
  return {
    requestId: open.requestId,
    receivedAtMs: request.receivedAtMs,
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
    lagMs: ordeal.find('lagQuery')?.ms ?? 0,
  };
}

function endOf({ status, body }: Answer) {
  if (status < 400) return { httpStatus: status, code: null, message: null };
  try {
    const { code = null, msg = null } = JSON.parse(body) as { code?: number; msg?: string };
    return { httpStatus: status, code, message: msg };
  } catch {
    return { httpStatus: status, code: null, message: null };
  }
}
