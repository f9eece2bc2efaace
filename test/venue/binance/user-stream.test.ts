import pino from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { createScrubber } from '../../../src/observability/scrubber.ts';
import { createSigner, signedParameters } from '../../../src/venue/binance/sign.ts';
import { openUserStream } from '../../../src/venue/binance/user-stream.ts';
import { systemClock } from '../../../src/venue/clock.ts';
import type { UserDataEvent } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { type ScriptedStream, startScriptedStream } from '../support/scripted-stream.ts';
import { soon } from '../support/soon.ts';

const keep = keepUntilTheEnd();

const venueNowMs = 1_795_262_400_000;

type Answer = (message: Record<string, unknown>) => object | null;
const accept: Answer = ({ id }) => ({ id, status: 200, result: { subscriptionId: 0 } });

async function aStream(onMessage: Answer = accept) {
  const server: ScriptedStream = await startScriptedStream({ onMessage });
  const events: UserDataEvent[] = [];
  const known = new Map([['BTCUSDT', 'BTC/USDT']]);
  const expireClock = vi.fn();
  const stream = openUserStream(
    {
      wsApiUrl: `${server.url}/ws-api/v3`,
      apiKey: 'the-key',
      signer: createSigner('the-secret'),
      clock: { ...systemClock, nowMs: () => 42 },
      venueClock: {
        nowMs: async () => venueNowMs,
        offsetMs: async () => 0,
        refused: expireClock,
        confirmed: () => undefined,
        state: () => ({ isUsable: true, offsetMs: 0, uncertaintyMs: 0, refusalsInARow: 0 }),
      },
      names: {
        load: async () => undefined,
        nameOf: (symbol) => known.get(symbol),
        expire: () => undefined,
      },
      logger: pino({ level: 'silent' }),
      scrub: createScrubber(['the-key']),
      timings: { pingMs: 20, backoffMs: [10, 20], stableMs: 0 },
    },
    (event) => events.push(event),
  );
  keep(server);
  keep(stream);
  return { server, events, expireClock };
}

async function aSubscribedStream() {
  const stream = await aStream();
  await soon(() => expect(stream.events).toEqual([{ type: 'connected' }]));
  return stream;
}

/** A partial fill, as the venue's documentation words it. */
const executionReport = (change: object = {}) => ({
  subscriptionId: 0,
  event: {
    e: 'executionReport',
    E: 1_795_262_400_300,
    s: 'BTCUSDT',
    c: 'rte-a',
    S: 'BUY',
    o: 'LIMIT',
    f: 'GTC',
    q: '0.50000000',
    p: '46210.50000000',
    P: '0.00000000',
    F: '0.00000000',
    g: -1,
    C: '',
    x: 'TRADE',
    X: 'PARTIALLY_FILLED',
    r: 'NONE',
    i: 28,
    l: '0.10000000',
    z: '0.30000000',
    L: '46210.00000000',
    n: '0.00010000',
    N: 'BTC',
    T: 1_795_262_400_299,
    t: 58,
    I: 8641984,
    w: true,
    m: true,
    M: false,
    O: 1_795_262_400_200,
    Z: '13863.10000000',
    Y: '4621.00000000',
    Q: '0.00000000',
    V: 'NONE',
    ...change,
  },
});

test('subscribes by a signature over the sorted parameters', async () => {
  const { server } = await aSubscribedStream();
  const params = signedParameters({ apiKey: 'the-key', timestamp: venueNowMs }, createSigner('the-secret'));
  expect(server.paths).toEqual(['/ws-api/v3']);
  expect(server.received).toEqual([{ id: expect.any(String), method: 'userDataStream.subscribe.signature', params }]);
});

describe('executionReport', () => {
  test('of a trade is the order with its cumulative quantities, and the one fill', async () => {
    const { server, events } = await aSubscribedStream();
    server.send(executionReport());
    await soon(() => expect(events).toHaveLength(2));
    expect(events[1]).toEqual({
      type: 'order',
      order: {
        clientOrderId: 'rte-a',
        venueOrderId: '28',
        symbol: 'BTC/USDT',
        side: 'BUY',
        quantity: '0.5',
        stopPrice: null,
        report: { status: 'partiallyFilled', filledQuantity: '0.3', filledQuote: '13863.1' },
        fills: [
          {
            venueTradeId: '58',
            quantity: '0.1',
            price: '46210',
            quoteQuantity: '4621',
            fee: '0.0001',
            feeAsset: 'BTC',
            isMaker: true,
            transactedAtMs: 1_795_262_400_299,
          },
        ],
        observedAtMs: 42,
      },
    });
  });

  const quiet = { t: -1, l: '0', L: '0', Y: '0', n: '0', N: null, m: false };
  test.each([
    [
      'a new order',
      { ...quiet, x: 'NEW', X: 'NEW', z: '0', Z: '0' },
      { clientOrderId: 'rte-a', report: { status: 'new' } },
    ],
    [
      'a cancel, which goes by the id that it is for',
      { ...quiet, x: 'CANCELED', X: 'CANCELED', c: 'the-cancel', C: 'rte-a' },
      { clientOrderId: 'rte-a', report: { status: 'canceled', filledQuantity: '0.3' } },
    ],
    [
      'an expiry with something filled',
      { ...quiet, x: 'EXPIRED', X: 'EXPIRED', eR: 'INSUFFICIENT_LIQUIDITY' },
      { report: { status: 'expired', filledQuantity: '0.3' }, reason: 'INSUFFICIENT_LIQUIDITY' },
    ],
    [
      'self-trade prevention',
      { ...quiet, x: 'TRADE_PREVENTION', X: 'EXPIRED_IN_MATCH' },
      { report: { status: 'expired' }, reason: 'EXPIRED_IN_MATCH' },
    ],
    [
      'a rejection',
      { ...quiet, x: 'REJECTED', X: 'REJECTED', r: 'INSUFFICIENT_BALANCES', z: '0', Z: '0' },
      { report: { status: 'rejected' }, reason: 'INSUFFICIENT_BALANCES' },
    ],
  ])('of %s carries no fill', async (_name, change, expected) => {
    const { server, events } = await aSubscribedStream();
    server.send(executionReport(change));
    await soon(() => expect(events).toHaveLength(2));
    expect(events[1]).toMatchObject({ type: 'order', order: { ...expected, fills: [] } });
  });

  test.each([
    ['with a quantity that is none', { z: 'NaN' }],
    ['with a status nobody knows', { X: 'PONDERED' }],
    ['without an id', { i: null }],
    ['for a symbol nobody knows', { s: 'NEWONE' }],
  ])('%s starts the stream again, so that it is read over REST', async (_name, change) => {
    const { server, events } = await aSubscribedStream();
    server.send(executionReport(change));
    await server.connected(2);
    await soon(() => expect(events.map(({ type }) => type)).toEqual(['connected', 'disconnected', 'connected']));
  });
});

test('balances are those that changed', async () => {
  const { server, events } = await aSubscribedStream();
  const B = [{ a: 'USDT', f: '9999.50000000', l: '0.50000000' }];
  server.send({ subscriptionId: 0, event: { e: 'outboundAccountPosition', E: 2, u: 1, B } });
  await soon(() => expect(events).toHaveLength(2));
  expect(events[1]).toEqual({
    type: 'balances',
    balances: [{ asset: 'USDT', free: '9999.5', locked: '0.5' }],
    updatedAtMs: 1,
  });
});

test('other events are left alone', async () => {
  const { server, events } = await aSubscribedStream();
  server.send({ subscriptionId: 0, event: { e: 'balanceUpdate', E: 1, a: 'BTC', d: '1', T: 1 } });
  server.send({ subscriptionId: 0, event: { e: 'listStatus', E: 1 } });
  server.send(executionReport());
  await soon(() => expect(events).toHaveLength(2));
  expect(events.map(({ type }) => type)).toEqual(['connected', 'order']);
});

test.each<[string, (server: ScriptedStream) => void]>([
  ['the connection closes', (server) => server.connections[0]?.close()],
  [
    'the subscription ends',
    (server) => server.send({ subscriptionId: 0, event: { e: 'eventStreamTerminated', E: 1 } }),
  ],
  ['the venue says good-bye', (server) => server.send({ event: { e: 'serverShutdown', E: 1 } })],
  ['a message is none', (server) => server.send('{"subscriptionId":0,"event":{"e":"executionRep')],
  [
    'the key is revoked',
    (server) => server.send({ id: null, status: 401, error: { code: -2015, msg: 'Invalid key' } }),
  ],
])('says so and comes back when %s', async (_name, end) => {
  const { server, events } = await aSubscribedStream();
  end(server);
  await server.connected(2);
  await soon(() => expect(events.map(({ type }) => type)).toEqual(['connected', 'disconnected', 'connected']));
  server.connections[1]?.send(JSON.stringify(executionReport()));
  await soon(() => expect(events).toHaveLength(4));
});

test('a refused subscription is tried again, with the clock measured anew', async () => {
  let tries = 0;
  const { events, expireClock } = await aStream((message) => {
    tries += 1;
    return tries === 1
      ? { id: message['id'], status: 400, error: { code: -1021, msg: 'Timestamp …' } }
      : accept(message);
  });
  await soon(() => expect(events.map(({ type }) => type)).toEqual(['disconnected', 'connected']));
  expect(expireClock).toHaveBeenCalledTimes(1);
});

test('F83: a refusal that quotes the key says why the stream is down without it', async () => {
  const { events } = await aStream(({ id }) => ({ id, status: 401, error: { code: -2015, msg: 'not for the-key' } }));
  await soon(() =>
    expect(events[0]).toEqual({
      type: 'disconnected',
      detail: 'subscription refused: 401 -2015 not for [redacted]',
    }),
  );
});
