import { afterEach, describe, expect, test } from 'vitest';
import { aVenue, clientOf, closeAll, control, openUserStream } from './venue-client.ts';

afterEach(closeAll);

/** At 46,000; the account's own order to sell 0.5 rests at the best price. */
async function aVenueWithOwnOffer() {
  const venue = await aVenue({ virtualClockAtMs: 1_000_000, deposits: { USDT: '1000000', BTC: '2' } });
  const client = clientOf(venue);
  await client.limit('SELL', '0.5', '46000', { newClientOrderId: 'offer' });
  const state = async (id: string) => (await client.find({ origClientOrderId: id })).body;
  const take = (mode: string | null, more: Record<string, string> = {}) =>
    client.buy('1', {
      newClientOrderId: 'taker',
      ...(mode === null ? {} : { selfTradePreventionMode: mode }),
      ...more,
    });
  return { venue, client, state, take };
}

describe('an order that meets one of its own account', () => {
  test('ends the one that rests, and goes on, where nothing else is asked for', async () => {
    const { state, take } = await aVenueWithOwnOffer();
    const { body } = await take(null);
    expect(body).toMatchObject({
      status: 'FILLED',
      executedQty: '1.00000000',
      selfTradePreventionMode: 'EXPIRE_MAKER',
      preventedMatches: [
        { preventedMatchId: 0, makerOrderId: 1, price: '46000.00000000', makerPreventedQuantity: '0.50000000' },
      ],
    });
    expect(body.preventedQuantity).toBeUndefined();
    expect(await state('offer')).toMatchObject({
      status: 'EXPIRED_IN_MATCH',
      executedQty: '0.00000000',
      preventedMatchId: 0,
      preventedQuantity: '0.50000000',
    });
  });

  test('ends itself by EXPIRE_TAKER, with what it got before', async () => {
    const { venue, state, take } = await aVenueWithOwnOffer();
    // The market offers below the account's own order, so a part is filled first.
    venue.tick({ price: '45999.99', aggressor: 'BUY' });
    const { market } = venue.exchange.venue('BTCUSDT');
    venue.exchange.venue('BTCUSDT').market = { ...market, levelQuantity: market.stepSize };
    expect((await take('EXPIRE_TAKER')).body).toMatchObject({
      status: 'EXPIRED_IN_MATCH',
      executedQty: '0.00001000',
      preventedQuantity: '0.99999000',
      preventedMatches: [{ makerOrderId: 1, takerPreventedQuantity: '0.99999000' }],
      fills: [{ price: '45999.99000000' }],
    });
    expect(await state('offer')).toMatchObject({ status: 'NEW' });
    expect(venue.exchange.books.balance('USDT').locked).toBe('0');
  });

  test('ends both by EXPIRE_BOTH', async () => {
    const { venue, state, take } = await aVenueWithOwnOffer();
    expect((await take('EXPIRE_BOTH')).body).toMatchObject({
      status: 'EXPIRED_IN_MATCH',
      preventedMatches: [{ takerPreventedQuantity: '1.00000000', makerPreventedQuantity: '0.50000000' }],
    });
    expect((await state('offer')).status).toBe('EXPIRED_IN_MATCH');
    for (const asset of ['USDT', 'BTC']) expect(venue.exchange.books.balance(asset).locked).toBe('0');
  });

  test('prevents the rest of one that was filled in part', async () => {
    const { venue, state, take } = await aVenueWithOwnOffer();
    await control(venue, 'POST', '/__sim/fill', { clientOrderId: 'offer', quantity: '0.2' });
    await take(null);
    expect(await state('offer')).toMatchObject({
      status: 'EXPIRED_IN_MATCH',
      executedQty: '0.20000000',
      preventedQuantity: '0.30000000',
    });
  });

  test('does not meet it behind its own limit, nor a stop that waits, nor one of its own side', async () => {
    const { client, state } = await aVenueWithOwnOffer();
    const stop = { type: 'STOP_LOSS_LIMIT', side: 'SELL', stopPrice: '45000', price: '44000', timeInForce: 'GTC' };
    await client.order({ ...stop, quantity: '0.1', newClientOrderId: 'stop' });
    await client.limit('BUY', '0.1', '45999.99', { newClientOrderId: 'behind' });
    await client.limit('SELL', '0.1', '46010', { newClientOrderId: 'same-side' });
    for (const id of ['offer', 'stop', 'behind', 'same-side']) expect((await state(id)).status).toBe('NEW');
  });

  test('as LIMIT_MAKER is refused, since it would take', async () => {
    const { client } = await aVenueWithOwnOffer();
    await client.cancel({ origClientOrderId: 'offer' });
    await client.limit('SELL', '0.5', '46005', { newClientOrderId: 'higher' });
    const maker = { side: 'BUY', type: 'LIMIT_MAKER', quantity: '0.1' };
    expect((await client.order({ ...maker, price: '46005' })).body).toEqual({
      code: -2010,
      msg: 'Order would immediately match and take.',
    });
  });

  test('as FOK takes nothing when what is left without its own does not do', async () => {
    const { venue, client, state } = await aVenueWithOwnOffer();
    const { market } = venue.exchange.venue('BTCUSDT');
    venue.exchange.venue('BTCUSDT').market = { ...market, levelsMax: 0 };
    const { body } = await client.limit('BUY', '0.5', '46000', { timeInForce: 'FOK' });
    expect(body).toMatchObject({ status: 'EXPIRED', expiryReason: 'UNFILLED_FOK_ORDER_EXPIRED' });
    expect((await state('offer')).status).toBe('NEW');
  });
});

test('the stream tells which order ended by which match, and the look-up of matches does, too', async () => {
  const { venue, client, take } = await aVenueWithOwnOffer();
  const user = await openUserStream(venue);
  await take('EXPIRE_BOTH');
  await user.until(({ event }) => event?.x === 'TRADE_PREVENTION' && event.c === 'taker');
  const ended = user.frames.flatMap(({ event }) => (event?.x === 'TRADE_PREVENTION' ? [event] : []));
  expect(ended.map(({ c, X, v, A, B, U, u, V }) => ({ c, X, v, A, B, U, u, V }))).toEqual([
    { c: 'offer', X: 'EXPIRED_IN_MATCH', v: 0, A: '0.50000000', B: '0.50000000', U: 2, u: -1, V: 'EXPIRE_MAKER' },
    { c: 'taker', X: 'EXPIRED_IN_MATCH', v: 0, A: '1.00000000', B: '1.00000000', U: 1, u: -1, V: 'EXPIRE_BOTH' },
  ]);
  user.close();
  const { body } = await client.signed('GET', '/api/v3/myPreventedMatches', { symbol: 'BTCUSDT', orderId: 1 });
  expect(body).toMatchObject([
    { preventedMatchId: 0, takerOrderId: 2, makerOrderId: 1, selfTradePreventionMode: 'EXPIRE_BOTH' },
  ]);
});

test('the symbol says which modes it allows', async () => {
  const { client } = await aVenueWithOwnOffer();
  const { body } = await client.get('/api/v3/exchangeInfo');
  expect(body.symbols[0]).toMatchObject({
    defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
    allowedSelfTradePreventionModes: ['EXPIRE_MAKER', 'EXPIRE_TAKER', 'EXPIRE_BOTH'],
  });
});
