import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireScopes } from '../../src/api/auth.ts';
import { revokeKey } from '../../src/store/api-keys.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { nowMs } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
let routes: readonly Route[];
beforeAll(async () => {
  api = await anApi();
  routes = routesOf(api);
});
afterAll(() => api.close());

type Route = { readonly method: 'GET' | 'POST'; readonly url: string; readonly isOpen: boolean };

/** What the router has, by its own description. */
function routesOf({ app }: TestApi): readonly Route[] {
  const paths = app.swagger().paths as Record<string, Record<string, { security?: readonly object[] }>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase() as Route['method'],
      url: path.replace('{symbol}', 'BTC%2FUSDT').replace(/\{\w+\}/g, 'nobody'),
      isOpen: security?.length === 0,
    })),
  );
}

const closed = () => routes.filter(({ isOpen }) => !isOpen);
const posts = () => closed().filter(({ method }) => method === 'POST');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const json = { 'content-type': 'application/json' };

describe('F85: without the right key', () => {
  const credentials: readonly { name: string; headers?: Record<string, string>; query?: string }[] = [
    { name: 'none' },
    { name: 'a stranger', headers: bearer('a-key-that-nobody-made') },
    { name: 'a revoked key', headers: bearer(keys.revoked) },
    { name: 'basic authentication', headers: { authorization: `Basic ${btoa(`all:${keys.all}`)}` } },
    { name: 'a cookie', headers: { cookie: `authorization=Bearer ${keys.all}; key=${keys.all}` } },
    { name: 'a key in the address', query: `?key=${keys.all}&access_token=${keys.all}` },
    { name: 'a key in another header', headers: { 'x-api-key': keys.all } },
    { name: 'two keys', headers: { authorization: `Bearer ${keys.all} Bearer ${keys.all}` } },
  ];

  test.each(credentials)(
    '$name: no route answers but with 401, HEAD included',
    async ({ headers = {}, query = '' }) => {
      expect(closed().length).toBeGreaterThan(12);
      for (const { method, url } of closed()) {
        const methods = method === 'GET' ? (['GET', 'HEAD'] as const) : (['POST'] as const);
        for (const one of methods) {
          const payload = one === 'POST' ? { payload: '{}', headers: { ...json, ...headers } } : { headers };
          const answer = await api.app.inject({ method: one, url: `${url}${query}`, ...payload });
          expect({ one, url, status: answer.statusCode }).toEqual({ one, url, status: 401 });
          expect(answer.payload).not.toContain(keys.all);
        }
      }
    },
  );

  test('a route that does not say who may use it keeps the server from starting', () => {
    const app = fastify();
    requireScopes(app, { db: api.database.db });
    expect(() => app.get('/v1/forgotten', async () => 'open')).toThrow('does not say who may use it');
  });

  test('a key is refused within a second of its revocation, on every route', async () => {
    const actor = { type: 'user', id: 'anna' } as const;
    expect(await api.call('GET', '/v1/status', undefined, keys.trade)).toMatchObject({ status: 200 });
    const startedAtMs = performance.now();
    await revokeKey(api.database.db, { keyId: 'trade', actor, nowMs });
    expect(await api.call('GET', '/v1/status', undefined, keys.trade)).toMatchObject({ status: 401 });
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    for (const { method, url } of closed()) {
      const { status } = await api.call(method, url, method === 'POST' ? {} : undefined, keys.trade);
      expect({ url, status }).toEqual({ url, status: 401 });
    }
  });
});

describe('F85: a page in a browser', () => {
  const origin = { origin: 'https://evil.example' };

  test('is not let through by a preflight, on any route', async () => {
    for (const { method, url } of closed()) {
      const asks = {
        ...origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization',
      };
      const answer = await api.app.inject({ method: 'OPTIONS', url, headers: asks });
      expect({ url, status: answer.statusCode }).toEqual({ url, status: 404 });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])(
    'can not send %s, what it may send without being asked, to any route',
    async (type) => {
      for (const { url } of posts()) {
        const headers = { ...bearer(keys.all), ...origin, ...(type && { 'content-type': type }) };
        const answer = await api.app.inject({ method: 'POST', url, headers, payload: '{"reason":"csrf"}' });
        expect([400, 415]).toContain(answer.statusCode);
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
      expect(await holdsInForce(api.database.db, nowMs)).toEqual([]);
    },
  );
});

describe('F85: what is sent', () => {
  test('F84: is refused beyond 64 KB, on every route', async () => {
    for (const { url } of posts()) {
      const { status, body } = await api.call('POST', url, { reason: 'x'.repeat(65_536) });
      expect({ url, status, code: body['code'] }).toEqual({ url, status: 413, code: 'API_BODY_UNREADABLE' });
    }
  });

  test('and sent again under the same command id halts once, and never again once it was resumed', async () => {
    const halt = { reason: 'once', commandId: 'halt-1', scope: { kind: 'symbol', id: 'BTC/USDT' } };
    const first = await api.call('POST', '/v1/halts', halt);
    expect(first).toMatchObject({ status: 200 });
    const again = await api.call('POST', '/v1/halts', halt);
    expect(again).toMatchObject({ status: 200, body: { hold: first.body['hold'] } });
    expect(await api.call('POST', '/v1/halts', { ...halt, level: 'flatten' })).toMatchObject({
      status: 409,
      body: { code: 'COMMAND_ID_MISMATCH' },
    });
    const resume = { reason: 'over', commandId: 'resume-1', scope: halt.scope };
    expect(await api.call('POST', '/v1/resumes', resume)).toMatchObject({ status: 200 });
    await api.call('POST', '/v1/halts', halt);
    expect(await holdsInForce(api.database.db, nowMs)).toEqual([]);

    // And the other way round: a resume that is played again lifts no later halt.
    await api.call('POST', '/v1/halts', { ...halt, commandId: 'halt-2' });
    await api.call('POST', '/v1/resumes', resume);
    expect(await holdsInForce(api.database.db, nowMs)).toMatchObject([{ scope: halt.scope }]);
  });

  test('F83: comes back in no error: neither the key nor a secret of the address', async () => {
    const canary = 'canary-secret-0815';
    for (const key of [canary.repeat(2), keys.read]) {
      for (const { method, url } of [...closed(), { method: 'GET', url: '/v9/nothing' } as const]) {
        const headers = { ...bearer(key), 'x-mbx-apikey': canary, ...(method === 'POST' && json) };
        const answer = await api.app.inject({
          method,
          url: `${url}?signature=${canary}&token=${canary}`,
          headers,
          ...(method === 'POST' && { payload: '{' }),
        });
        if (answer.statusCode < 400) continue;
        expect(`${answer.payload}${JSON.stringify(answer.headers)}`).not.toMatch(new RegExp(`${canary}|${keys.read}`));
      }
    }
  });
});

describe('F58 F85: a flood', () => {
  test('of 1,000 requests a second keeps no halt from being committed and answered within a second', {
    timeout: 60_000,
  }, async () => {
    const flooded = await anApi({ requests: 6_000, halts: 120 });
    const url = await flooded.app.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ keepAlive: true, maxSockets: 256 });
    const flood: Promise<number>[] = [];
    const tookMs: number[] = [];
    for (let tenth = 0; tenth < 20; tenth += 1) {
      const key = tenth % 2 === 0 ? keys.read : `a-stranger-of-${tenth}-tenths`;
      for (let n = 0; n < 100; n += 1) flood.push(send(agent, 'GET', `${url}/v1/trades`, key));
      const startedAtMs = performance.now();
      const scope = { kind: 'symbol', id: `S${tenth}/USDT` };
      expect(await send(undefined, 'POST', `${url}/v1/halts`, keys.operate, { reason: 'flood', scope })).toBe(200);
      tookMs.push(performance.now() - startedAtMs);
      await delay(Math.max(0, 100 - (tookMs.at(-1) ?? 0)));
    }
    expect(await holdsInForce(flooded.database.db, nowMs)).toHaveLength(20);
    expect(Math.max(...tookMs)).toBeLessThan(1_000);
    expect(await Promise.all(flood)).toHaveLength(2_000);
    agent.destroy();
    await flooded.close();
  });
});

/** One request over a real socket, and its status. */
function send(agent: Agent | undefined, method: string, url: string, key: string, body?: object): Promise<number> {
  const headers = { ...bearer(key), ...(body && json) };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ...(agent && { agent }) }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
  });
}
