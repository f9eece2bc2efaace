import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RatchetError } from '../contracts/schemas/error-body.ts';

/** Requests a minute with one key. */
export type Rates = { readonly requests: number; readonly halts: number };

export const defaultRates: Rates = { requests: 6_000, halts: 120 };

/**
 * Each key has a budget, and one more for halts alone: whatever floods the API, a halt gets through. Requests without a
 * key share the budget of their address.
 */
export async function limitRates(app: FastifyInstance, rates: Rates): Promise<void> {
  await app.register(rateLimit, {
    global: true,
    max: rates.requests,
    timeWindow: '1 minute',
    cache: 10_000,
    keyGenerator: callerOf,
    errorResponseBuilder: (_request, { ttl }) => new RatchetError('API_RATE_LIMITED', { retryAfterMs: ttl }),
  });
}

/** The `config` of a route that spends the budget of halts instead. */
export const haltBudget = (rates: Rates) => ({
  rateLimit: { max: rates.halts, timeWindow: '1 minute', groupId: 'halts' },
});

function callerOf(request: FastifyRequest): string {
  const { authorization } = request.headers;
  return authorization === undefined ? request.ip : createHash('sha256').update(authorization).digest('base64');
}
