import type { FastifyError, FastifyInstance } from 'fastify';
import { RatchetClientError } from '../client/client-error.ts';
import { type ErrorBody, errorBody, isErrorCode, isRetryable, RatchetError } from '../contracts/schemas/error-body.ts';

/** Where the code alone says what kind of refusal it is. Every other one is 503 if trying again can help, else 500. */
const statuses: Readonly<Record<string, number>> = {
  REQUEST_INVALID: 400,
  API_KEY_MISSING: 401,
  API_SCOPE_MISSING: 403,
  API_ROUTE_UNKNOWN: 404,
  TRADE_UNKNOWN: 404,
  ORDER_UNKNOWN: 404,
  SYMBOL_UNKNOWN: 404,
  TRADE_ID_MISMATCH: 409,
  TRADE_NOT_OPEN: 409,
  ORDER_NOT_PARKED: 409,
  ORDER_TRADE_CLOSED: 409,
  ALERT_UNKNOWN: 404,
  ALERT_ENDS_BY_ITSELF: 409,
  HOLD_NOT_IN_FORCE: 409,
  RESUME_NEEDS_APPROVAL: 403,
  LIMITS_NEED_APPROVAL: 403,
  APPROVAL_KEY_REFUSED: 403,
  APPROVAL_SAME_PERSON: 403,
  ACCOUNT_UNKNOWN: 404,
  APPROVAL_UNKNOWN: 404,
  APPROVAL_CHANGED: 409,
  APPROVAL_USED: 409,
  APPROVAL_EXPIRED: 410,
  COMMAND_ID_MISMATCH: 409,
  CORRECTION_UNKNOWN: 404,
  CORRECTION_DECIDED: 409,
  CORRECTION_UNREASONED: 400,
  ENTRY_ENDED_UNDECIDED: 409,
  WORKFLOW_ID_INVALID: 409,
  API_RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
};

const statusOf = (code: string): number => statuses[code] ?? (isErrorCode(code) && isRetryable(code) ? 503 : 500);

/** One shape for everything that goes wrong. What is a mistake of ours is logged, and says nothing of itself. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = replyTo(error);
    if (status >= 500) request.log.error({ err: error, code: body.code }, 'request failed');
    return reply.status(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    return reply.status(404).send(errorBody('API_ROUTE_UNKNOWN', { method, path: url.split('?')[0] ?? url }));
  });
}

function replyTo(error: FastifyError | Error): { readonly status: number; readonly body: ErrorBody } {
  if (error instanceof RatchetClientError) return { status: statusOf(error.code), body: error.body };
  if (error instanceof RatchetError)
    return { status: statusOf(error.code), body: errorBody(error.code, error.context) };
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status !== undefined && status >= 400 && status < 500) {
    return { status, body: errorBody('API_BODY_UNREADABLE', { detail: error.message }) };
  }
  return { status: 500, body: errorBody('INTERNAL_ERROR') };
}
