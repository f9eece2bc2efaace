import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { revokeKey } from '../../src/store/api-keys.ts';
import { nowMs } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());

/** Who may use what. A route that is not in here fails the first test: somebody has to decide. */
const allowed: Readonly<Record<string, readonly string[] | 'open'>> = {
  'POST /v1/trades': ['all', 'trade'],
  'GET /v1/trades': ['all', 'read', 'trade', 'operate'],
  'GET /v1/trades/{tradeId}': ['all', 'read', 'trade', 'operate'],
  'GET /v1/trades/{tradeId}/decision': ['all', 'read', 'trade', 'operate'],
  'GET /v1/trades/{tradeId}/records': ['all', 'read', 'trade', 'operate'],
  'POST /v1/trades/{tradeId}/close': ['all', 'trade', 'operate'],
  'POST /v1/orders/{clientOrderId}/resolve': ['all', 'operate'],
  'POST /v1/halts': ['all', 'operate'],
  'GET /v1/halts': ['all', 'read', 'trade', 'operate'],
  'POST /v1/resumes': ['all', 'operate'],
  'GET /v1/approvals': ['all', 'read', 'trade', 'operate'],
  'POST /v1/approvals': ['all', 'operate'],
  'POST /v1/limits': ['all', 'operate'],
  'GET /v1/alerts': ['all', 'read', 'trade', 'operate'],
  'POST /v1/alerts/{alertId}/resolve': ['all', 'operate'],
  'GET /v1/reconciliations': ['all', 'read', 'trade', 'operate'],
  'POST /v1/reconciliations': ['all', 'operate'],
  'GET /v1/corrections': ['all', 'read', 'trade', 'operate'],
  'POST /v1/corrections/{correctionId}/approve': ['all', 'operate'],
  'POST /v1/corrections/{correctionId}/reject': ['all', 'operate'],
  'GET /v1/status': ['all', 'read', 'trade', 'operate'],
  'GET /v1/markets/{symbol}': ['all', 'read', 'trade', 'operate'],
  'GET /healthz': 'open',
  'GET /metrics': 'open',
};

const routes = Object.keys(allowed);
const callers = [...Object.entries(keys), ['nobody', ''], ['a stranger', 'a-key-that-nobody-made']] as const;

describe('who may use what', () => {
  test('is decided for every route that the router has', () => {
    const paths = api.app.swagger().paths as Record<string, object>;
    const found = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(found.toSorted()).toEqual(routes.toSorted());
  });

  test.each(routes.flatMap((route) => callers.map(([caller, key]) => ({ route, caller, key }))))(
    '$route by $caller',
    async ({ route, caller, key }) => {
      const [method, path] = route.split(' ') as ['GET' | 'POST', string];
      const url = path.replace('{symbol}', 'BTC%2FUSDT').replace(/\{\w+\}/, 'nobody');
      const { status, body } = await api.call(method, url, method === 'POST' ? {} : undefined, key);
      const who = allowed[route] ?? [];
      if (who === 'open' || who.includes(caller)) expect([401, 403]).not.toContain(status);
      else if (Object.keys(keys).includes(caller) && caller !== 'revoked') {
        expect({ status, code: body['code'] }).toEqual({ status: 403, code: 'API_SCOPE_MISSING' });
      } else expect({ status, code: body['code'] }).toEqual({ status: 401, code: 'API_KEY_MISSING' });
    },
  );

  test('a key that is revoked is refused by the next request', async () => {
    expect(await api.call('GET', '/v1/status', undefined, keys.read)).toMatchObject({ status: 200 });
    await revokeKey(api.database.db, { keyId: 'read', actor: { type: 'user', id: 'anna' }, nowMs });
    expect(await api.call('GET', '/v1/status', undefined, keys.read)).toMatchObject({ status: 401 });
  });
});
