import { afterEach, describe, expect, test } from 'vitest';
import { aVenue, clientOf, closeAll } from './venue-client.ts';

// The middle of a minute, of a ten-second window and of a day.
const noonMs = Date.UTC(2026, 0, 5, 12, 0, 4);

afterEach(closeAll);

describe('request weight', () => {
  test('is counted as the endpoint costs, and shown', async () => {
    const client = clientOf(await aVenue({ virtualClockAtMs: noonMs }));
    expect((await client.get('/api/v3/time')).headers.get('x-mbx-used-weight-1m')).toBe('1');
    expect((await client.get('/api/v3/exchangeInfo')).headers.get('x-mbx-used-weight-1m')).toBe('21');
    expect(
      (await client.get('/api/v3/depth', { symbol: 'BTCUSDT', limit: 1_000 })).headers.get('x-mbx-used-weight-1m'),
    ).toBe('71');
    expect((await client.find({ orderId: 1 })).headers.get('x-mbx-used-weight-1m')).toBe('75');
  });

  test('of an order is free when it succeeds and counted when it fails', async () => {
    const client = clientOf(await aVenue({ virtualClockAtMs: noonMs }));
    expect((await client.buy('0.01')).headers.get('x-mbx-used-weight-1m')).toBe('0');
    expect((await client.buy('900')).headers.get('x-mbx-used-weight-1m')).toBe('1');
  });

  test('that is used up is refused until the minute ends, by the clock and not by age', async () => {
    const venue = await aVenue({ virtualClockAtMs: noonMs, limits: { weightPerMinute: 40 } });
    const client = clientOf(venue);
    for (const _ of [1, 2]) expect((await client.get('/api/v3/exchangeInfo')).status).toBe(200);
    const refused = await client.get('/api/v3/ping');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('56');
    expect(refused.body).toEqual({
      code: -1003,
      msg: 'Too much request weight used; current limit is 40 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.',
    });
    venue.clock.shift(56_000);
    expect((await client.get('/api/v3/ping')).status).toBe(200);
  });

  test('a client that goes on in spite of 429 is banned, longer each time', async () => {
    const limits = { weightPerMinute: 1, warningsMax: 2, banMs: 120_000 };
    const venue = await aVenue({ virtualClockAtMs: noonMs, limits });
    const client = clientOf(venue);
    const statuses = [];
    for (const _ of [1, 2, 3, 4, 5]) statuses.push((await client.get('/api/v3/ping')).status);
    expect(statuses).toEqual([200, 429, 429, 418, 418]);
    const banned = await client.get('/api/v3/ping');
    expect(banned.headers.get('retry-after')).toBe('120');
    expect(banned.body.msg).toContain(`IP banned until ${noonMs + 120_000}.`);
    venue.clock.shift(120_000);
    for (const _ of [1, 2, 3]) await client.get('/api/v3/ping');
    expect((await client.get('/api/v3/ping')).headers.get('retry-after')).toBe('240');
  });
});

describe('unfilled orders', () => {
  test('are counted per window, and one that fills is taken off', async () => {
    const venue = await aVenue({ virtualClockAtMs: noonMs, limits: { ordersPer10s: 2 } });
    const client = clientOf(venue);
    expect((await client.buy('0.01')).headers.get('x-mbx-order-count-10s')).toBe('0');
    expect((await client.limit('BUY', '0.01', '40000')).headers.get('x-mbx-order-count-10s')).toBe('1');
    expect((await client.limit('BUY', '0.01', '41000')).headers.get('x-mbx-order-count-10s')).toBe('2');
    const refused = await client.buy('0.01');
    expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
      429,
      '6',
      { code: -1015, msg: 'Too many new orders; current limit is 2 orders per 10 SECOND.' },
    ]);
    // A first fill as maker counts as well as one at once.
    venue.tick({ price: '41000' });
    expect((await client.limit('BUY', '0.01', '30000')).status).toBe(200);
    expect((await client.buy('0.01')).status).toBe(429);
    venue.clock.shift(6_000);
    expect((await client.buy('0.01')).status).toBe(200);
  });

  test('have a limit for the day, too', async () => {
    const client = clientOf(await aVenue({ virtualClockAtMs: noonMs, limits: { ordersPerDay: 1 } }));
    await client.limit('BUY', '0.01', '40000');
    expect((await client.buy('0.01')).body.msg).toBe('Too many new orders; current limit is 1 orders per 1 DAY.');
  });
});
