import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOrderPolls } from '../../activities/account/poll-orders.ts';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import type { Lane, LookUp, VenueOrder } from '../../src/venue/venue.ts';
import { aRequest, nowMs, openAccount, placeEntry, venueOrder } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let accounts = 0;
let account = '';
beforeAll(async () => {
  database = await aDatabase();
});
beforeEach(async () => {
  accounts += 1;
  account = `polled-${accounts}`;
  await openAccount(database.db, account);
});
afterAll(() => database.close());

/** Entries that work, each of them known to the venue unless it is lost. */
async function workingEntries(count: number): Promise<readonly BookOrder[]> {
  const orders: BookOrder[] = [];
  for (let n = 0; n < count; n += 1) {
    orders.push(await placeEntry(database.db, aRequest({ tradeId: `${account}-${n}`, account })));
  }
  return orders;
}

const held = { outcome: 'unavailable', detail: 'held back' } as const;
const atWork = (order: BookOrder): VenueOrder => venueOrder(order, 'new', '0');

/** A venue that notes in which lane it is asked what. */
function aVenue(orders: readonly BookOrder[]) {
  const asked: string[] = [];
  const world = { timeMs: nowMs, isHeld: false, open: orders, answers: Number.POSITIVE_INFINITY };
  const answered: string[] = [];
  const found = (id: string): LookUp => {
    const order = orders.find(({ clientOrderId }) => clientOrderId === id);
    return order === undefined ? { outcome: 'absent' } : { outcome: 'found', order: atWork(order) };
  };
  const venue = {
    name: 'paper',
    async findOrder({ clientOrderId, lane }: { clientOrderId: string; lane: Lane }) {
      asked.push(`order ${lane}`);
      world.answers -= 1;
      if (world.answers < 0) return held;
      answered.push(clientOrderId);
      return world.isHeld && lane === 'report' ? held : found(clientOrderId);
    },
    async openOrders(symbol: string | undefined, lane: Lane) {
      asked.push(`${symbol ?? 'all'} ${lane}`);
      if (world.isHeld && lane === 'report') throw new RatchetError('VENUE_UNAVAILABLE');
      return world.open.map(atWork);
    },
  };
  const deps = { db: database.db, now: () => world.timeMs, logger: pino({ level: 'silent' }) };
  const polls = createOrderPolls(deps as unknown as ActivityDependencies, { venue } as unknown as VenueRoom, account);
  return {
    world,
    polls,
    answered,
    /** What one more round asks, ten seconds after the last. */
    async round(passedMs = 10_000): Promise<readonly string[]> {
      asked.length = 0;
      world.timeMs += passedMs;
      await polls.round().catch(() => undefined);
      return [...asked];
    },
  };
}

describe('the polls of orders', () => {
  test('are background work: they wait behind everything else', async () => {
    const { round } = aVenue(await workingEntries(2));
    expect(await round()).toEqual(['order report', 'order report']);
    expect(await round()).toEqual(['order report', 'order report']);
  });

  test('go ahead of entries once after a gap of the stream', async () => {
    const { polls, round } = aVenue(await workingEntries(1));
    polls.hurry();
    expect(await round()).toEqual(['order cancel']);
    expect(await round()).toEqual(['order report']);
  });

  test('that were held back twice go ahead of entries, so that no fill stays unseen for 30 seconds', async () => {
    const { world, round } = aVenue(await workingEntries(1));
    world.isHeld = true;
    expect([await round(), await round(), await round(), await round()]).toEqual([
      ['order report'],
      ['order report'],
      ['order cancel'],
      ['order report'],
    ]);
  });

  test('go ahead of entries once in five seconds, however often the stream comes and goes', async () => {
    const { polls, round } = aVenue(await workingEntries(1));
    const lanes: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      polls.hurry();
      lanes.push(...(await round(1_000)));
    }
    expect(lanes.filter((asked) => asked === 'order cancel')).toHaveLength(3);
  });

  test('begin with what the round before was not told, so that bans keep no order from its turn', async () => {
    const { world, answered, round } = aVenue(await workingEntries(6));
    for (let n = 0; n < 3; n += 1) {
      world.answers = 2;
      await round();
    }
    expect(new Set(answered).size).toBe(6);
  });

  test('of many orders read the list of all, and ask only for those that are not in it', async () => {
    const orders = await workingEntries(21);
    const { world, round } = aVenue(orders);
    expect(await round()).toEqual(['all report']);
    world.open = orders.slice(0, 20);
    expect(await round()).toEqual(['all report', 'order report']);
  });

  test('of many orders ask for none of them one by one where the list is held back', async () => {
    const { world, round } = aVenue(await workingEntries(20));
    world.isHeld = true;
    expect([await round(), await round(), await round()]).toEqual([['all report'], ['all report'], ['all cancel']]);
  });
});
