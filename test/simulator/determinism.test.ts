import { afterAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { clientOf, control } from './venue-client.ts';

const venues: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(venues.map((venue) => venue.close())));

/** The same session against a venue of this seed: generated prices, faults by chance, over real sockets. */
async function sessionWith(seed: number): Promise<{ hash: string; orders: number; fills: number }> {
  const venue = await startSimulator({ replay: 'generator', seed, speed: 10, virtualClockAtMs: 1_700_000_000_000 });
  venues.push(venue);
  const client = clientOf(venue);
  venue.plan({ on: { method: 'POST', p: 0.3 }, phase: 'before_response', do: { action: 'status', code: 504 } });
  for (let index = 0; index < 40; index += 1) {
    venue.clock.shift(250);
    const price = Math.floor(Number(venue.exchange.venue('BTCUSDT').quotes?.last ?? '46000'));
    if (index % 4 === 0) await client.buy('0.01', { newClientOrderId: `b-${index}` });
    else await client.limit('BUY', '0.02', String(price - (index % 3)), { newClientOrderId: `l-${index}` });
  }
  venue.clock.shift(10_000);
  const { body } = await control(venue, 'GET', '/__sim/ledger');
  return { hash: body.hash, orders: body.orders.length, fills: body.fills.length };
}

describe('a session', () => {
  test('is the same to the last byte of the ledger under the same seed, and another under another', async () => {
    const [one, again, other] = [await sessionWith(5), await sessionWith(5), await sessionWith(6)];
    expect(again).toEqual(one);
    expect(other.hash).not.toBe(one.hash);
    expect(one.orders).toBe(40);
    expect(one.fills).toBeGreaterThan(10);
  });
});
