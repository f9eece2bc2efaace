import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parkOrder } from '../../src/store/orders/orders.ts';
import { holdsInForce, setHold } from '../../src/store/trading-state/holds.ts';
import { aRequest, nowMs, placeEntry } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());

const everything = { kind: 'all', id: '*' };

describe('POST /v1/halts and /v1/resumes', () => {
  test('holds entries and names those that still work, until it is lifted', async () => {
    await placeEntry(api.database.db, aRequest({ tradeId: 'working-1' }));
    const halted = await api.call('POST', '/v1/halts', { reason: 'news', actor: 'anna' });
    expect(halted).toMatchObject({
      status: 200,
      body: {
        hold: {
          scope: everything,
          level: 'entries-blocked',
          source: 'operator',
          actor: 'anna (key all)',
          reason: 'news',
        },
        workingEntries: [{ tradeId: 'working-1', side: 'BUY', leavesQuantity: '1' }],
      },
    });
    const resumed = await api.call('POST', '/v1/resumes', { reason: 'over' });
    expect(resumed).toMatchObject({ status: 200, body: { hold: { scope: everything } } });
    expect(await holdsInForce(api.database.db, nowMs)).toEqual([]);
  });

  test.each(['frozen', 'flatten'])('%s says what is being swept, and GET how far it is', async (level) => {
    const scope = { kind: 'symbol', id: `${level.toUpperCase()}/USDT` };
    const going = { venue: 'paper', left: [], canceled: 0, notFlat: [], looks: 0, outcome: null };
    const answer = await api.call('POST', '/v1/halts', { reason: 'news', level, scope });
    expect(answer).toMatchObject({ status: 200, body: { hold: { level, scope }, sweeps: [going] } });
    const list = await api.call('GET', '/v1/halts', undefined, keys.read);
    expect(list).toMatchObject({ status: 200, body: { halts: [{ hold: { level }, sweeps: [going] }] } });
    await api.call('POST', '/v1/resumes', { reason: 'over', scope });
  });

  test.each([
    { name: 'nothing is held', body: { reason: 'over' }, halt: undefined },
    {
      name: 'the hold is another version than the one that was seen',
      body: { reason: 'over', version: '999999', scope: { kind: 'symbol', id: 'ETH/USDT' } },
      halt: { reason: 'news', scope: { kind: 'symbol', id: 'ETH/USDT' } },
    },
  ])('lifts nothing when $name', async ({ body, halt }) => {
    if (halt) await api.call('POST', '/v1/halts', halt);
    const answer = await api.call('POST', '/v1/resumes', body);
    expect(answer).toMatchObject({ status: 409, body: { code: 'HOLD_NOT_IN_FORCE' } });
  });

  test.each([
    { name: 'no reason', body: {} },
    { name: 'an id for everything', body: { reason: 'news', scope: { kind: 'all', id: 'main' } } },
    { name: 'an unknown scope', body: { reason: 'news', scope: { kind: 'world', id: 'x' } } },
    { name: 'an unknown field', body: { reason: 'news', lvl: 'frozen' } },
    { name: 'an end that is not in the future', body: { reason: 'news', expiresAtMs: nowMs } },
  ])('refuses $name', async ({ body }) => {
    expect(await api.call('POST', '/v1/halts', body)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });

  test.each([
    { kind: 'symbol', id: 'BTCUSDT' },
    { kind: 'symbol', id: 'btc/usdt' },
    { kind: 'strategy', id: 'ma cross' },
    { kind: 'account', id: '-main' },
  ])('refuses a scope that no entry can be in, and says what is allowed: $kind $id', async (scope) => {
    const before = await holdsInForce(api.database.db, nowMs);
    const faults = [{ field: 'scope.id', value: JSON.stringify(scope.id), allowed: expect.stringMatching(/^an? \w+/) }];
    const answer = await api.call('POST', '/v1/halts', { reason: 'news', scope });
    expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID', faults } });
    expect(await holdsInForce(api.database.db, nowMs)).toEqual(before);
  });

  test('does not know an account that does not exist', async () => {
    const answer = await api.call('POST', '/v1/halts', { reason: 'news', scope: { kind: 'account', id: 'mian' } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'ACCOUNT_UNKNOWN', context: { account: 'mian' } } });
  });

  test.each([
    { id: 'ma-cross', isScopeUnused: false },
    { id: 'ma-corss', isScopeUnused: true },
  ])('halts the strategy $id, and says whether nothing has ever been in it', async ({ id, isScopeUnused }) => {
    const scope = { kind: 'strategy', id };
    const answer = await api.call('POST', '/v1/halts', { reason: 'news', scope });
    expect(answer).toMatchObject({ status: 200, body: { hold: { scope }, isScopeUnused } });
    await api.call('POST', '/v1/resumes', { reason: 'over', scope });
  });

  test('lifts a hold on a scope of a form that no halt takes any more', async () => {
    const scope = { kind: 'symbol', id: 'BTCUSDT' } as const;
    const hold = { scope, source: 'operator', level: 'entries-blocked', actor: 'anna', reason: 'news', nowMs } as const;
    await setHold(api.database.db, hold);
    const answer = await api.call('POST', '/v1/resumes', { reason: 'over', scope });
    expect(answer).toMatchObject({ status: 200, body: { hold: { scope } } });
  });
});

describe('POST /v1/orders/:clientOrderId/resolve', () => {
  const resolve = (id: string) => api.call('POST', `/v1/orders/${id}/resolve`, { verdict: 'dead', reason: 'looked' });

  test('declares a parked order dead, once', async () => {
    const { clientOrderId } = await placeEntry(api.database.db, aRequest({ tradeId: 'parked-1' }));
    expect(await resolve(clientOrderId)).toMatchObject({ status: 409, body: { code: 'ORDER_NOT_PARKED' } });
    await parkOrder(api.database.db, { clientOrderId, nowMs });
    expect(await resolve(clientOrderId)).toMatchObject({ status: 200, body: { clientOrderId, status: 'canceled' } });
    expect(await resolve(clientOrderId)).toMatchObject({ status: 409, body: { code: 'ORDER_NOT_PARKED' } });
  });

  test('does not know an order that is not ours', async () => {
    expect(await resolve('nobody')).toMatchObject({ status: 404, body: { code: 'ORDER_UNKNOWN' } });
  });
});
