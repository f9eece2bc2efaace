import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { type ApiKey, findKeyBySha256, sha256OfSecret } from '../store/api-keys.ts';
import type { Asker } from '../store/trading-state/approvals.ts';
import type { ApiDependencies } from './dependencies.ts';

type Scope = 'read' | 'trade' | 'operate';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever has one of these scopes may use the route; `open` needs no key. */
    scopes?: readonly Scope[] | 'open';
  }
  interface FastifyRequest {
    apiKey: ApiKey | undefined;
  }
}

/** Scopes of a route, for its `config`. */
export const reading = { scopes: ['read', 'trade', 'operate'] } as const;
export const trading = { scopes: ['trade'] } as const;
export const closing = { scopes: ['trade', 'operate'] } as const;
export const operating = { scopes: ['operate'] } as const;
export const open = { scopes: 'open' } as const;

/**
 * Lets a request through if its bearer key has one of the scopes of the route. A route that does not say who may use it
 * stops the server from starting, so that nothing is open by mistake; the page at /docs shows the contract to everybody.
 * A key is looked up at each request: one that was revoked is refused by the next.
 */
export function requireScopes(app: FastifyInstance, { db }: Pick<ApiDependencies, 'db'>): void {
  app.decorateRequest('apiKey', undefined);
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.scopes === undefined) throw new Error(`${String(method)} ${url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions;
    const { scopes } = config;
    if (scopes === 'open' || request.is404 || url?.startsWith('/docs')) return;
    const key = await keyOf(request, db);
    if (key === undefined) throw denied(request, new RatchetError('API_KEY_MISSING'));
    request.apiKey = key;
    if (scopes === undefined || !scopes.some((scope) => key.scopes.includes(scope))) {
      throw denied(request, new RatchetError('API_SCOPE_MISSING', { needs: String(scopes), has: String(key.scopes) }));
    }
  });
}

/** Who asked, for the record: the key that was used, and the name that was given with it. */
export const actorOf = (request: FastifyRequest, named: string | undefined): string => {
  const key = `key ${request.apiKey?.label ?? 'unknown'}`;
  return named === undefined ? key : `${named} (${key})`;
};

async function keyOf(request: FastifyRequest, db: ApiDependencies['db']): Promise<ApiKey | undefined> {
  const [, token] = /^Bearer ([\x21-\x7e]{16,256})$/.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) return undefined;
  const sha256 = sha256OfSecret(token);
  const key = await findKeyBySha256(db, sha256);
  return key && timingSafeEqual(Buffer.from(key.sha256), Buffer.from(sha256)) ? key : undefined;
}

function denied(request: FastifyRequest, error: RatchetError): RatchetError {
  const { method, url } = request.routeOptions;
  request.log.warn({ code: error.code, method, url, key: request.apiKey?.label, ip: request.ip }, 'request denied');
  return error;
}

/** The same person where more than one is needed: what their key proves, and how they call themselves. */
export function askerOf(request: FastifyRequest, named: string | undefined, reason: string): Asker {
  const { keyId, label } = request.apiKey ?? { keyId: 'unknown', label: 'unknown' };
  return { keyId, person: named ?? label, reason };
}
