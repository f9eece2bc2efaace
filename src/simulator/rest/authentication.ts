import type { Conditions } from '../conditions.ts';
import { refusals } from '../exchange/refusal.ts';
import type { Endpoint } from './call.ts';
import { decimalOf, mandatory, optional, type Parameters, wholeOf } from './parameters.ts';
import type { Request } from './request.ts';
import { isSignedBy, restPayload } from './signature.ts';

/** The one account's credentials. They protect nothing here; they make clients sign as they must elsewhere. */
export type Keys = { readonly apiKey: string; readonly apiSecret: string };

const microsecondsFrom = 1e14;

/** Refuses a request whose key, signature or time is not what the endpoint asks for. */
export function authenticate(
  { keys, conditions, nowMs }: { readonly keys: Keys; readonly conditions: Conditions; readonly nowMs: number },
  { security }: Endpoint,
  request: Request,
  parameters: Parameters,
): void {
  if (security === 'none') return;
  if (!request.apiKey) throw refusals.apiKeyFormat();
  checkKey(request.apiKey, keys, conditions);
  if (security === 'key') return;
  const { signature, payload } = restPayload(request.query, request.body);
  if (signature === null || signature === '') throw refusals.missing('signature');
  if (!isSignedBy(keys.apiSecret, payload, signature)) throw refusals.signature();
  checkTimestamp(parameters, nowMs);
}

export function checkKey(apiKey: string, keys: Keys, { isKeyRevoked }: Conditions): void {
  if (apiKey !== keys.apiKey || isKeyRevoked) throw refusals.apiKey();
}

/** The look at a request that comes in: neither from the future nor too old. */
export function checkTimestamp(parameters: Parameters, nowMs: number): void {
  if (timestampMsOf(parameters) >= nowMs + 1_000) throw refusals.aheadOfServer();
  checkWindow(parameters, nowMs);
}

/** The second look, just before the matching engine. */
export function checkWindow(parameters: Parameters, nowMs: number): void {
  const recvWindowMs = Number(decimalOf('recvWindow', optional(parameters, 'recvWindow') ?? '5000'));
  if (recvWindowMs > 60_000) throw refusals.windowTooLong();
  if (nowMs - timestampMsOf(parameters) > recvWindowMs) throw refusals.outsideWindow();
}

/** Milliseconds, or microseconds where there are that many digits. */
function timestampMsOf(parameters: Parameters): number {
  const timestamp = wholeOf('timestamp', mandatory(parameters, 'timestamp'));
  return timestamp >= microsecondsFrom ? timestamp / 1_000 : timestamp;
}
