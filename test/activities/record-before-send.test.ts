import { expect, test } from 'vitest';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, market, placements } from './stories.ts';

const theater = aTheater();

/** More than a placement has: the last ones strike nothing. */
const points = Array.from({ length: 18 }, (_, point) => point);

test.each(points)(
  'CP4 I7: dead at #%d of its placement, no order is at the venue without its record',
  async (point) => {
    const bench = await theater.open();
    const { tradeId } = await bench.trade({
      entry: market,
      strikes: [{ activity: 'placeOrder', point, kind: 'crash' }],
      exits: false,
    });
    await bench.settle();
    const evidence = await bench.evidence();
    const recorded = evidence.events
      .filter((event) => event.type === 'OrderIntent' && event.tradeId === tradeId)
      .map(({ body }) => body['clientOrderId']);
    const sent = placements(evidence).map(({ parameters }) => parameters['newClientOrderId']);
    expect(recorded).toEqual(expect.arrayContaining(sent));
    expect(judgeBench(evidence)).toEqual([]);
  },
);
