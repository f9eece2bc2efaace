import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { armGuards } from '../../src/store/guards/guards.ts';
import { parkOrder } from '../../src/store/orders/order-settling.ts';
import { readStatus } from '../../src/store/status.ts';
import { tradeRecords } from '../../src/store/trades/trade-records.ts';
import { listTrades, readPlacement, readTrade } from '../../src/store/trades/trades.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aFill, aRequest, d, decide, decisionOf, enter, nowMs, openAccount, placeEntry } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  const { db } = database;
  await openAccount(db);
  await openAccount(db, 'second');
  await enter(db, aRequest({ tradeId: 'open' }), { venueTradeId: '7', fee: d('0.1') });
  await armGuards(db, {
    tradeId: 'open',
    leg: 0,
    venue: 'paper',
    shard: 'paper-0',
    symbol: 'BTC/USDT',
    sinceVenueTradeId: 7,
    guards: [{ kind: 'stopLoss', terms: { side: 'long', price: d('90') }, state: { status: 'armed' } }],
    nowMs,
  });
  await placeEntry(db, aRequest({ tradeId: 'placing', account: 'second', strategy: 'other' }));
  const parked = await placeEntry(db, aRequest({ tradeId: 'parked' }));
  await parkOrder(db, { clientOrderId: parked.clientOrderId, nowMs });
  const denied = aRequest({
    tradeId: 'denied',
    legs: [{ symbol: 'ETH/USDT', side: 'BUY', quantity: d('1'), unitDelta: d('1') }],
  });
  await decide(db, denied, () => ({ decision: decisionOf(denied, 'denied'), reservations: [] }));
  await decide(db, aRequest({ tradeId: 'left' }));
  await requestExit(db, { tradeId: 'left', reason: 'operator', source: 'api', actor: 'anna', nowMs });
  await settleTrade(db, { tradeId: 'left', isSettled: () => true, nowMs });
});
afterAll(() => database.close());

describe('readPlacement', () => {
  test('has what an order of the trade is made from, and the exit that was asked for', async () => {
    expect(await readPlacement(database.db, 'open')).toEqual({
      account: 'main',
      venue: 'paper',
      request: aRequest({ tradeId: 'open' }),
      decision: expect.objectContaining({ outcome: 'approved' }),
      exitRequest: null,
    });
    expect(await readPlacement(database.db, 'left')).toMatchObject({
      exitRequest: { reason: 'operator', requestedAtMs: nowMs },
    });
    expect(await readPlacement(database.db, 'nobody')).toBeUndefined();
  });
});

describe('readTrade', () => {
  test('has the request, the decision, and all that came of it', async () => {
    const trade = await readTrade(database.db, 'open');
    expect(trade).toMatchObject({
      tradeId: 'open',
      phase: 'open',
      request: aRequest({ tradeId: 'open' }),
      decision: { outcome: 'approved' },
      openedAtMs: nowMs + 7,
      orders: [
        {
          clientOrderId: 'open-e1',
          status: 'filled',
          sends: [{ epoch: 1 }],
          fills: [aFill('7', '1', { fee: d('0.1') })],
        },
      ],
      positions: [{ leg: 0, entryQuantity: '1', entryQuote: '100', quoteFee: '0.1', isOpen: true }],
      guards: [{ leg: 0, guard: { kind: 'stopLoss' }, version: 1, triggeredAtMs: null, disarmedAtMs: null }],
      exitRequest: null,
      result: null,
    });
  });

  test('has the exit request and the result of one that has ended', async () => {
    expect(await readTrade(database.db, 'left')).toMatchObject({
      phase: 'unfilled',
      exitReason: 'operator',
      exitRequest: { reason: 'operator', source: 'api', actor: 'anna', trigger: null, requestedAtMs: nowMs },
      result: [{ pnl: '0' }],
    });
  });

  test('knows nothing of a trade that nobody asked for', async () => {
    expect(await readTrade(database.db, 'nobody')).toBeUndefined();
  });
});

describe('listTrades', () => {
  test.each([
    [{}, ['denied', 'left', 'open', 'parked', 'placing']],
    [{ live: true }, ['open', 'parked', 'placing']],
    [{ live: false }, ['denied', 'left']],
    [{ phase: 'placing' as const }, ['parked', 'placing']],
    [{ account: 'second' }, ['placing']],
    [{ strategy: 'other' }, ['placing']],
    [{ symbol: 'ETH/USDT' }, ['denied']],
  ])('finds the trades of %o', async (of, expected) => {
    const trades = await listTrades(database.db, { ...of, limit: 50 });
    expect(trades.map(({ tradeId }) => tradeId).toSorted()).toEqual(expected);
  });

  test('ends at the limit', async () => {
    expect(await listTrades(database.db, { limit: 2 })).toHaveLength(2);
  });
});

describe('tradeRecords', () => {
  test('go on from where they were left', async () => {
    const all = await tradeRecords(database.db, 'open', { no: 0, limit: 100 });
    expect(all.map(({ body }) => body.type)).toEqual([
      'TradeDecided',
      'OrderIntent',
      'Fill',
      'PositionOpened',
      'OrderAcked',
      'StopArmed',
    ]);
    const [first, second] = all;
    expect(await tradeRecords(database.db, 'open', { no: first?.no ?? 0, limit: 1 })).toEqual([second]);
    expect(await tradeRecords(database.db, 'open', { no: all.at(-1)?.no ?? 0, limit: 1 })).toEqual([]);
  });

  test('carry their place in the chain once they are sealed', async () => {
    await database.asOwner('select seal_events(1000)');
    const [first] = await tradeRecords(database.db, 'open', { no: 0, limit: 1 });
    expect(first?.seq).toEqual(expect.any(Number));
  });
});

test('readStatus counts what there is to do', async () => {
  await database.asOwner('select seal_events(1000)');
  const status = await readStatus(database.db);
  expect(status).toMatchObject({
    trades: { placing: 2, working: 0, open: 1, closing: 0 },
    orders: { working: 1, inDoubt: 1, parked: 1 },
    audit: { unsealed: 0, oldestUnsealedAtMs: null },
    armedGuards: 1,
  });
  expect(status.outbox.open).toBeGreaterThan(0);
  expect(status.outbox.oldestAtMs).toBe(nowMs);
});
