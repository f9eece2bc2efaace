import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aRequest } from '../store/fixtures.ts';
import { type Answer, anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());

const post = (payload: string, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url: '/v1/trades',
    headers: { authorization: `Bearer ${keys.all}`, 'content-type': 'application/json', ...headers },
    payload,
  });

describe('what goes wrong has one shape', () => {
  test.each([
    { name: 'no JSON', payload: '{', status: 400 },
    { name: 'no body', payload: '', status: 400 },
    { name: 'another type', payload: 'a=1', headers: { 'content-type': 'text/plain' }, status: 415 },
    { name: 'more than 64 KB', payload: JSON.stringify({ reason: 'x'.repeat(65_536) }), status: 413 },
    { name: 'a poisoned prototype', payload: '{"__proto__":{"isAdmin":true}}', status: 400 },
  ])('$name', async ({ payload, headers, status }) => {
    const response = await post(payload, headers);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({
      code: expect.stringMatching(/^(API_BODY_UNREADABLE|REQUEST_INVALID)$/),
      message: expect.any(String),
      remedy: expect.any(String),
    });
  });

  test('an unknown route', async () => {
    const answer = await api.call('GET', '/v2/nothing');
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'API_ROUTE_UNKNOWN', context: { path: '/v2/nothing' } },
    });
  });

  test('a mistake of ours says nothing of itself but where to look', async () => {
    const fragile = await anApi();
    fragile.onEnter = async () => {
      throw new TypeError('secret detail');
    };
    await fragile.database.asOwner('alter table trade rename to trade_gone');
    const answer = await fragile.call('GET', '/v1/trades');
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL_ERROR' } });
    expect(JSON.stringify(answer.body)).not.toContain('trade_gone');
    expect(answer.headers['x-request-id']).toEqual(expect.any(String));
    await fragile.close();
  });
});

test('answers carry the headers that keep a browser from harm', async () => {
  const { headers } = await api.call('GET', '/v1/status');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-frame-options': 'SAMEORIGIN',
  });
});

describe('the contract', () => {
  test('is OpenAPI 3.1, with a summary, an answer and the errors of every route', async () => {
    const { body } = await api.call('GET', '/docs/json', undefined, '');
    const document = body as unknown as {
      openapi: string;
      paths: Record<string, Record<string, { summary?: string; security?: object[]; responses: object }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => ({ route: `${method} ${path}`, ...route })),
    );
    expect(routes.length).toBeGreaterThan(10);
    const open = routes.filter(({ security }) => security?.length === 0).map(({ route }) => route);
    expect(open).toEqual(['get /healthz', 'get /metrics']);
    for (const { route, summary, responses } of routes) {
      expect({ route, hasSummary: summary !== undefined }).toEqual({ route, hasSummary: true });
      if (route.includes('/v1/')) expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
    }
  });

  test('is shown as a page', async () => {
    const page = await api.app.inject('/docs');
    expect(page.statusCode).toBe(200);
    const parts = [...page.payload.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      const found = await api.app.inject(new URL(part, 'http://api/docs/').pathname);
      expect({ part, status: found.statusCode }).toEqual({ part, status: 200 });
    }
  });
});

describe('bodies that nobody meant', () => {
  const isWellFormed = ({ status, body }: Answer): boolean =>
    (status === 400 || status === 404 || status === 409 || status === 413 || status === 422) &&
    typeof body['code'] === 'string' &&
    typeof body['remedy'] === 'string';

  // A valid request with one thing changed: the faults that people make.
  const mutated = fc
    .tuple(
      fc.constantFrom('tradeId', 'account', 'legs', 'entry', 'exit', 'requestedAtMs', 'validForMs', 'reason', 'new'),
      fc.jsonValue(),
    )
    .map(([field, value]) => ({ ...aRequest({ tradeId: 'fuzz-1' }), [field]: value }));

  test.each([
    { name: '700 requests to enter', url: '/v1/trades', bodies: fc.oneof(fc.jsonValue(), mutated), runs: 700 },
    { name: '100 halts', url: '/v1/halts', bodies: fc.jsonValue(), runs: 100 },
    { name: '100 closes', url: '/v1/trades/nobody/close', bodies: fc.jsonValue(), runs: 100 },
    { name: '100 resolutions', url: '/v1/orders/nobody/resolve', bodies: fc.jsonValue(), runs: 100 },
  ])('$name are answered with a refusal or a decision, never with a fault of ours', async ({ url, bodies, runs }) => {
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const answer = await api.call('POST', url, body);
        expect(isWellFormed(answer) || answer.status === 200 || answer.status === 201).toBe(true);
      }),
      { numRuns: runs },
    );
  });
});

test('whatever floods the API, a halt gets through', async () => {
  const small = await anApi({ requests: 20, halts: 5 });
  const flood = await Promise.all(Array.from({ length: 200 }, () => small.call('GET', '/v1/trades')));
  expect(flood.filter(({ status }) => status === 429)).toHaveLength(180);
  expect(flood.find(({ status }) => status === 429)).toMatchObject({ body: { code: 'API_RATE_LIMITED' } });
  expect(await small.call('POST', '/v1/halts', { reason: 'flood' })).toMatchObject({ status: 200 });
  await small.close();
});
