import { createServer, type Server } from 'node:net';
import { Writable } from 'node:stream';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import type { Venue } from '../../../src/venue/venue.ts';
import { intended as order, described as placed } from '../contract/answers.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { aVenue, ok, type Reply, refuse, type ScriptedVenue, startScriptedVenue } from '../support/scripted-venue.ts';

const place = 'POST /api/v3/order';
const cancel = 'DELETE /api/v3/order';
const look = 'GET /api/v3/order';

const keep = keepUntilTheEnd();

async function scripted(route: string, reply: Reply): Promise<{ venue: Venue; server: ScriptedVenue }> {
  const server = await startScriptedVenue({ [route]: () => reply });
  const venue = aVenue({ url: server.url, requestTimeoutMs: 300 });
  keep(server);
  keep(venue);
  return { venue, server };
}

describe('placeOrder', () => {
  test('sends the intent as it was written, signed with its own time, in the body', async () => {
    const { venue, server } = await scripted(place, ok(placed()));
    await venue.placeOrder(order, 'entry');
    const [request] = server.requestsTo(place);
    expect(request?.parameters).toEqual({
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.5',
      price: '46210.5',
      newClientOrderId: 'rte-a',
      newOrderRespType: 'FULL',
      selfTradePreventionMode: 'EXPIRE_TAKER',
      recvWindow: '3000',
      timestamp: '1795262400123',
      signature: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(request?.headers['x-mbx-apikey']).toBe('key-canary');
    expect(request?.url).toBe('/api/v3/order');
  });

  test('sends a market order without price and time in force', async () => {
    const { venue, server } = await scripted(place, ok(placed()));
    await venue.placeOrder({ ...order, orderType: 'MARKET', timeInForce: null, limitPrice: null }, 'exit');
    const sent = server.requestsTo(place)[0]?.parameters;
    expect(sent).toMatchObject({ type: 'MARKET' });
    expect(sent).not.toHaveProperty('price');
    expect(sent).not.toHaveProperty('timeInForce');
  });

  test('sends a stop as one that is refused rather than taken for a profit', async () => {
    const stop = {
      orderType: 'STOP_LIMIT',
      side: 'SELL',
      stopPrice: decimal('45000'),
      limitPrice: decimal('44900'),
    } as const;
    const { venue, server } = await scripted(place, ok(placed({ side: 'SELL', stopPrice: '45000.00000000' })));
    const result = await venue.placeOrder({ ...order, ...stop }, 'exit');
    expect(server.requestsTo(place)[0]?.parameters).toMatchObject({
      type: 'STOP_LOSS_LIMIT',
      timeInForce: 'GTC',
      price: '44900',
      stopPrice: '45000',
    });
    expect(result.order?.stopPrice).toBe('45000');
  });

  test.each([
    ['a limit order without a price', { limitPrice: null }],
    ['a market order with one', { orderType: 'MARKET' }],
    ['a stop without a stop price', { orderType: 'STOP_LIMIT' }],
    ['a limit order with a stop price', { stopPrice: decimal('1') }],
  ] as const)('refuses %s as a bug of ours', async (_name, change) => {
    const { venue, server } = await scripted(place, ok(placed()));
    await expect(venue.placeOrder({ ...order, ...change }, 'entry')).rejects.toThrow();
    expect(server.requests).toEqual([]);
  });

  test('answers with the order and the fills that add up', async () => {
    const fills = [
      { price: '46210.50', qty: '0.2', commission: '0.0002', commissionAsset: 'BTC', tradeId: 57 },
      { price: '46210.00', qty: '0.1', commission: '0.0001', commissionAsset: 'BTC', tradeId: 58 },
    ];
    const body = placed({ status: 'PARTIALLY_FILLED', executedQty: '0.3', cummulativeQuoteQty: '13863.1', fills });
    const { venue } = await scripted(place, ok(body));
    const result = await venue.placeOrder(order, 'entry');
    expect(result).toMatchObject({
      outcome: 'ACCEPTED',
      httpStatus: 200,
      order: {
        clientOrderId: 'rte-a',
        venueOrderId: '28',
        symbol: 'BTC/USDT',
        side: 'BUY',
        quantity: '0.5',
        report: { status: 'partiallyFilled', filledQuantity: '0.3', filledQuote: '13863.1' },
      },
    });
    expect(result.order?.fills).toEqual([
      {
        venueTradeId: '57',
        quantity: '0.2',
        price: '46210.5',
        quoteQuantity: '9242.1',
        fee: '0.0002',
        feeAsset: 'BTC',
        isMaker: false,
        transactedAtMs: 1_795_262_400_200,
      },
      expect.objectContaining({ venueTradeId: '58', quoteQuantity: '4621' }),
    ]);
  });

  test('leaves the fills to the look-up when they do not add up', async () => {
    const fills = [{ price: '46210.50', qty: '0.2', commission: '0', commissionAsset: 'BTC', tradeId: 57 }];
    const body = placed({ status: 'FILLED', executedQty: '0.5', cummulativeQuoteQty: '23105.25', fills });
    const { venue } = await scripted(place, ok(body));
    const result = await venue.placeOrder(order, 'entry');
    expect(result).toMatchObject({ outcome: 'ACCEPTED', order: { report: { filledQuantity: '0.5' }, fills: [] } });
  });

  test('an expired order may have filled', async () => {
    const body = placed({
      status: 'EXPIRED',
      executedQty: '0.2',
      cummulativeQuoteQty: '9242.1',
      expiryReason: 'INSUFFICIENT_LIQUIDITY',
    });
    const { venue } = await scripted(place, ok(body));
    expect((await venue.placeOrder(order, 'entry')).order).toMatchObject({
      report: { status: 'expired', filledQuantity: '0.2' },
      reason: 'INSUFFICIENT_LIQUIDITY',
    });
  });

  test('passes on when to come back', async () => {
    const { venue } = await scripted(place, refuse(429, -1003, 'Too much', { 'retry-after': '7' }));
    const beforeMs = Date.now();
    const { retryAtMs = 0, venueCode, httpStatus } = await venue.placeOrder(order, 'entry');
    expect({ venueCode, httpStatus }).toEqual({ venueCode: -1003, httpStatus: 429 });
    expect(retryAtMs).toBeGreaterThanOrEqual(beforeMs + 7000);
    expect(retryAtMs).toBeLessThanOrEqual(Date.now() + 7000);
  });

  test.each([
    ['a throttle', refuse(429, -1003, 'Too much'), true],
    ['too many orders', refuse(429, -1015, 'Too many new orders'), true],
    ['a ban', refuse(418, -1003, 'banned'), true],
    ['the firewall', { status: 403, body: '<html/>' } as const, true],
    ['an overload, after which the order can be looked up at once', refuse(503, -1008, 'Overloaded'), false],
  ])('says when to come back where the venue does not, after %s', async (_name, reply, says) => {
    const { venue } = await scripted(place, reply);
    const { retryAtMs } = await venue.placeOrder(order, 'entry');
    if (says) expect(retryAtMs).toBeGreaterThan(Date.now());
    else expect(retryAtMs).toBeUndefined();
  });

  test("takes the end of a ban from the venue's words", async () => {
    const endsAtMs = Date.now() + 99_000;
    const { venue } = await scripted(place, refuse(418, -1003, `Way too much; IP banned until ${endsAtMs}.`));
    expect((await venue.placeOrder(order, 'entry')).retryAtMs).toBe(endsAtMs);
  });

  test('does not leave, for a caller that has given up already', async () => {
    const { venue, server } = await scripted(place, ok(placed()));
    const result = await venue.placeOrder(order, 'entry', AbortSignal.abort());
    expect(result.outcome).toBe('NOT_SENT');
    expect(server.requests).toHaveLength(0);
  });
});

describe('before the first byte', () => {
  const unreachable = (url: string): Venue => {
    const venue = aVenue({ url, requestTimeoutMs: 500 });
    keep(venue);
    return venue;
  };

  test('a refused connection is definitely not sent', async () => {
    const server = await startScriptedVenue({});
    await server.close();
    expect(await unreachable(server.url).placeOrder(order, 'entry')).toMatchObject({ outcome: 'NOT_SENT' });
  });

  test('a name that nobody knows is definitely not sent', async () => {
    expect(await unreachable('http://venue.invalid').placeOrder(order, 'entry')).toMatchObject({ outcome: 'NOT_SENT' });
  });

  test('a handshake that fails is definitely not sent', async () => {
    const server = await startScriptedVenue({});
    keep(server);
    const result = await unreachable(server.url.replace('http:', 'https:')).placeOrder(order, 'entry');
    expect(result).toMatchObject({ outcome: 'NOT_SENT', detail: expect.stringMatching(/^tls/) });
  });

  test('a handshake that never ends is definitely not sent', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    keep({ close: () => void silent.close() });
    const { port } = silent.address() as { port: number };
    const result = await unreachable(`https://127.0.0.1:${port}`).placeOrder(order, 'entry');
    expect(result).toMatchObject({ outcome: 'NOT_SENT', detail: expect.stringMatching(/^timeout/) });
  });

  test('a connection that was good before and is reset now is in doubt', async () => {
    let answers = 0;
    const server = await startScriptedVenue({
      [place]: () => {
        answers += 1;
        return answers === 1 ? ok(placed()) : 'reset';
      },
    });
    keep(server);
    const venue = unreachable(server.url);
    expect((await venue.placeOrder(order, 'entry')).outcome).toBe('ACCEPTED');
    expect((await venue.placeOrder(order, 'entry')).outcome).toBe('UNKNOWN');
    expect(answers).toBe(2);
  });
});

describe('cancelOrder', () => {
  const canceled = (change: object = {}): Record<string, unknown> =>
    placed({
      origClientOrderId: 'rte-a',
      clientOrderId: 'the-cancel',
      status: 'CANCELED',
      executedQty: '0.1',
      ...change,
    });

  test("names the order that was canceled, not the cancel's own id", async () => {
    const { venue, server } = await scripted(cancel, ok(canceled({ cummulativeQuoteQty: '4621.05' })));
    const result = await venue.cancelOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' });
    expect(result.order).toMatchObject({
      clientOrderId: 'rte-a',
      report: { status: 'canceled', filledQuantity: '0.1', filledQuote: '4621.05' },
    });
    expect(server.requestsTo(cancel)[0]?.parameters).toMatchObject({ symbol: 'BTCUSDT', origClientOrderId: 'rte-a' });
  });
});

describe('findOrder', () => {
  test('knows no quote amount where the venue has none any more', async () => {
    const { venue } = await scripted(look, ok(placed({ status: 'CANCELED', cummulativeQuoteQty: '-1.00000000' })));
    expect(await venue.findOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' })).toMatchObject({
      order: { report: { status: 'canceled', filledQuote: '0' } },
    });
  });

  test('reports what the venue has', async () => {
    const body = placed({ status: 'PARTIALLY_FILLED', executedQty: '0.2', cummulativeQuoteQty: '9242.1' });
    const { venue } = await scripted(look, ok(body));
    expect(await venue.findOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' })).toMatchObject({
      outcome: 'found',
      order: {
        venueOrderId: '28',
        report: { status: 'partiallyFilled', filledQuantity: '0.2', filledQuote: '9242.1' },
      },
    });
  });
});

test('neither results nor logs show the secret, the key or a signature', async () => {
  const logged: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  for (const reply of ['reset', 'hang', ok('nonsense'), refuse(400, -1022, 'Signature is not valid.')] as const) {
    const server = await startScriptedVenue({ [place]: () => reply, [look]: () => reply });
    const logger = pino({ level: 'trace' }, stream);
    const venue = aVenue({ url: server.url, requestTimeoutMs: 100, logger });
    keep(server);
    keep(venue);
    const results = [
      await venue.placeOrder(order, 'entry'),
      await venue.findOrder({ symbol: 'BTC/USDT', clientOrderId: 'rte-a' }),
      await venue.balances().catch((error: Error) => `${error.stack} ${JSON.stringify(error)}`),
    ];
    const sent = server.requests.flatMap(({ parameters }) => parameters['signature'] ?? []);
    expect(sent.length).toBeGreaterThan(0);
    const shown = JSON.stringify(results) + logged.join('');
    for (const secret of ['secret-canary', 'key-canary', 'signature=', ...sent]) expect(shown).not.toContain(secret);
  }
  expect(logged.length).toBeGreaterThan(0);
});
