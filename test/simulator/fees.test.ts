import { afterEach, describe, expect, test } from 'vitest';
import { decimal, zero } from '../../src/domain/decimal.ts';
import { type FeeRules, openFeeDesk, standardThird } from '../../src/simulator/exchange/fees.ts';
import { aVenue, clientOf, closeAll, control } from './venue-client.ts';

afterEach(closeAll);

const rules: FeeRules = {
  makerBps: decimal('10'),
  takerBps: decimal('20'),
  rebateBps: zero,
  paidIn: 'third',
  third: standardThird,
};
const level = { price: decimal('100'), quantity: decimal('3') };
const order = { side: 'BUY', baseAsset: 'BTC', quoteAsset: 'USDT', feeIn: 'third' } as const;

describe('a fee', () => {
  test.each([
    { name: 'of a purchase in what it receives', order: { ...order, feeIn: 'received' }, is: '0.006 BTC' },
    { name: 'of a sale in what it receives', order: { ...order, side: 'SELL', feeIn: 'received' }, is: '0.6 USDT' },
    { name: 'in quote', order: { ...order, feeIn: 'quote' }, is: '0.6 USDT' },
    { name: 'in the third asset, a quarter off', order, is: '0.00075 BNB' },
    { name: 'in the third asset at its market price', order, price: '300', is: '0.0015 BNB' },
    { name: 'in the third asset as far as it goes', order, free: '0.00075', is: '0.00075 BNB' },
    { name: 'as usual when there is too little of it', order, free: '0.00074', is: '0.006 BTC' },
    { name: 'as usual when it is what pays for the purchase', order: { ...order, quoteAsset: 'BNB' }, is: '0.006 BTC' },
    {
      name: 'of a sale for the third asset in it, at a price of one',
      order: { ...order, side: 'SELL', quoteAsset: 'BNB' },
      is: '0.45 BNB',
    },
  ] as const)('$name', (each) => {
    const { price, free } = { price: null, free: '5', ...each };
    const desk = openFeeDesk(rules, price === null ? null : decimal(price), decimal(free));
    const { fee, feeAsset } = desk.charge(each.order, level, false);
    expect(`${fee} ${feeAsset}`).toBe(each.is);
  });

  test('of several fills of one match does not spend the third asset twice', () => {
    const desk = openFeeDesk(rules, null, decimal('0.001'));
    expect([1, 2].map(() => desk.charge(order, level, false).feeAsset)).toEqual(['BNB', 'BTC']);
  });
});

describe('fees in a third asset', () => {
  test('leave the balance of it, and the answer, the trades and the rates say so', async () => {
    const venue = await aVenue({ fees: { paidIn: 'third' }, deposits: { USDT: '100000', BNB: '1' } });
    const client = clientOf(venue);
    const { body } = await client.buy('0.1');
    expect(body.fills).toMatchObject([{ commission: '0.00575000', commissionAsset: 'BNB' }]);
    const { balance } = venue.exchange.books;
    expect([balance('BTC').free, balance('BNB').free, balance('USDT').free]).toEqual(['0.1', '0.99425', '95400']);
    const trades = await client.signed('GET', '/api/v3/myTrades', { symbol: 'BTCUSDT' });
    expect(trades.body).toMatchObject([{ commission: '0.00575000', commissionAsset: 'BNB' }]);
    const rates = await client.signed('GET', '/api/v3/account/commission', { symbol: 'BTCUSDT' });
    expect(rates.body).toMatchObject({
      standardCommission: { maker: '0.00100000', taker: '0.00100000' },
      discount: { enabledForAccount: true, discountAsset: 'BNB', discount: '0.25000000' },
    });
  });

  test('switch by the control port, and go back to usual when it is used up', async () => {
    const venue = await aVenue({ deposits: { USDT: '100000', BNB: '0.0001' } });
    const client = clientOf(venue);
    const assetOf = async () => (await client.buy('0.01')).body.fills[0].commissionAsset;
    expect(await assetOf()).toBe('BTC');
    await control(venue, 'POST', '/__sim/fees', { paidIn: 'third' });
    expect(await assetOf()).toBe('BTC');
    await control(venue, 'POST', '/__sim/external', { type: 'balance', asset: 'BNB', change: '1' });
    expect(await assetOf()).toBe('BNB');
    await control(venue, 'POST', '/__sim/fees', { paidIn: 'quote' });
    expect(await assetOf()).toBe('USDT');
  });

  test('stay for an order as they were when it was taken', async () => {
    const venue = await aVenue();
    const client = clientOf(venue);
    await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'before' });
    await control(venue, 'POST', '/__sim/fees', { paidIn: 'quote' });
    await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'after' });
    venue.tick({ price: '45000', quantity: '5' });
    expect(venue.exchange.books.fills.map(({ fee, feeAsset }) => `${fee} ${feeAsset}`)).toEqual([
      '0.00001 BTC',
      '0.45 USDT',
    ]);
    expect(venue.exchange.books.balance('USDT')).toMatchObject({ locked: '0', free: '99099.55' });
  });

  test('do not rise under purchases that have locked them', async () => {
    const venue = await aVenue({ fees: { paidIn: 'quote' } });
    await clientOf(venue).limit('BUY', '0.01', '45000');
    const rise = () => control(venue, 'POST', '/__sim/fees', { makerBps: '20' });
    expect(await rise()).toMatchObject({
      status: 400,
      body: { problem: expect.stringContaining('cancel them first') },
    });
    expect((await control(venue, 'POST', '/__sim/fees', { makerBps: '5' })).status).toBe(200);
    venue.tick({ price: '45000', quantity: '5' });
    expect((await rise()).body.fees).toMatchObject({ makerBps: '20', takerBps: '10' });
  });

  test.each([
    { paidIn: 'stamps' },
    { makerBps: '-1' },
    { third: { asset: '' } },
    { third: { price: '0' } },
    { bps: '1' },
  ])('refuse %j', async (body) => {
    expect((await control(await aVenue(), 'POST', '/__sim/fees', body)).status).toBe(400);
  });
});
