import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { isTriggeredAt } from '../../src/simulator/exchange/stop-orders.ts';
import { aVenue, clientOf, closeAll, control, openUserStream } from './venue-client.ts';

afterEach(closeAll);

/** At 46,000 with base to sell. */
async function aVenueWithBase() {
  const venue = await aVenue({ virtualClockAtMs: 1_000_000, deposits: { USDT: '100000', BTC: '2' } });
  const client = clientOf(venue);
  const stop = (type: string, side: string, stopPrice: string, more: Record<string, string | number> = {}) =>
    client.order({
      type,
      side,
      stopPrice,
      quantity: '0.01',
      newClientOrderId: 'stop',
      newOrderRespType: 'FULL',
      ...more,
    });
  const state = async () => (await client.find({ origClientOrderId: 'stop' })).body;
  const money = () =>
    Object.fromEntries(venue.exchange.books.balances().map(({ asset, free, locked }) => [asset, [free, locked]]));
  return { venue, client, stop, state, money };
}

describe('a stop order triggers', () => {
  test.each([
    { side: 'BUY', type: 'STOP_LOSS', waits: '99', triggers: '100' },
    { side: 'SELL', type: 'STOP_LOSS', waits: '101', triggers: '100' },
    { side: 'BUY', type: 'TAKE_PROFIT', waits: '101', triggers: '100' },
    { side: 'SELL', type: 'TAKE_PROFIT', waits: '99', triggers: '100' },
    { side: 'BUY', type: 'STOP_LOSS_LIMIT', waits: '99.99', triggers: '150' },
    { side: 'SELL', type: 'TAKE_PROFIT_LIMIT', waits: '50', triggers: '100.01' },
  ] as const)('$type $side at $triggers, not at $waits', ({ side, type, waits, triggers }) => {
    const order = { side, type, stopPrice: decimal('100') };
    expect(isTriggeredAt(decimal(waits), order)).toBe(false);
    expect(isTriggeredAt(decimal(triggers), order)).toBe(true);
  });

  test('as loss or as profit, whatever the price: both at the stop, else exactly one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.constantFrom('BUY' as const, 'SELL' as const), (price, side) => {
        const at = (type: 'STOP_LOSS' | 'TAKE_PROFIT') =>
          isTriggeredAt(decimal(String(price)), { side, type, stopPrice: decimal('100') });
        expect([at('STOP_LOSS'), at('TAKE_PROFIT')].filter(Boolean)).toHaveLength(price === 100 ? 2 : 1);
      }),
    );
  });

  test('never without a stop price', () => {
    expect(isTriggeredAt(decimal('1'), { side: 'SELL', type: 'LIMIT', stopPrice: null })).toBe(false);
  });
});

describe('a stop loss at the market', () => {
  test('waits off the book, and sells at the first trade at its price', async () => {
    const { venue, stop, state, money } = await aVenueWithBase();
    const placed = await stop('STOP_LOSS', 'SELL', '45000');
    expect(placed.body).toMatchObject({ status: 'NEW', stopPrice: '45000.00000000', workingTime: -1, fills: [] });
    expect(money()['BTC']).toEqual(['1.99', '0.01']);
    venue.tick({ price: '45000.01' });
    expect(await state()).toMatchObject({ status: 'NEW', isWorking: false, workingTime: -1 });
    venue.clock.shift(500);
    venue.tick({ price: '44990', aggressor: 'SELL' });
    expect(await state()).toMatchObject({
      status: 'FILLED',
      isWorking: true,
      workingTime: 1_000_500,
      executedQty: '0.01000000',
      cummulativeQuoteQty: '449.90000000',
      type: 'STOP_LOSS',
    });
    expect(money()['BTC']).toEqual(['1.99', '0']);
    expect(venue.exchange.books.fills).toMatchObject([{ isMaker: false, price: '44990' }]);
  });

  test('that buys takes what a gap costs more from what is free', async () => {
    const { venue, stop, state, money } = await aVenueWithBase();
    await stop('STOP_LOSS', 'BUY', '47000', { quantity: '1' });
    expect(money()['USDT']).toEqual(['53000', '47000']);
    venue.tick({ price: '60000', aggressor: 'BUY' });
    expect(await state()).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '60000.00000000' });
    expect(money()['USDT']).toEqual(['40000', '0']);
  });

  test('that buys gets what the money pays when the gap is too wide', async () => {
    const { venue, client, stop, state, money } = await aVenueWithBase();
    await client.limit('BUY', '1', '45000', { newClientOrderId: 'other' });
    venue.exchange.venue('BTCUSDT').market = {
      ...venue.exchange.venue('BTCUSDT').market,
      levelQuantity: decimal('0.6'),
    };
    await stop('STOP_LOSS', 'BUY', '50000', { quantity: '1' });
    venue.tick({ price: '60000', aggressor: 'BUY' });
    expect(await state()).toMatchObject({
      status: 'EXPIRED',
      executedQty: '0.60000000',
      expiryReason: 'INSUFFICIENT_LIQUIDITY',
    });
    expect(money()['USDT']).toEqual(['19000', '45000']);
  });
});

describe('a stop limit order', () => {
  test('goes on the book when it triggers beyond its limit, and fills there', async () => {
    const { venue, stop, state } = await aVenueWithBase();
    await stop('STOP_LOSS_LIMIT', 'SELL', '45000', { price: '44900', timeInForce: 'GTC' });
    venue.tick({ price: '44000', aggressor: 'SELL' });
    expect(await state()).toMatchObject({ status: 'NEW', isWorking: true, price: '44900.00000000' });
    venue.tick({ price: '44900', aggressor: 'BUY' });
    expect(await state()).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '449.00000000' });
    expect(venue.exchange.books.fills[0]?.isMaker).toBe(true);
  });

  test('takes at once what the book has within its limit', async () => {
    const { venue, stop, state } = await aVenueWithBase();
    await stop('TAKE_PROFIT_LIMIT', 'SELL', '47000', { price: '46900', timeInForce: 'IOC' });
    venue.tick({ price: '47000', aggressor: 'SELL' });
    expect(await state()).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '470.00000000' });
  });

  test('is not filled by the market while it waits, even at its limit', async () => {
    const { venue, stop, state } = await aVenueWithBase();
    await stop('STOP_LOSS_LIMIT', 'BUY', '47000', { price: '47500', timeInForce: 'GTC' });
    venue.tick({ price: '46500' });
    expect(await state()).toMatchObject({ status: 'NEW', isWorking: false, executedQty: '0.00000000' });
  });

  test('can be canceled while it waits, and gives its lock back', async () => {
    const { client, stop, state, money } = await aVenueWithBase();
    await stop('STOP_LOSS_LIMIT', 'SELL', '45000', { price: '44900', timeInForce: 'GTC' });
    const canceled = await client.cancel({ origClientOrderId: 'stop' });
    expect(canceled.body).toMatchObject({ status: 'CANCELED', stopPrice: '45000.00000000' });
    expect((await state()).status).toBe('CANCELED');
    expect(money()['BTC']).toEqual(['2', '0']);
  });
});

describe('what the venue says of a stop order', () => {
  test('without being asked for more, the least', async () => {
    const { client } = await aVenueWithBase();
    const { body } = await client.order({ type: 'STOP_LOSS', side: 'SELL', stopPrice: '45000', quantity: '0.01' });
    expect(Object.keys(body).sort()).toEqual(['clientOrderId', 'orderId', 'orderListId', 'symbol', 'transactTime']);
  });

  test('on the stream: new, new once more when it works, then its fill', async () => {
    const { venue, stop } = await aVenueWithBase();
    const user = await openUserStream(venue);
    await stop('STOP_LOSS', 'SELL', '45000');
    venue.clock.shift(250);
    venue.tick({ price: '44990', aggressor: 'SELL' });
    await user.until(({ event }) => event?.x === 'TRADE');
    const reports = user.frames.flatMap(({ event }) => (event?.e === 'executionReport' ? [event] : []));
    expect(reports.map(({ x, w, W, P, o }) => ({ x, w, W, P, o }))).toEqual([
      { x: 'NEW', w: false, W: undefined, P: '45000.00000000', o: 'STOP_LOSS' },
      { x: 'NEW', w: true, W: 1_000_250, P: '45000.00000000', o: 'STOP_LOSS' },
      { x: 'TRADE', w: false, W: 1_000_250, P: '45000.00000000', o: 'STOP_LOSS' },
    ]);
    user.close();
  });

  test('in the ledger, with when it triggered and on which price', async () => {
    const { venue, stop } = await aVenueWithBase();
    await stop('STOP_LOSS', 'SELL', '45000');
    venue.clock.shift(250);
    venue.tick({ price: '44990', aggressor: 'SELL' });
    const { body } = await control(venue, 'GET', '/__sim/ledger');
    expect(body.orders[0].transitions).toEqual([
      { to: 'NEW', atMs: 1_000_000 },
      { to: 'TRIGGERED', atMs: 1_000_250 },
      { to: 'FILL', atMs: 1_000_250, quantity: '0.01' },
    ]);
    const { body: journal } = await control(venue, 'GET', '/__sim/ledger?kind=entries');
    const entries = journal.entries.flatMap((group: { entries: object[] }) => group.entries);
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'triggered', price: '44990', locked: '0.01' }));
  });
});

describe('a stop order is refused', () => {
  test.each([
    {
      name: 'when it would trigger at once',
      send: ['STOP_LOSS', 'SELL', '46000'],
      says: 'Order would trigger immediately.',
    },
    { name: 'on the wrong side', send: ['TAKE_PROFIT', 'BUY', '47000'], says: 'Order would trigger immediately.' },
    { name: 'off the price steps', send: ['STOP_LOSS', 'SELL', '45000.001'], says: 'Filter failure: PRICE_FILTER' },
  ] as const)('$name', async ({ send: [type, side, stopPrice], says }) => {
    const { stop } = await aVenueWithBase();
    const { status, body } = await stop(type, side, stopPrice);
    expect([status, body.msg]).toEqual([400, says]);
  });

  test('without the base to sell', async () => {
    const { stop } = await aVenueWithBase();
    expect((await stop('STOP_LOSS', 'SELL', '45000', { quantity: '3' })).body).toEqual({
      code: -2010,
      msg: 'Account has insufficient balance for requested action.',
    });
  });

  test('as the sixth that waits, which a triggered one does no more', async () => {
    const { venue, stop } = await aVenueWithBase();
    const place = (id: number) => stop('STOP_LOSS', 'SELL', `${45_000 - id}`, { newClientOrderId: `s-${id}` });
    for (let id = 1; id <= 5; id += 1) expect((await place(id)).status).toBe(200);
    expect((await place(6)).body).toEqual({ code: -1013, msg: 'Filter failure: MAX_NUM_ALGO_ORDERS' });
    venue.tick({ price: '44999', aggressor: 'SELL' });
    expect((await place(6)).status).toBe(200);
  });

  test('without its limit price where it needs one', async () => {
    const { stop } = await aVenueWithBase();
    expect((await stop('STOP_LOSS_LIMIT', 'SELL', '45000', { timeInForce: 'GTC' })).body.code).toBe(-1102);
    expect((await stop('STOP_LOSS', 'SELL', '45000', { price: '44000' })).body.code).toBe(-1106);
  });
});

test('a stop that the market reached while the venue was slow triggers when the venue comes to it', async () => {
  const { venue, stop, state } = await aVenueWithBase();
  venue.plan({ on: { method: 'POST' }, phase: 'after_accept', do: { action: 'delay', ms: 500 } });
  const placed = stop('STOP_LOSS', 'SELL', '45000');
  await expect.poll(() => venue.exchange.books.orders.size).toBe(1);
  venue.tick({ price: '44000', aggressor: 'SELL' });
  expect((await state()).status).toBe('NEW');
  venue.clock.shift(500);
  expect((await placed).status).toBe(200);
  expect((await state()).status).toBe('FILLED');
});
