import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hearOrder } from '../../activities/account/hear-order.ts';
import type { VenueRoom } from '../../activities/dependencies.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { VenueOrder } from '../../src/venue/venue.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let world: Halting;
let room: VenueRoom;
beforeEach(async () => {
  database = await aDatabase();
  world = await aHalting(database.db);
  room = world.deps.rooms.get('paper') as VenueRoom;
});
afterEach(async () => {
  await world.close();
  await database.close();
});

/** Enters an order of 1 at 50 that rests, and gives what the stream says once so many fifths of it are filled. */
async function aRestingOrder(): Promise<(fifths: number) => VenueOrder> {
  const { clientOrderId } = await world.enter('streamed');
  const { venueOrderId } = await database.db
    .selectFrom('orders')
    .select('venue_order_id as venueOrderId')
    .where('client_order_id', '=', clientOrderId)
    .executeTakeFirstOrThrow();
  return (fifths) => ({
    clientOrderId,
    venueOrderId: venueOrderId ?? '',
    symbol: 'BTC/USDT',
    side: 'BUY',
    quantity: decimal('1'),
    stopPrice: null,
    report: {
      status: fifths === 5 ? 'filled' : 'partiallyFilled',
      filledQuantity: decimal(String(fifths / 5)),
      filledQuote: decimal(String(fifths * 10)),
    },
    fills: [
      {
        venueTradeId: String(7_000 + fifths),
        quantity: decimal('0.2'),
        price: decimal('50'),
        quoteQuantity: decimal('10'),
        fee: decimal('0'),
        feeAsset: 'BTC',
        isMaker: true,
        transactedAtMs: world.nowMs(),
      },
    ],
    observedAtMs: world.nowMs(),
  });
}

const hear = (order: VenueOrder) => hearOrder(world.deps, room, 'main', order);
const lists = () => world.simulator.requests().filter(({ path }) => path === '/api/v3/myTrades').length;
const book = async () => {
  const order = await database.db.selectFrom('orders').selectAll().executeTakeFirstOrThrow();
  return { status: order.status, filled: order.filled_quantity, reported: order.reported_quantity };
};

describe('an order that fills in pieces', () => {
  test('is counted from the stream alone, piece by piece', async () => {
    const filled = await aRestingOrder();
    for (const fifths of [1, 2, 3, 4, 5]) await hear(filled(fifths));
    expect(await book()).toEqual({ status: 'filled', filled: '1', reported: '1' });
    expect(lists()).toBe(0);
  });

  test('has each piece in the book as it comes, also while the list of fills lacks it', async () => {
    const filled = await aRestingOrder();
    await hear(filled(1));
    await hear(filled(3));
    expect(await book()).toEqual({ status: 'partiallyFilled', filled: '0.4', reported: '0.6' });
    expect(lists()).toBe(1);
    await hear(filled(2));
    expect(await book()).toEqual({ status: 'partiallyFilled', filled: '0.6', reported: '0.6' });
  });
});
