import { describe, expect, test } from 'vitest';
import type { Venue } from '../../../src/venue/venue.ts';
import { canceled, intended, replaceDone, replaced, replaceRefused, says } from '../contract/answers.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { aVenue, ok, type Reply, type ScriptedVenue, startScriptedVenue } from '../support/scripted-venue.ts';

const keep = keepUntilTheEnd();

async function scripted(route: string, reply: Reply): Promise<{ venue: Venue; server: ScriptedVenue }> {
  const server = keep(await startScriptedVenue({ [route]: () => reply }));
  return { venue: keep(aVenue({ url: server.url, requestTimeoutMs: 300 })), server };
}

const replace = 'POST /api/v3/order/cancelReplace';
const replacement = { cancel: replaced, order: intended, lane: 'exit' } as const;

describe('replaceOrder', () => {
  test('places only after the cancel, does nothing where orders are too many, and is signed by the intent', async () => {
    const { venue, server } = await scripted(replace, replaceDone);
    await venue.replaceOrder(replacement);
    expect(server.requestsTo(replace)[0]?.parameters).toEqual({
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.5',
      price: '46210.5',
      newClientOrderId: 'rte-a',
      newOrderRespType: 'FULL',
      selfTradePreventionMode: 'EXPIRE_MAKER',
      cancelOrigClientOrderId: 'rts-old',
      cancelRestrictions: 'ONLY_NEW',
      cancelReplaceMode: 'STOP_ON_FAILURE',
      orderRateLimitExceededMode: 'DO_NOTHING',
      recvWindow: '3000',
      timestamp: '1795262400123',
      signature: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('answers with both orders', async () => {
    const { venue } = await scripted(replace, replaceDone);
    expect(await venue.replaceOrder(replacement)).toMatchObject({
      canceled: { outcome: 'ACCEPTED', order: { clientOrderId: 'rts-old', report: { status: 'canceled' } } },
      placed: { outcome: 'ACCEPTED', order: { clientOrderId: 'rte-a', report: { status: 'new' } } },
    });
  });

  test('gives each half the reason of its own', async () => {
    const whyNot = { code: -2010, msg: 'Account has insufficient balance for requested action.' };
    const reply = replaceRefused(409, -2021, { cancel: 'FAILURE', placement: 'FAILURE', whyNot });
    const { venue } = await scripted(replace, reply);
    expect(await venue.replaceOrder(replacement)).toMatchObject({
      canceled: { outcome: 'UNKNOWN', venueCode: -2011, detail: '-2011 Unknown order sent.', httpStatus: 409 },
      placed: { outcome: 'REJECTED', venueCode: -2010, detail: expect.stringContaining('insufficient balance') },
    });
  });

  test('F20: over the order count it holds back placements, and nobody is kept from looking', async () => {
    const tooMany = { code: -1015, msg: 'Too many new orders; current limit is 50 orders per 10 SECOND.' };
    const reply = replaceRefused(429, -2021, { cancel: 'SUCCESS', placement: 'FAILURE', whyNot: tooMany });
    const { venue, server } = await scripted(replace, reply);
    const result = await venue.replaceOrder(replacement);
    expect(result.placed.retryAtMs).toBeGreaterThan(Date.now());
    const again = await venue.replaceOrder(replacement);
    expect([again.canceled.outcome, again.placed.outcome]).toEqual(['THROTTLED', 'THROTTLED']);
    expect(server.requestsTo(replace)).toHaveLength(1);
    await venue.findOrder(replaced);
    expect(server.requestsTo('GET /api/v3/order')).toHaveLength(1);
  });
});

describe('cancelAllOf', () => {
  const route = 'DELETE /api/v3/openOrders';

  test.each<[name: string, reply: Reply, outcome: string, orders: number]>([
    ['names what was canceled', ok([canceled(), canceled({ origClientOrderId: 'rte-b' })]), 'ACCEPTED', 2],
    ['takes nothing open for a success', says(-2011, 'Unknown order sent.'), 'ACCEPTED', 0],
    ['is in doubt where an order is of another symbol', ok([canceled({ symbol: 'ETHUSDT' })]), 'UNKNOWN', 0],
    ['is in doubt where an order can not be read', ok([canceled({ status: 'PONDERED' })]), 'UNKNOWN', 0],
    ['is in doubt after a page', ok('<html/>'), 'UNKNOWN', 0],
    [
      'is in doubt where nothing open comes from a failing server',
      says(-2011, 'Unknown order sent.', 503),
      'UNKNOWN',
      0,
    ],
    ['is in doubt without an answer', 'hang', 'UNKNOWN', 0],
    ['waits for a limit', says(-1003, 'Too much', 429), 'THROTTLED', 0],
    ['was not allowed', says(-2010, 'This action is disabled on this account.'), 'FATAL_CONFIG', 0],
  ])('%s', async (_name, reply, outcome, orders) => {
    const { venue, server } = await scripted(route, reply);
    const result = await venue.cancelAllOf('BTC/USDT');
    expect({ outcome: result.outcome, orders: result.orders.length }).toEqual({ outcome, orders });
    expect(server.requestsTo(route)).toHaveLength(1);
    expect(server.requestsTo(route)[0]?.parameters['symbol']).toBe('BTCUSDT');
  });
});
