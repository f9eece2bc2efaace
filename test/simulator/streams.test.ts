import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { aVenue, clientOf, closeAll, openStream, openUserStream, signatureOf } from './venue-client.ts';

afterEach(closeAll);

describe('market streams', () => {
  test('a raw stream tells trades with their fields', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    venue.tick({ price: '46001', quantity: '0.5', aggressor: 'SELL' });
    const frame = await stream.until(({ e }) => e === 'trade');
    expect(frame).toEqual({
      e: 'trade',
      E: expect.any(Number),
      s: 'BTCUSDT',
      t: 2,
      p: '46001.00000000',
      q: '0.50000000',
      T: expect.any(Number),
      m: true,
      M: true,
    });
    stream.close();
  });

  test('a combined stream wraps trades and quotes in their names', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/stream?streams=btcusdt@trade/btcusdt@bookTicker`);
    venue.tick({ price: '46001' });
    expect((await stream.until(({ stream: name }) => name === 'btcusdt@trade')).data.p).toBe('46001.00000000');
    const quotes = await stream.until(({ stream: name }) => name === 'btcusdt@bookTicker');
    expect(quotes.data).toEqual({
      u: expect.any(Number),
      s: 'BTCUSDT',
      b: '46000.99000000',
      B: '50.00000000',
      a: '46001.00000000',
      A: '50.00000000',
    });
    stream.close();
  });

  test('subscriptions begin and end by message', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws`);
    stream.send({ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 });
    expect(await stream.until(({ id }) => id === 1)).toEqual({ result: null, id: 1 });
    venue.tick({ price: '46001' });
    await stream.until(({ t }) => t === 2);
    stream.send({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 });
    await stream.until(({ id }) => id === 2);
    venue.tick({ price: '46002' });
    stream.send({ method: 'LIST_SUBSCRIPTIONS', id: 3 });
    expect(await stream.until(({ id }) => id === 3)).toEqual({ result: [], id: 3 });
    expect(stream.frames.filter(({ e }) => e === 'trade')).toHaveLength(1);
    stream.close();
  });

  test("the account's own fills are on the tape that everybody sees", async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const { body } = await clientOf(venue).buy('0.01');
    expect(await stream.until(({ t }) => t === body.fills[0].tradeId)).toMatchObject({
      p: '46000.00000000',
      q: '0.01000000',
      m: false,
    });
    stream.close();
  });

  test('the venue pings, and cuts off who does not answer', async () => {
    const venue = await aVenue({ sockets: { pingEveryMs: 30, pongWithinMs: 600 } });
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const closed = once(stream.socket, 'close');
    await once(stream.socket, 'ping');
    stream.socket.pong = () => undefined;
    expect((await closed)[0]).toBe(1006);
  });

  test('a connection has a lifetime', async () => {
    const venue = await aVenue({ sockets: { lifetimeMs: 30 } });
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    expect((await once(stream.socket, 'close'))[0]).toBe(1000);
  });

  test('more than five messages in a second end the connection', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws`);
    for (let id = 1; id <= 12; id += 1) stream.send({ method: 'LIST_SUBSCRIPTIONS', id });
    expect((await once(stream.socket, 'close'))[0]).toBe(1008);
  });

  test('broken frames go out as they are', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    venue.sendRaw('{"e":"trade","p":"NaN"}');
    await stream.until(({ p }) => p === 'NaN');
    expect(stream.raw).toEqual(['{"e":"trade","p":"NaN"}']);
    stream.close();
  });

  test('a shutdown is announced on every stream', async () => {
    const venue = await aVenue();
    const raw = await openStream(`${venue.wsUrl}/ws/btcusdt@trade`);
    const combined = await openStream(`${venue.wsUrl}/stream?streams=btcusdt@trade`);
    const user = await openUserStream(venue);
    const ended = [raw, combined, user].map(({ socket }) => once(socket, 'close'));
    await venue.close();
    await Promise.all(ended);
    expect(raw.frames.at(-1)).toEqual({ e: 'serverShutdown', E: expect.any(Number) });
    expect(combined.frames.at(-1)).toEqual({
      stream: '!serverShutdown',
      data: { e: 'serverShutdown', E: expect.any(Number) },
    });
    expect(user.frames.at(-1)).toEqual({ event: { e: 'serverShutdown', E: expect.any(Number) } });
  });
});

describe('the user data stream', () => {
  test('tells an order from acceptance to its fills, and the balances', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    const { body } = await clientOf(venue).buy('0.01', { newClientOrderId: 'mine' });
    const position = await user.until(({ event }) => event?.e === 'outboundAccountPosition');
    expect(position.event.B).toEqual([
      { a: 'BTC', f: '0.00999000', l: '0.00000000' },
      { a: 'USDT', f: '99540.00000000', l: '0.00000000' },
    ]);
    const reports = user.frames.map(({ event }) => event).filter((event) => event?.e === 'executionReport');
    expect(reports.map(({ x, X }) => `${x} ${X}`)).toEqual(['NEW NEW', 'TRADE FILLED']);
    expect(reports[1]).toMatchObject({
      s: 'BTCUSDT',
      c: 'mine',
      C: '',
      S: 'BUY',
      o: 'MARKET',
      i: body.orderId,
      t: body.fills[0].tradeId,
      l: '0.01000000',
      L: '46000.00000000',
      Y: '460.00000000',
      z: '0.01000000',
      Z: '460.00000000',
      n: '0.00001000',
      N: 'BTC',
      m: false,
      w: false,
    });
    user.close();
  });

  test('gives every field that the exchange gives a plain order', async () => {
    const venue = await aVenue();
    const user = await openUserStream(venue);
    await clientOf(venue).buy('0.01');
    const { event } = await user.until((frame) => frame.event?.x === 'TRADE');
    const fields = 'e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q W V';
    expect(Object.keys(event).toSorted()).toEqual(fields.split(' ').toSorted());
    user.close();
  });

  test('names the cancel and the canceled order', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    const user = await openUserStream(venue);
    await client.limit('BUY', '0.1', '40000', { newClientOrderId: 'mine' });
    await client.cancel({ origClientOrderId: 'mine', newClientOrderId: 'the-cancel' });
    const { event } = await user.until((frame) => frame.event?.x === 'CANCELED');
    expect(event).toMatchObject({ c: 'the-cancel', C: 'mine', X: 'CANCELED', z: '0.00000000' });
    user.close();
  });

  test('says why an order expired, with what it had filled', async () => {
    const venue = await aVenue({
      markets: [{ symbol: 'BTC/USDT', price: '46000', rules: { levelsMax: 1 } }],
      deposits: { USDT: '10000000' },
    });
    const user = await openUserStream(venue);
    const { body } = await clientOf(venue).buy('60');
    expect(body).toMatchObject({
      status: 'EXPIRED',
      executedQty: '50.00000000',
      expiryReason: 'INSUFFICIENT_LIQUIDITY',
    });
    const { event } = await user.until((frame) => frame.event?.x === 'EXPIRED');
    expect(event).toMatchObject({ X: 'EXPIRED', z: '50.00000000', eR: 'INSUFFICIENT_LIQUIDITY' });
    user.close();
  });

  test.each([
    { name: 'another key', params: { apiKey: 'nobody' }, status: 401, code: -2015 },
    { name: 'another signature', params: { signature: '00' }, status: 400, code: -1022 },
    { name: 'an old timestamp', params: { timestamp: 1 }, status: 400, code: -1021 },
  ])('a subscription with $name is refused', async ({ params, status, code }) => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws-api/v3`);
    const given = { apiKey: venue.keys.apiKey, timestamp: Date.now(), ...params };
    const signature = signatureOf(venue.keys.apiSecret, `apiKey=${given.apiKey}&timestamp=${given.timestamp}`);
    stream.send({ id: 7, method: 'userDataStream.subscribe.signature', params: { signature, ...given } });
    expect(await stream.until(({ id }) => id === 7)).toMatchObject({ status, error: { code } });
    stream.close();
  });

  test('a connection without a subscription hears nothing, and hears that its subscription ended', async () => {
    const venue = await aVenue();
    const silent = await openStream(`${venue.wsUrl}/ws-api/v3?returnRateLimits=false`);
    const user = await openUserStream(venue);
    user.send({ id: 2, method: 'userDataStream.unsubscribe' });
    await user.until(({ event }) => event?.e === 'eventStreamTerminated');
    await clientOf(venue).buy('0.01');
    for (const [stream, id] of [
      [silent, 8],
      [user, 9],
    ] as const) {
      stream.send({ id, method: 'time' });
      await stream.until((frame) => frame.id === id);
      expect(stream.frames.filter(({ event }) => event?.e === 'executionReport')).toEqual([]);
      stream.close();
    }
    expect(silent.frames[0]).toEqual({ id: 8, status: 200, result: { serverTime: expect.any(Number) } });
  });

  test('what is no request is refused', async () => {
    const venue = await aVenue();
    const stream = await openStream(`${venue.wsUrl}/ws-api/v3`);
    stream.socket.send('hello');
    expect(await stream.until(({ error }) => error !== undefined)).toMatchObject({
      id: null,
      status: 400,
      error: { code: -1135 },
    });
    stream.send({ id: 3, method: 'order.place' });
    expect(await stream.until(({ id }) => id === 3)).toMatchObject({ status: 400, error: { code: -1020 } });
    stream.close();
  });
});
