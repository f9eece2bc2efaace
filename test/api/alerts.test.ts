import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlertCode } from '../../src/domain/errors/alert-endings.ts';
import { openAlerts, raiseAlert } from '../../src/store/alerts.ts';
import { nowMs } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());

async function raised(code: AlertCode): Promise<number> {
  const { db } = api.database;
  await raiseAlert(db, { condition: code, code, severity: 'CRITICAL', context: { asset: 'BNB' }, nowMs });
  return (await openAlerts(db)).find((alert) => alert.code === code)?.alertId ?? 0;
}

const resolve = (alertId: number | string, body: object = { reason: 'looked', actor: 'anna' }) =>
  api.call('POST', `/v1/alerts/${alertId}/resolve`, body);

describe('GET /v1/alerts and POST /v1/alerts/:alertId/resolve', () => {
  test('list what is open, and end what has happened, once', async () => {
    const alertId = await raised('FEE_UNVALUED');
    expect(await api.call('GET', '/v1/alerts', undefined, keys.read)).toMatchObject({
      status: 200,
      body: { alerts: [{ alertId, code: 'FEE_UNVALUED', severity: 'CRITICAL', raisedAtMs: nowMs, endsWith: null }] },
    });
    const ended = { alertId, code: 'FEE_UNVALUED', resolvedAtMs: nowMs };
    expect(await resolve(alertId)).toMatchObject({ status: 200, body: { ...ended, outcome: 'resolved' } });
    expect(await resolve(alertId)).toMatchObject({ status: 200, body: { ...ended, outcome: 'already' } });
    expect((await api.call('GET', '/v1/alerts')).body).toEqual({ alerts: [] });
    const records = await api.database.asOwner("select body from audit_event where event_type = 'AlertResolved'");
    expect(records.map(({ body }) => JSON.parse(String(body)))).toMatchObject([
      { actor: { type: 'user', id: 'anna (key all)' }, reason: 'looked' },
    ]);
  });

  test('leave what lasts, and name what ends it', async () => {
    const alertId = await raised('ORDER_PARKED');
    expect(await resolve(alertId)).toMatchObject({
      status: 409,
      body: {
        code: 'ALERT_ENDS_BY_ITSELF',
        context: { alertId, code: 'ORDER_PARKED', endsWith: 'the order being resolved: ratchet resolve' },
      },
    });
    expect((await api.call('GET', '/v1/alerts')).body).toMatchObject({ alerts: [{ alertId }] });
  });

  test.each([
    { name: 'an id that nobody gave out', id: '987654321', body: { reason: 'x' }, status: 404, code: 'ALERT_UNKNOWN' },
    { name: 'an id that is none', id: 'first', body: { reason: 'x' }, status: 400, code: 'REQUEST_INVALID' },
    {
      name: 'an id beyond all numbers',
      id: '9'.repeat(30),
      body: { reason: 'x' },
      status: 400,
      code: 'REQUEST_INVALID',
    },
    { name: 'no reason', id: '1', body: {}, status: 400, code: 'REQUEST_INVALID' },
  ])('refuse $name', async ({ id, body, status, code }) => {
    expect(await resolve(id, body)).toMatchObject({ status, body: { code } });
  });
});
