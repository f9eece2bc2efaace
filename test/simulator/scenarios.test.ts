import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { scenarios } from '../../src/simulator/scenarios/catalog.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import { aVenue, clientOf, closeAll, control, openStream, openUserStream } from './venue-client.ts';

afterEach(closeAll);

async function play(venue: Simulator, name: string, parameters: Record<string, unknown> = {}) {
  const seen = await control(venue, 'POST', '/__sim/trigger', { name, ...parameters });
  expect({ name, status: seen.status, problem: seen.body.problem }).toEqual({ name, status: 200 });
  return seen.body;
}

const aVirtualVenue = (options: Partial<Extract<SimulatorOptions, { replay: 'manual' }>> = {}) =>
  aVenue({ virtualClockAtMs: 1_000_000, ...options });

const statusesOf = ({ exchange }: Simulator) => [...exchange.books.orders.values()].map(({ status }) => status);
const answered = (request: Promise<{ status: number }>) =>
  request.then(
    ({ status }) => status,
    () => 'nothing',
  );

/** The reports on the user stream after `work`, by execution type. */
async function reportsDuring(
  venue: Simulator,
  count: number,
  work: () => Promise<unknown>,
): Promise<readonly string[]> {
  const user = await openUserStream(venue);
  await work();
  const reports = () => user.frames.flatMap(({ event }) => (event?.e === 'executionReport' ? [event.x as string] : []));
  await expect.poll(() => reports().length).toBe(count);
  user.close();
  return reports();
}

/** What each scenario is seen to do to a venue. */
const effects: Readonly<Record<string, () => Promise<void>>> = {
  async 'response-lost'() {
    const venue = await aVirtualVenue();
    await play(venue, 'response-lost', { times: 2 });
    const client = clientOf(venue);
    const ends = [
      await answered(client.buy('0.01')),
      await answered(client.buy('0.01')),
      await answered(client.buy('0.01')),
    ];
    expect(ends).toEqual(['nothing', 'nothing', 200]);
    expect(statusesOf(venue)).toEqual(['FILLED', 'FILLED', 'FILLED']);
  },
  async 'lookup-lag'() {
    const venue = await aVirtualVenue();
    await play(venue, 'lookup-lag', { lagMs: 2_000 });
    const client = clientOf(venue);
    expect(await answered(client.buy('0.01', { newClientOrderId: 'x' }))).toBe('nothing');
    expect((await client.find({ origClientOrderId: 'x' })).body.code).toBe(-2013);
    venue.clock.shift(2_000);
    expect((await client.find({ origClientOrderId: 'x' })).body.status).toBe('FILLED');
  },
  async 'venue-error'() {
    const venue = await aVirtualVenue();
    const client = clientOf(venue);
    await play(venue, 'venue-error', { status: 503, code: -1008, taken: 'no' });
    const seen = await client.buy('0.01');
    expect([seen.status, seen.body.code, statusesOf(venue)]).toEqual([503, -1008, []]);
    await play(venue, 'venue-error');
    expect((await client.buy('0.01')).body.code).toBe(-1007);
    expect(statusesOf(venue)).toEqual(['FILLED']);
  },
  async 'rate-limit'() {
    const venue = await aVirtualVenue();
    await play(venue, 'rate-limit');
    expect((await clientOf(venue).get('/api/v3/time')).status).toBe(429);
    venue.clock.shift(60_000);
    expect((await clientOf(venue).get('/api/v3/time')).status).toBe(200);
  },
  async 'order-limit'() {
    const venue = await aVirtualVenue();
    await play(venue, 'order-limit', { forMs: 15_000 });
    const seen = await clientOf(venue).buy('0.01');
    expect([seen.status, seen.body.code, seen.headers.get('retry-after')]).toEqual([429, -1015, '15']);
    venue.clock.shift(15_000);
    expect((await clientOf(venue).buy('0.01')).status).toBe(200);
  },
  async ban() {
    const venue = await aVirtualVenue();
    await play(venue, 'ban');
    expect((await clientOf(venue).get('/api/v3/time')).status).toBe(418);
  },
  async firewall() {
    const venue = await aVirtualVenue();
    await play(venue, 'firewall');
    expect((await fetch(`${venue.url}/api/v3/time`)).status).toBe(403);
  },
  async blackout() {
    const venue = await aVirtualVenue();
    await play(venue, 'blackout');
    expect((await fetch(`${venue.url}/api/v3/time`)).status).toBe(503);
  },
  async 'clock-skew'() {
    const venue = await aVenue();
    await play(venue, 'clock-skew', { skewMs: -60_000 });
    expect(venue.clock.nowMs() - Date.now()).toBeLessThan(-59_000);
    expect((await clientOf(venue).buy('0.01', { timestamp: Date.now() })).body.code).toBe(-1021);
    await control(venue, 'POST', '/__sim/clear');
    expect(venue.clock.nowMs() - Date.now()).toBeGreaterThan(-1_000);
    const still = await aVirtualVenue();
    expect((await control(still, 'POST', '/__sim/trigger', { name: 'clock-skew' })).status).toBe(400);
  },
  async 'key-revoked'() {
    const venue = await aVirtualVenue();
    await play(venue, 'key-revoked', { forMs: 5_000 });
    expect((await clientOf(venue).buy('0.01')).body.code).toBe(-2015);
    venue.clock.shift(5_000);
    expect((await clientOf(venue).buy('0.01')).status).toBe(200);
  },
  async 'thin-book'() {
    const venue = await aVirtualVenue();
    await play(venue, 'thin-book');
    expect((await clientOf(venue).buy('2')).body).toMatchObject({ status: 'EXPIRED', executedQty: '1.00000000' });
  },
  async 'symbol-halted'() {
    const venue = await aVirtualVenue();
    await play(venue, 'symbol-halted', { symbol: 'BTC/USDT', status: 'BREAK' });
    expect((await clientOf(venue).buy('0.01')).body.msg).toBe('Market is closed.');
    venue.clock.shift(60_000);
    expect((await clientOf(venue).buy('0.01')).status).toBe(200);
  },
  async 'filters-changed'() {
    const venue = await aVirtualVenue();
    const { market } = venue.exchange.venue('BTCUSDT');
    await play(venue, 'filters-changed', { factor: 100 });
    expect((await clientOf(venue).buy('0.01001')).body.msg).toBe('Filter failure: LOT_SIZE');
    venue.clock.shift(300_000);
    expect(venue.exchange.venue('BTCUSDT').market).toEqual(market);
  },
  async 'flash-crash'() {
    const venue = await startSimulator({ replay: 'generator', virtualClockAtMs: 1_000_000 });
    await control(venue, 'POST', '/__sim/tick', { price: '46000' });
    await play(venue, 'flash-crash', { percent: 25, holdMs: 2_000 });
    const last = () => venue.exchange.venue('BTCUSDT').quotes?.last;
    expect(last()).toBe('34500');
    venue.clock.shift(1_999);
    expect(last()).toBe('34500');
    venue.clock.shift(2_000);
    expect(Number(last())).toBeGreaterThan(40_000);
    await venue.close();
  },
  async 'bad-ticks'() {
    const venue = await aVirtualVenue();
    const stream = await openStream(`${venue.wsUrl}/stream?streams=btcusdt@trade/btcusdt@bookTicker`);
    const other = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    await play(venue, 'bad-ticks');
    for (let index = 0; index < 7; index += 1) venue.tick({ price: '46000' });
    const of = (kind: string) =>
      stream.frames.filter((frame) => frame.stream === `btcusdt@${kind}`).map(({ data }) => data);
    await expect.poll(() => of('bookTicker').length).toBe(7);
    expect(of('trade').map(({ p }) => p)).toEqual(['NaN', '', '0', '-1', '460000', '460', '46000.00000000']);
    expect(of('trade').map(({ t }) => t)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    await expect.poll(() => other.frames.length).toBe(7);
    expect(other.frames.map(({ p }) => p)).toEqual(of('trade').map(({ p }) => p));
    other.close();
    expect(of('bookTicker').map(({ b, a }) => Number(b) > Number(a))).toEqual([true, ...Array(6).fill(false)]);
    stream.close();
  },
  async 'stream-cut'() {
    const venue = await aVirtualVenue();
    const market = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const user = await openUserStream(venue);
    const closed = once(user.socket, 'close');
    await play(venue, 'stream-cut', { streams: 'user' });
    expect((await closed)[0]).toBe(1001);
    expect(market.socket.readyState).toBe(market.socket.OPEN);
    market.close();
  },
  async 'stream-gap'() {
    const venue = await aVirtualVenue();
    const seen = await reportsDuring(venue, 2, async () => {
      await play(venue, 'stream-gap', { frames: 2 });
      for (const quantity of ['0.01', '0.02']) await clientOf(venue).buy(quantity);
    });
    expect(seen).toEqual(['NEW', 'TRADE']);
  },
  async 'stream-duplicates'() {
    const venue = await aVirtualVenue();
    const seen = await reportsDuring(venue, 4, async () => {
      await play(venue, 'stream-duplicates');
      await clientOf(venue).buy('0.01');
    });
    expect(seen).toEqual(['NEW', 'NEW', 'TRADE', 'TRADE']);
  },
  async 'stream-reorder'() {
    const venue = await aVirtualVenue();
    const seen = await reportsDuring(venue, 2, async () => {
      await play(venue, 'stream-reorder', { frames: 2 });
      await clientOf(venue).buy('0.01');
    });
    expect(seen).toEqual(['TRADE', 'NEW']);
  },
  async silence() {
    const venue = await aVirtualVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    await play(venue, 'silence', { forMs: 1_000 });
    venue.tick({ price: '46001' });
    venue.clock.shift(1_000);
    venue.tick({ price: '46002' });
    expect((await stream.until(() => true)).t).toBe(3);
    stream.close();
  },
  async 'partial-fill'() {
    const venue = await aVirtualVenue();
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '45000');
    await play(venue, 'partial-fill', { percent: 25 });
    expect(venue.exchange.books.order(1)).toMatchObject({ status: 'PARTIALLY_FILLED', filledQuantity: '0.0025' });
    await play(venue, 'partial-fill', { percent: 50 });
    await client.buy('0.01');
    await client.limit('BUY', '0.01', '45000');
    venue.clock.shift(1);
    expect(venue.exchange.books.order(3)).toMatchObject({ status: 'PARTIALLY_FILLED', filledQuantity: '0.005' });
    await client.limit('BUY', '0.01', '45000');
    venue.clock.shift(1);
    expect(venue.exchange.books.order(4).status).toBe('NEW');
  },
  async 'external-order'() {
    const venue = await aVirtualVenue();
    await play(venue, 'external-order', { percent: 20 });
    expect([...venue.exchange.books.orders.values()]).toMatchObject([
      { origin: 'external', status: 'NEW', side: 'BUY', limitPrice: '36800', requestId: null },
    ]);
    const refused = await control(venue, 'POST', '/__sim/trigger', { name: 'external-order', side: 'SELL' });
    expect(refused.body.problem).toContain('insufficient balance');
  },
  async 'external-withdrawal'() {
    const venue = await aVirtualVenue();
    await play(venue, 'external-withdrawal', { percent: 40 });
    expect(venue.exchange.books.balance('USDT').free).toBe('60000');
    await play(venue, 'external-withdrawal', { percent: 100 });
    expect((await control(venue, 'POST', '/__sim/trigger', { name: 'external-withdrawal' })).status).toBe(400);
  },
  async 'self-trade'() {
    const venue = await aVirtualVenue({ deposits: { USDT: '100000', BTC: '1' } });
    await play(venue, 'self-trade');
    const sale = { side: 'SELL', type: 'MARKET', quantity: '0.01' };
    expect((await clientOf(venue).order(sale)).body.status).toBe('FILLED');
    expect(statusesOf(venue)).toEqual(['EXPIRED_IN_MATCH', 'FILLED']);
  },
};

describe('every scenario does at the venue what it says', () => {
  test.each([...scenarios.keys()])('%s', async (name) => {
    expect(Object.keys(effects)).toContain(name);
    await effects[name]?.();
  });
});

describe('scenarios', () => {
  test('are listed with their parameters', async () => {
    const { body } = await control(await aVirtualVenue(), 'GET', '/__sim/scenarios');
    expect(body.scenarios.map(({ name }: { name: string }) => name)).toEqual([...scenarios.keys()]);
    expect(body.scenarios[0]).toMatchObject({
      parameters: [{ name: 'times', default: 1, allowed: 'a whole number from 1 to 1000' }, { name: 'forMs' }],
    });
  });

  test('with what they take by themselves are within what they allow', () => {
    for (const { name, parameters } of scenarios.values()) {
      for (const [each, { standard, isAllowed }] of Object.entries(parameters)) {
        expect([name, each, isAllowed(standard)]).toEqual([name, each, true]);
      }
    }
  });

  test('end with the clearing, whatever they changed', async () => {
    const venue = await aVenue({ deposits: { USDT: '100000', BTC: '1' } });
    const { market } = venue.exchange.venue('BTCUSDT');
    // Those that place an order come before those that let the venue take none.
    for (const name of [...scenarios.keys()].reverse()) await play(venue, name);
    await control(venue, 'POST', '/__sim/clear');
    const { body } = await control(venue, 'GET', '/__sim/plan');
    expect(body.rules).toEqual([]);
    expect(venue.exchange.venue('BTCUSDT').market).toEqual(market);
    expect(Math.abs(venue.clock.nowMs() - Date.now())).toBeLessThan(1_000);
    expect((await control(venue, 'GET', '/__sim/state')).body.troubles).toEqual([]);
  });

  test.each([
    { name: 'nothing', given: {}, status: 404, problem: 'no scenario undefined' },
    { name: 'one that there is not', given: { name: 'earthquake' }, status: 404, problem: 'no scenario earthquake' },
    {
      name: 'a parameter that it has not',
      given: { name: 'ban', ms: 1 },
      status: 400,
      problem: 'ban has no ms: it has forMs',
    },
    {
      name: 'a number that is none',
      given: { name: 'flash-crash', percent: 'half' },
      status: 400,
      problem: 'percent is a whole number from 1 to 99',
    },
    {
      name: 'a choice that there is not',
      given: { name: 'silence', streams: 'none' },
      status: 400,
      problem: 'streams is market, user, all',
    },
    {
      name: 'a symbol that the venue has not',
      given: { name: 'thin-book', symbol: 'DOGE/USDT' },
      status: 400,
      problem: 'symbol is one of BTCUSDT',
    },
  ])('$name is refused', async ({ given, status, problem }) => {
    const seen = await control(await aVirtualVenue(), 'POST', '/__sim/trigger', given);
    expect([seen.status, seen.body.problem]).toEqual([status, problem]);
  });

  test('that start from a price are refused where there is none', async () => {
    const venue = await aVenue({ markets: [{ symbol: 'BTC/USDT' }] });
    const { body } = await control(venue, 'POST', '/__sim/trigger', { name: 'flash-crash' });
    expect(body.problem).toContain('has not traded yet');
  });
});
