import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { denyOrder } from '../../src/store/orders/order-settling.ts';
import { readOpenTrade } from '../../src/store/trades/positions.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aFill,
  aRequest,
  committed,
  d,
  decide,
  entryIntent,
  exitIntent,
  messagesTo,
  nextTradeId,
  nowMs,
  openAccount,
  phaseOf,
  recordsOf,
  report,
  typesOf,
  venueOrder,
} from './fixtures.ts';

let database: TestDatabase;
let request: EntryRequest;
let count = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 5 });
});
afterAll(() => database.close());
beforeEach(async () => {
  count += 1;
  await openAccount(database.db, `account-${count}`);
  request = aRequest({
    tradeId: `trade-${count}`,
    account: `account-${count}`,
    legs: [
      { symbol: 'BTC/USDT', side: 'BUY', quantity: d('1'), unitDelta: d('1') },
      { symbol: 'ETH/EUR', side: 'BUY', quantity: d('2'), unitDelta: d('1') },
    ],
    exit: { trailingStop: { by: 'percent', distance: d('1'), trigger: 'last' } },
  });
  await decide(database.db, request);
});

/** What an order of a leg differs in from one of the first. */
const legs = [
  { leg: 0, symbol: 'BTC/USDT', quantity: d('1') },
  { leg: 1, symbol: 'ETH/EUR', quantity: d('2') },
] as const;

async function buy(leg: 0 | 1, fee = '0.1'): Promise<BookOrder> {
  const clientOrderId = `${request.tradeId}-e${leg}`;
  const order = committed(await commitIntent(database.db, entryIntent(request, { ...legs[leg], clientOrderId })));
  const { quantity } = legs[leg];
  const fill = aFill(String(nextTradeId()), quantity, { fee: d(fee), feeAsset: leg === 0 ? 'USDT' : 'EUR' });
  await report(database.db, venueOrder(order, 'filled', quantity, [fill]));
  return order;
}

async function sell(leg: 0 | 1, price: string): Promise<void> {
  const { quantity } = legs[leg];
  const intent = { ...exitIntent(request, quantity), ...legs[leg], clientOrderId: `${request.tradeId}-x${leg}` };
  const order = committed(await commitIntent(database.db, intent));
  const fill = aFill(String(nextTradeId()), quantity, { price: d(price), feeAsset: leg === 0 ? 'USDT' : 'EUR' });
  await report(database.db, venueOrder(order, 'filled', quantity, [fill]));
}

const deny = (leg: 0 | 1) =>
  denyOrder(database.db, {
    order: {
      tradeId: request.tradeId,
      leg,
      purpose: 'entry',
      generation: 1,
      clientOrderId: `${request.tradeId}-e${leg}`,
    },
    code: 'TRADING_STATE_BLOCKED',
    nowMs,
  });

const leave = () =>
  requestExit(database.db, { tradeId: request.tradeId, reason: 'legFailed', source: 'entry', nowMs: nowMs + 100 });
const settle = () =>
  settleTrade(database.db, { tradeId: request.tradeId, isSettled: () => true, nowMs: nowMs + 1_000 });

const progressTold = async () =>
  (await messagesTo(database.db, `position-${request.tradeId}`))
    .filter(({ signal_name }) => signal_name === 'entryProgressed')
    .map(({ signal_args }) => signal_args?.[0]);
const closingTold = async (workflow: string) =>
  (await messagesTo(database.db, `${workflow}-${request.tradeId}`)).filter(
    ({ signal_name }) => signal_name === 'positionClosed',
  );

describe('the monitor', () => {
  test('is started by the first fill, watches the first leg, and hears of every other one', async () => {
    await buy(0);
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    await buy(1);
    expect(await progressTold()).toMatchObject([
      { entryQuantity: '1', entryQuote: '100', isFinal: false, otherLegs: [] },
      {
        entryQuantity: '1',
        entryQuote: '100',
        isFinal: true,
        otherLegs: [{ leg: 1, symbol: 'ETH/EUR', entryQuantity: '2', entryQuote: '200' }],
      },
    ]);
    const [start] = await messagesTo(database.db, `position-${request.tradeId}`);
    expect(start).toMatchObject({ start_args: [{ leg: 0, symbol: 'BTC/USDT', side: 'long' }] });
    expect(await readOpenTrade(database.db, request.tradeId)).toMatchObject({ leg: 0, symbol: 'BTC/USDT' });
  });

  test('hears that nothing more will fill when the second leg is denied', async () => {
    await buy(0);
    await deny(1);
    expect((await progressTold()).at(-1)).toMatchObject({ entryQuantity: '1', isFinal: true, otherLegs: [] });
  });
});

describe('a leg that failed', () => {
  test('has the whole trade closed: no order of another leg is sent any more', async () => {
    await buy(0);
    expect(await leave()).toBe('requested');
    expect(await commitIntent(database.db, entryIntent(request, { ...legs[1], clientOrderId: 'late' }))).toEqual({
      outcome: 'exit-requested',
    });
    await sell(0, '90');
    expect(await settle()).toHaveLength(2);
    expect(await phaseOf(database.db, request.tradeId)).toBe('closed');
    expect(await closingTold('entry')).toMatchObject([
      { signal_args: [{ symbol: 'BTC/USDT', exitReason: 'legFailed', otherLegs: [{ symbol: 'ETH/EUR' }] }] },
    ]);
    const reserved = await database.db
      .selectFrom('reservation')
      .select(['leg', 'posted_quantity as posted', 'voided_quantity as voided'])
      .where('trade_id', '=', request.tradeId)
      .orderBy('leg')
      .execute();
    expect(reserved).toEqual([
      { leg: 0, posted: '1', voided: '0' },
      { leg: 1, posted: '0', voided: '2' },
    ]);
    const voided = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'ReservationVoided');
    expect(voided).toMatchObject([{ body: { leg: 1, quantity: '2', reason: 'the trade has ended' } }]);
  });

  test('leaves nothing to sell where nothing was bought, and the entry hears of it all the same', async () => {
    await deny(0);
    expect(await phaseOf(database.db, request.tradeId)).toBe('placing');
    expect(await leave()).toBe('requested');
    await settle();
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await closingTold('entry')).toHaveLength(1);
    expect(await closingTold('position')).toEqual([]);
    expect(await leave()).toBe('not-open');
  });
});

test('the money of each leg is counted in its own assets, and told at once', async () => {
  await buy(0);
  await buy(1);
  await leave();
  await sell(0, '110');
  await sell(1, '95');

  const closed = await settle();

  expect(closed).toMatchObject([
    { symbol: 'BTC/USDT', pnl: '9.9', fees: '0.1', pnlAsset: 'USDT' },
    { symbol: 'ETH/EUR', pnl: '-10.1', fees: '0.1', pnlAsset: 'EUR' },
  ]);
  for (const workflow of ['entry', 'position', 'stop']) {
    expect(await closingTold(workflow)).toMatchObject([
      { signal_args: [{ pnl: '9.9', pnlAsset: 'USDT', otherLegs: [{ pnl: '-10.1', pnlAsset: 'EUR' }] }] },
    ]);
  }
  expect((await typesOf(database.db, request.tradeId)).filter((type) => type === 'PositionClosed')).toHaveLength(1);
});
