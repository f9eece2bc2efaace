import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import { parkOrder } from '../../src/store/orders/orders.ts';
import { ensureAccount, saveBalances } from '../../src/store/trading-state/accounts.ts';
import { aRequest, d, nowMs, placeEntry } from '../store/fixtures.ts';
import { anApi, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());

describe('GET /v1/status', () => {
  test('says what is wrong, in words', async () => {
    const { db } = api.database;
    const balances = [{ asset: 'USDT', free: d('900'), locked: d('100') }];
    await saveBalances(db, { account: 'main', balances, equity: d('1000'), fault: null, nowMs });
    const { clientOrderId } = await placeEntry(db, aRequest({ tradeId: 'parked-1' }));
    await parkOrder(db, { clientOrderId, nowMs });
    const { status, body } = await api.call('GET', '/v1/status');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      mode: 'paper',
      account: 'main',
      equity: { amount: '1000', fault: null },
      balances: [{ asset: 'USDT', free: '900', locked: '100' }],
      breaker: { state: 'CLOSED' },
      orders: { parked: 1 },
      trades: { placing: 1 },
      alerts: [{ code: 'ORDER_PARKED', severity: 'CRITICAL' }],
      parts: { database: { ok: true }, temporal: { ok: true }, entryWorkers: { ok: false } },
    });
    expect(body['problems']).toEqual(
      expect.arrayContaining([
        'entryWorkers: nobody polls ratchet-entries',
        '1 orders parked: ratchet resolve',
        expect.stringContaining('alert ORDER_PARKED'),
      ]),
    );
  });

  test('has what is used, what room is left, and the limits that the book breaks', async () => {
    const { db } = api.database;
    const limits = { ...paperLimits, totalExposureCap: d('99') };
    await ensureAccount(db, {
      account: 'main',
      venue: 'paper',
      currency: 'USDT',
      limits,
      actor: { type: 'system', id: 'test' },
      nowMs,
    });
    const { body } = await api.call('GET', '/v1/status');
    expect(body).toMatchObject({
      portfolio: { exposure: '100', delta: '100', openTrades: 1 },
      remaining: { exposure: '0', delta: '900' },
      brokenLimits: [{ control: 'total_exposure_cap', current: '100', limit: '99', allowed: false }],
    });
    expect(body['problems']).toContain('limit total_exposure_cap of account is broken: 100, allowed 99');
    const market = await api.call('GET', '/v1/markets/BTC%2FUSDT');
    expect(market.body).toMatchObject({ remaining: { exposure: '0', delta: '900', symbolDelta: '400' } });
  });

  test('a held scope is in it', async () => {
    await api.call('POST', '/v1/halts', { reason: 'news', scope: { kind: 'strategy', id: 'ma-cross' } });
    const { body } = await api.call('GET', '/v1/status');
    expect(body).toMatchObject({ holds: [{ scope: { kind: 'strategy', id: 'ma-cross' }, reason: 'news' }] });
  });
});

describe('GET /v1/markets/:symbol', () => {
  test('has last price and rules', async () => {
    const answer = await api.call('GET', '/v1/markets/BTC%2FUSDT');
    expect(answer).toMatchObject({ status: 200, body: { symbol: 'BTC/USDT', last: '100', tickSize: '0.01' } });
  });

  test('does not know what the venue does not trade', async () => {
    expect(await api.call('GET', '/v1/markets/XYZ%2FUSDT')).toMatchObject({
      status: 404,
      body: { code: 'SYMBOL_UNKNOWN' },
    });
    expect(await api.call('GET', '/v1/markets/btcusdt')).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_INVALID' },
    });
  });
});

test('health and metrics need no key', async () => {
  expect(await api.call('GET', '/healthz', undefined, '')).toMatchObject({ status: 200, text: 'ok\n' });
  expect(await api.call('GET', '/metrics', undefined, '')).toMatchObject({ status: 200, text: 'ratchet_up 1\n' });
});
