import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { aRequest, decide, decisionOf, enter as openTrade } from '../store/fixtures.ts';
import { anApi, type TestApi } from './an-api.ts';

let api: TestApi;
let approve: TestApi['onEnter'];
beforeAll(async () => {
  api = await anApi();
  approve = api.onEnter;
});
afterEach(() => {
  api.onEnter = approve;
  api.entered.length = 0;
});
afterAll(() => api.close());

const enter = (body: unknown) => api.call('POST', '/v1/trades', body);

describe('POST /v1/trades', () => {
  test('answers 201 with the decision on a new trade, and 200 with the same one ever after', async () => {
    const request = aRequest({ tradeId: 'new-1' });
    const first = await enter(request);
    expect(first).toMatchObject({ status: 201, body: { tradeId: 'new-1', outcome: 'approved' } });
    const again = await enter(request);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(api.entered).toHaveLength(1);
  });

  test('answers a denial with 200 and every reason', async () => {
    const reasons = [
      { code: 'LIMITS_MISSING', message: 'No limits.', remedy: 'Set them.', context: { limit: 'symbolDeltaMax' } },
      { code: 'PRICE_UNKNOWN', message: 'No price.', remedy: 'Wait.', context: {} },
    ];
    api.onEnter = async (request) => {
      const denied = { ...decisionOf(request, 'denied'), reasons };
      await decide(api.database.db, request, () => ({ decision: denied, reservations: [] }));
      return denied;
    };
    const answer = await enter(aRequest({ tradeId: 'denied-1' }));
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'denied', reasons } });
  });

  test('F48: refuses the trade id with other content, and sends nothing', async () => {
    await enter(aRequest({ tradeId: 'twice-1' }));
    api.entered.length = 0;
    const answer = await enter(aRequest({ tradeId: 'twice-1', validForMs: 9_999 }));
    expect(answer).toMatchObject({ status: 409, body: { code: 'TRADE_ID_MISMATCH' } });
    expect(api.entered).toEqual([]);
  });

  test('names every fault of a bad request with field, value and what is allowed', async () => {
    const bad = { ...aRequest(), legs: [{ symbol: 'BTCUSDT', side: 'BUY', quantity: 0.1 }], venu: 'paper' };
    const answer = await enter(bad);
    expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(answer.body['faults']).toEqual(
      expect.arrayContaining([
        { field: 'legs[0].symbol', value: '"BTCUSDT"', allowed: expect.stringContaining('BASE/QUOTE') },
        { field: 'legs[0].quantity', value: '0.1', allowed: expect.stringContaining('decimal as text') },
        { field: 'venu', value: '"paper"', allowed: 'no such field' },
      ]),
    );
    expect(api.entered).toEqual([]);
  });

  test('says 503 when nothing was decided in time, and the same again finds the decision', async () => {
    api.onEnter = async () => {
      throw new WorkflowUpdateRPCTimeoutOrCancelledError('deadline exceeded');
    };
    const request = aRequest({ tradeId: 'late-1' });
    expect(await enter(request)).toMatchObject({ status: 503, body: { code: 'UNDECIDED' } });
    await decide(api.database.db, request);
    expect(await enter(request)).toMatchObject({ status: 200, body: { outcome: 'approved' } });
  });
});

describe('GET /v1/trades', () => {
  test('lists trades by strategy with symbol and side', async () => {
    await enter(aRequest({ tradeId: 'listed-1', strategy: 'listed' }));
    const { body } = await api.call('GET', '/v1/trades?strategy=listed');
    expect(body).toEqual({
      trades: [
        expect.objectContaining({ tradeId: 'listed-1', symbol: 'BTC/USDT', side: 'BUY', phase: 'placing', pnl: null }),
      ],
    });
  });

  test.each(['?phase=nowhere', '?limit=0', '?limit=501', '?live=perhaps', '?unknown=1'])(
    'refuses %s',
    async (query) => {
      expect(await api.call('GET', `/v1/trades${query}`)).toMatchObject({
        status: 400,
        body: { code: 'REQUEST_INVALID' },
      });
    },
  );
});

describe('GET /v1/trades/:tradeId', () => {
  test('has all of it: request, decision, orders with fills, position, link to the Temporal UI', async () => {
    const { db } = api.database;
    const request = aRequest({ tradeId: 'whole-1' });
    await openTrade(db, request, { venueTradeId: '71' });
    const { status, body } = await api.call('GET', '/v1/trades/whole-1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      tradeId: 'whole-1',
      phase: 'open',
      request: { entry: { type: 'LIMIT', price: '100' } },
      decision: { outcome: 'approved' },
      orders: [{ clientOrderId: 'whole-1-e1', status: 'filled', filledQuantity: '1', fills: [{ venueTradeId: '71' }] }],
      positions: [{ side: 'long', entryQuantity: '1', isOpen: true }],
      temporalUrl: 'http://127.0.0.1:8233/namespaces/default/workflows/entry-whole-1',
    });
  });

  test('says what it would make at the last price, and null while there is none', async () => {
    await openTrade(api.database.db, aRequest({ tradeId: 'worth-1' }), { venueTradeId: '72' });
    api.last = '106.5';
    const worth = { amount: '6.5', price: '106.5', ageMs: 40 };
    expect((await api.call('GET', '/v1/trades/worth-1')).body).toMatchObject({ positions: [{ unrealizedPnl: worth }] });
    api.last = null;
    expect((await api.call('GET', '/v1/trades/worth-1')).body).toMatchObject({ positions: [{ unrealizedPnl: null }] });
  });

  test('does not value a trade of another venue', async () => {
    await openTrade(api.database.db, aRequest({ tradeId: 'elsewhere-1', venue: 'elsewhere' }), { venueTradeId: '73' });
    api.last = '106.5';
    const { body } = await api.call('GET', '/v1/trades/elsewhere-1');
    expect(body).toMatchObject({ venue: 'elsewhere', positions: [{ unrealizedPnl: null }] });
  });

  test('the decision comes with the request that was decided', async () => {
    const request = aRequest({ tradeId: 'decided-1' });
    await enter(request);
    const { body } = await api.call('GET', '/v1/trades/decided-1/decision');
    expect(body).toMatchObject({ tradeId: 'decided-1', request, decision: { outcome: 'approved' } });
  });

  test.each(['', '/decision', '/records'])('an unknown trade is 404%s', async (path) => {
    const answer = await api.call('GET', `/v1/trades/nobody${path}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'TRADE_UNKNOWN' } });
  });
});

describe('POST /v1/trades/:tradeId/close', () => {
  const close = (tradeId: string, body: unknown = { reason: 'news' }) =>
    api.call('POST', `/v1/trades/${tradeId}/close`, body);

  test('asks for the exit once', async () => {
    await enter(aRequest({ tradeId: 'closing-1' }));
    expect(await close('closing-1')).toMatchObject({ status: 200, body: { outcome: 'requested' } });
    expect(await close('closing-1')).toMatchObject({ status: 200, body: { outcome: 'already' } });
    const { body } = await api.call('GET', '/v1/trades/closing-1');
    expect(body).toMatchObject({ phase: 'closing', exitRequest: { reason: 'bot', actor: 'key all' } });
  });

  test('answers the same command id with the first answer', async () => {
    await enter(aRequest({ tradeId: 'closing-2' }));
    const command = { reason: 'news', actor: 'anna', commandId: 'c-1' };
    expect(await close('closing-2', command)).toMatchObject({ body: { outcome: 'requested' } });
    expect(await close('closing-2', command)).toMatchObject({ body: { outcome: 'requested' } });
    expect(await close('closing-2', { ...command, reason: 'other' })).toMatchObject({
      status: 409,
      body: { code: 'COMMAND_ID_MISMATCH' },
    });
  });

  test.each([
    { name: 'an unknown trade', tradeId: 'nobody', status: 404, code: 'TRADE_UNKNOWN' },
    { name: 'a denied trade', tradeId: 'closing-denied', status: 409, code: 'TRADE_NOT_OPEN' },
  ])('refuses $name', async ({ tradeId, status, code }) => {
    const denied = aRequest({ tradeId: 'closing-denied' });
    await decide(api.database.db, denied, () => ({ decision: decisionOf(denied, 'denied'), reservations: [] }));
    expect(await close(tradeId)).toMatchObject({ status, body: { code } });
  });

  test('demands a reason', async () => {
    expect(await close('closing-1', { reason: ' ' })).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(await close('closing-1', {})).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });
});
