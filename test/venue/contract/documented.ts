import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import type { Venue } from '../../../src/venue/venue.ts';
import { ok } from '../support/scripted-venue.ts';
import { examples } from './examples.ts';
import { order, routes, type Stage } from './stage.ts';

/** Reads the answers that the venue's documentation prints. */
export function describeExamples(name: string, { scripted }: Stage): void {
  describe(`${name}: the documented examples`, () => {
    const read = async <T>(
      script: Readonly<Record<string, unknown>>,
      ask: (venue: Venue) => Promise<T>,
    ): Promise<T> => {
      const answers = Object.entries(script).map(([route, body]) => [route, () => ok(body)] as const);
      return await ask((await scripted(Object.fromEntries(answers))).venue);
    };

    test('POST order: the order, and no fills where they do not add up to its totals', async () => {
      const { clientOrderId } = examples.placed;
      const market = { orderType: 'MARKET', timeInForce: null, limitPrice: null } as const;
      const sold = { ...order, ...market, clientOrderId, side: 'SELL' as const, quantity: decimal('10') };
      const result = await read({ [routes.place]: examples.placed }, (venue) => venue.placeOrder(sold, 'exit'));
      expect(result).toMatchObject({ outcome: 'ACCEPTED' });
      expect(result.order).toMatchObject({
        clientOrderId,
        venueOrderId: '28',
        symbol: 'BTC/USDT',
        side: 'SELL',
        quantity: '10',
        stopPrice: null,
        report: { status: 'filled', filledQuantity: '10', filledQuote: '10' },
        fills: [],
      });
    });

    test('POST order: the fills where they do', async () => {
      const { clientOrderId } = examples.placed;
      const market = { orderType: 'MARKET', timeInForce: null, limitPrice: null } as const;
      const sold = { ...order, ...market, clientOrderId, side: 'SELL' as const, quantity: decimal('10') };
      const body = { ...examples.placed, cummulativeQuoteQty: '39983.00000000' };
      const result = await read({ [routes.place]: body }, (venue) => venue.placeOrder(sold, 'exit'));
      expect(result.order?.fills).toHaveLength(5);
      expect(result.order?.fills[1]).toEqual({
        venueTradeId: '57',
        quantity: '5',
        price: '3999',
        quoteQuantity: '19995',
        fee: '19.995',
        feeAsset: 'USDT',
        isMaker: false,
        transactedAtMs: 1507725176595,
      });
    });

    const ltc = { symbol: 'LTC/BTC', clientOrderId: 'myOrder1' };

    test('GET order', async () => {
      const found = await read({ [routes.find]: examples.order }, (venue) => venue.findOrder(ltc));
      expect(found).toMatchObject({
        outcome: 'found',
        order: {
          ...ltc,
          venueOrderId: '1',
          side: 'BUY',
          quantity: '1',
          stopPrice: null,
          report: { status: 'new', filledQuantity: '0', filledQuote: '0' },
        },
      });
    });

    test("DELETE order: the order, not the cancel's own id", async () => {
      const result = await read({ [routes.cancel]: examples.canceled }, (venue) => venue.cancelOrder(ltc));
      expect(result).toMatchObject({
        outcome: 'ACCEPTED',
        order: { ...ltc, venueOrderId: '4', report: { status: 'canceled', filledQuantity: '0' } },
      });
    });

    test('DELETE openOrders: all of them, those in lists too', async () => {
      const script = { [routes.cancelAll]: examples.allCanceled };
      const result = await read(script, (venue) => venue.cancelAllOf('BTC/USDT'));
      expect(result.outcome).toBe('ACCEPTED');
      expect(result.orders.map(({ clientOrderId, stopPrice }) => [clientOrderId, stopPrice])).toEqual([
        ['E6APeyTJvkMvLMYMqu1KQ4', null],
        ['CwOOIPHSmYywx6jZX77TdL', '0.378131'],
        ['461cPg51vQjV3zIMOXNz39', null],
      ]);
    });

    test('GET openOrders and allOrders', async () => {
      const script = { 'GET /api/v3/openOrders': [examples.order], 'GET /api/v3/allOrders': [examples.order] };
      expect(await read(script, (venue) => venue.openOrders('LTC/BTC'))).toMatchObject([ltc]);
      expect(await read(script, (venue) => venue.openOrders())).toMatchObject([ltc]);
      expect(await read(script, (venue) => venue.ordersSince('LTC/BTC', Date.now() - 1000))).toMatchObject([ltc]);
    });

    test('GET myTrades: of an order and of a symbol', async () => {
      const exchangeInfo = {
        ...examples.exchangeInfo,
        symbols: [{ ...examples.exchangeInfo.symbols[0], symbol: 'BNBBTC', baseAsset: 'BNB' }],
      };
      const script = { 'GET /api/v3/myTrades': examples.orderTrades, 'GET /api/v3/exchangeInfo': exchangeInfo };
      const fill = {
        venueTradeId: '28457',
        quantity: '12',
        price: '4.000001',
        quoteQuantity: '48.000012',
        fee: '10.1',
        feeAsset: 'BNB',
        isMaker: false,
        transactedAtMs: 1499865549590,
      };
      const asOf = { symbol: 'BNB/BTC', venueOrderId: '100234' };
      expect(await read(script, (venue) => venue.fillsOf(asOf))).toEqual([fill]);
      const since = await read(script, (venue) => venue.fillsSince('BNB/BTC', Date.now() - 1000));
      expect(since).toEqual([{ ...fill, ...asOf }]);
    });

    test('GET account: money and permissions', async () => {
      const script = { 'GET /api/v3/account': examples.account };
      expect(await read(script, (venue) => venue.balances())).toEqual([
        { asset: 'BTC', free: '4723846.89208129', locked: '0' },
        { asset: 'LTC', free: '4763368.68006011', locked: '0' },
      ]);
      expect(await read(script, (venue) => venue.accountPermissions())).toEqual({ canTrade: true, canWithdraw: true });
    });

    test('GET exchangeInfo: the trading rules', async () => {
      expect(await read({}, (venue) => venue.filters('LTC/BTC'))).toEqual({
        symbol: 'LTC/BTC',
        baseAsset: 'LTC',
        quoteAsset: 'BTC',
        isTrading: true,
        takesStops: true,
        tickSize: '0.000001',
        stepSize: '0.001',
        priceMin: '0.000001',
        priceMax: '100000',
        quantityMin: '0.001',
        quantityMax: '100000',
        marketQuantityMax: '100000',
        notionalMin: '0.001',
        notionalMinAppliesToMarket: true,
      });
    });

    test('GET trades', async () => {
      const script = { 'GET /api/v3/trades': examples.trades };
      expect(await read(script, (venue) => venue.marketTrades('LTC/BTC', null, 1))).toEqual([
        { symbol: 'LTC/BTC', venueTradeId: 28457, price: '4.000001', quantity: '12', tradedAtMs: 1499865549590 },
      ]);
    });
  });
}
