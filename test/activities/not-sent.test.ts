import { describe, expect, test } from 'vitest';
import { type BinanceVenueOptions, createBinanceVenue } from '../../src/venue/binance/adapter.ts';
import type { Venue } from '../../src/venue/venue.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, market, placements } from './stories.ts';

const theater = aTheater();

/** A venue whose next placements go where nobody is: the connection is never made. */
function awayFor(placementsLost: number, nowhere: string) {
  const away = { left: placementsLost, tried: 0 };
  const createVenue = (options: BinanceVenueOptions): Venue => {
    const there = createBinanceVenue(options);
    const gone = createBinanceVenue({ ...options, restUrl: nowhere });
    return {
      ...there,
      placeOrder(order, lane, signal) {
        away.tried += 1;
        away.left -= 1;
        return (away.left >= 0 ? gone : there).placeOrder(order, lane, signal);
      },
      async close() {
        await Promise.all([there.close(), gone.close()]);
      },
    };
  };
  return { away, createVenue };
}

const nowheres = [
  ['nobody listens at', 'http://127.0.0.1:1'],
  ['nobody knows the name of', 'http://venue.invalid'],
] as const;

describe.each(nowheres)('F11: an entry to a place that %s', (_name, nowhere) => {
  test.each([1, 2])('is sent again at once, %d times over, and is one order', async (lost) => {
    const { away, createVenue } = awayFor(lost, nowhere);
    const bench = await theater.open({ createVenue });
    expect(await bench.trade({ entry: market, exits: false })).toMatchObject({
      codes: [],
      entry: { status: 'filled', filledQuantity: '1' },
    });
    expect(away.tried).toBe(lost + 1);
    const evidence = await bench.evidence();
    expect(evidence.sends.map(({ outcome }) => outcome)).toEqual(['ACCEPTED']);
    expect(placements(evidence)).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('is sent three times by an attempt, and with a fresh timestamp by the next', async () => {
    const { away, createVenue } = awayFor(3, nowhere);
    const bench = await theater.open({ createVenue });
    expect(await bench.trade({ entry: market, exits: false })).toMatchObject({
      codes: [],
      entry: { status: 'filled', filledQuantity: '1' },
    });
    expect(away.tried).toBe(4);
    const evidence = await bench.evidence();
    expect(evidence.sends.map(({ outcome }) => outcome)).toEqual(['NOT_SENT', 'ACCEPTED']);
    expect(placements(evidence)).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test('for longer than it is valid is denied, reserves nothing and was never placed', async () => {
    const { createVenue } = awayFor(1_000, nowhere);
    const bench = await theater.open({ createVenue });
    expect(await bench.trade({ entry: market, exits: false })).toMatchObject({
      codes: [],
      entry: { status: 'denied', reasonCode: 'REQUEST_EXPIRED' },
    });
    const evidence = await bench.evidence();
    expect(placements(evidence)).toEqual([]);
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });
});
