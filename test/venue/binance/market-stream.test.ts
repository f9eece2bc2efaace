import { describe, expect, test, vi } from 'vitest';
import { openMarketStream } from '../../../src/venue/binance/market-stream.ts';
import { systemClock } from '../../../src/venue/clock.ts';
import type { MarketDataEvent } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { type ScriptedStream, startScriptedStream } from '../support/scripted-stream.ts';

const keep = keepUntilTheEnd();

async function aStream(symbols: readonly string[] = ['BTC/USDT']) {
  const server: ScriptedStream = await startScriptedStream();
  const events: MarketDataEvent[] = [];
  const timings = { pingMs: 20, backoffMs: [10, 20], stableMs: 0 };
  const stream = openMarketStream({ streamUrl: server.url, symbols, clock: systemClock, timings }, (event) =>
    events.push(event),
  );
  keep(server);
  keep(stream);
  await server.connected(1);
  const told = () => events.filter(({ type }) => type !== 'alive');
  return { server, events, told };
}

const trade = (change: object = {}) => ({
  stream: 'btcusdt@trade',
  data: {
    e: 'trade',
    E: 3,
    s: 'BTCUSDT',
    t: 12345,
    p: '46210.50',
    q: '0.0125',
    T: 1_795_262_400_000,
    m: true,
    ...change,
  },
});

test('asks for all symbols on one connection', async () => {
  const { server } = await aStream(['BTC/USDT', 'XRP/ETH']);
  expect(server.paths).toEqual(['/stream?streams=btcusdt@trade/xrpeth@trade']);
});

test('reads trades', async () => {
  const { server, told } = await aStream();
  server.send(trade());
  await vi.waitFor(() => expect(told()).toHaveLength(2));
  expect(told()).toEqual([
    { type: 'connected' },
    {
      type: 'trade',
      trade: {
        symbol: 'BTC/USDT',
        venueTradeId: 12345,
        price: '46210.5',
        quantity: '0.0125',
        tradedAtMs: 1_795_262_400_000,
      },
    },
  ]);
});

describe('a message that can not be a price', () => {
  test.each<[string, object | string]>([
    ['a price that is not a number', trade({ p: 'NaN' })],
    ['an infinite price', trade({ p: 'Infinity' })],
    ['a price of zero', trade({ p: '0.00' })],
    ['a negative price', trade({ p: '-1' })],
    ['a price in exponent notation', trade({ p: '1e400' })],
    ['no price', trade({ p: null })],
    ['an empty price', trade({ p: '' })],
    ['a price that is a JSON number', trade({ p: 46210.5 })],
    ['a quantity of zero', trade({ q: '0' })],
    ['a trade id that is none', trade({ t: 1.5 })],
    ['a trade of a symbol nobody asked for', trade({ s: 'ETHUSDT' })],
    ['another event', trade({ e: 'bookTicker' })],
    ['a list', '[1,2,3]'],
    ['null', 'null'],
    ['half a message', '{"stream":"btcusdt@trade","data":{"e":"tra'],
  ])('is set aside: %s', async (_name, message) => {
    const { server, told } = await aStream();
    server.send(message);
    server.send(trade());
    await vi.waitFor(() => expect(told()).toHaveLength(3));
    expect(told().map(({ type }) => type)).toEqual(['connected', 'malformed', 'trade']);
  });
});

test('the answer to a subscription is neither a price nor a fault', async () => {
  const { server, told } = await aStream();
  server.send({ result: null, id: 1 });
  server.send(trade());
  await vi.waitFor(() => expect(told()).toHaveLength(2));
  expect(told().map(({ type }) => type)).toEqual(['connected', 'trade']);
});

test('a quiet market is alive: the pings are answered', async () => {
  const { events, told } = await aStream();
  await vi.waitFor(() => expect(events.filter(({ type }) => type === 'alive').length).toBeGreaterThan(2));
  expect(told()).toEqual([{ type: 'connected' }]);
});

test.each<[string, (server: ScriptedStream) => void]>([
  ['the server closes', (server) => server.connections[0]?.close()],
  ['the connection breaks', (server) => server.connections[0]?.terminate()],
  [
    'the venue says good-bye',
    (server) => server.send({ stream: '!serverShutdown', data: { e: 'serverShutdown', E: 1 } }),
  ],
])('comes back when %s', async (_name, end) => {
  const { server, told } = await aStream();
  await vi.waitFor(() => expect(told()).toHaveLength(1));
  end(server);
  await server.connected(2);
  await vi.waitFor(() => expect(told()).toHaveLength(3));
  server.connections[1]?.send(JSON.stringify(trade()));
  await vi.waitFor(() => expect(told()).toHaveLength(4));
  expect(told().map(({ type }) => type)).toEqual(['connected', 'disconnected', 'connected', 'trade']);
});
