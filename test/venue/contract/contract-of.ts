import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import type { OutcomeClass } from '../../../src/domain/outcome.ts';
import type { MarketDataEvent, SignedOrder, UserDataEvent, Venue } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { type ScriptedStream, startScriptedStream } from '../support/scripted-stream.ts';
import { ok, type Received, type Reply, startScriptedVenue } from '../support/scripted-venue.ts';
import { soon } from '../support/soon.ts';
import { replaced, wanted } from './answers.ts';
import { events, examples } from './examples.ts';
import { type OutcomeRow, outcomeRows } from './outcome-rows.ts';

/** An adapter that talks to these servers, and gives up on an answer after a fraction of a second. */
export type MakeVenue = (servers: { readonly url: string; readonly wsUrl?: string }) => Venue;

export type ContractOptions = {
  /** An adapter whose library can't put an order in another's place in one request is excused from that. */
  readonly replaces?: boolean;
};

const order: SignedOrder = {
  ...wanted,
  quantity: decimal(wanted.quantity),
  limitPrice: decimal(wanted.limitPrice),
  side: 'BUY',
  orderType: 'LIMIT',
  timeInForce: 'GTC',
  stopPrice: null,
  signedAtMs: Date.now(),
  recvWindowMs: 3000,
};

const routes = {
  place: 'POST /api/v3/order',
  cancel: 'DELETE /api/v3/order',
  find: 'GET /api/v3/order',
  replace: 'POST /api/v3/order/cancelReplace',
  cancelAll: 'DELETE /api/v3/openOrders',
} as const;

/**
 * What every adapter of this venue's dialect must do, whatever library it is made of: read the documented examples, and
 * make of every answer the one thing that it means.
 */
export function contractOf(name: string, makeVenue: MakeVenue, { replaces = true }: ContractOptions = {}): void {
  const keep = keepUntilTheEnd();

  async function scripted(script: Readonly<Record<string, (request: Received) => Reply>>) {
    const server = keep(
      await startScriptedVenue({ 'GET /api/v3/exchangeInfo': () => ok(examples.exchangeInfo), ...script }),
    );
    return { server, venue: keep(makeVenue({ url: server.url })) };
  }

  /** One question on a connection of its own, with how often it reached the venue. */
  async function asked<T>(
    route: string,
    reply: Reply,
    ask: (venue: Venue) => Promise<T>,
  ): Promise<readonly [T, number]> {
    const { server, venue } = await scripted({ [route]: () => reply });
    const answer = await ask(venue);
    return [answer, server.requestsTo(route).length];
  }

  describe(`${name}: every answer means one thing`, () => {
    test.each<OutcomeRow>(outcomeRows)('$name: $placed, $canceled, $found', async ({ reply, ...row }) => {
      const [placed, placements] = await asked(routes.place, reply, (venue) => venue.placeOrder(order, 'exit'));
      expect({ outcome: placed.outcome, sent: placements }).toEqual({ outcome: row.placed, sent: 1 });
      expect(placed.order === undefined).toBe(row.placed !== 'ACCEPTED');

      const [canceled, cancels] = await asked(routes.cancel, reply, (venue) => venue.cancelOrder(wanted));
      expect({ outcome: canceled.outcome, sent: cancels }).toEqual({ outcome: row.canceled, sent: 1 });

      const [found] = await asked(routes.find, reply, (venue) => venue.findOrder(wanted));
      expect(found.outcome).toBe(row.found);
    });

    test.runIf(replaces).each<OutcomeRow>(outcomeRows)(
      '$name: replaced $replaced',
      async ({ reply, replaced: row }) => {
        const ask = (venue: Venue) => venue.replaceOrder({ cancel: replaced, order, lane: 'exit' });
        const [{ canceled, placed }, sent] = await asked(routes.replace, reply, ask);
        expect({ canceled: canceled.outcome, placed: placed.outcome, sent }).toEqual({ ...row, sent: 1 });
        expect(canceled.order?.clientOrderId).toBe(row.canceled === 'ACCEPTED' ? replaced.clientOrderId : undefined);
        expect(placed.order?.clientOrderId).toBe(row.placed === 'ACCEPTED' ? wanted.clientOrderId : undefined);
      },
    );

    test('F11: a connection that is refused leaves nothing behind, whatever was asked', async () => {
      const { server, venue } = await scripted({});
      await server.close();
      const outcomes: OutcomeClass[] = [
        (await venue.placeOrder(order, 'entry')).outcome,
        (await venue.cancelOrder(wanted)).outcome,
        (await venue.cancelAllOf(wanted.symbol)).outcome,
      ];
      expect(outcomes).toEqual(['NOT_SENT', 'NOT_SENT', 'NOT_SENT']);
      expect((await venue.findOrder(wanted)).outcome).toBe('unavailable');
    });

    test('F11: a name that nobody knows leaves nothing behind', async () => {
      const venue = keep(makeVenue({ url: 'http://venue.invalid' }));
      expect((await venue.placeOrder(order, 'entry')).outcome).toBe('NOT_SENT');
    });
  });

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

  describe(`${name}: the documented events`, () => {
    async function anAccountStream() {
      const accept = ({ id }: Record<string, unknown>) => ({ id, status: 200, result: { subscriptionId: 0 } });
      const stream: ScriptedStream = keep(await startScriptedStream({ onMessage: accept }));
      const info = { ...examples.exchangeInfo.symbols[0], symbol: 'ETHBTC', baseAsset: 'ETH' };
      const exchangeInfo = { ...examples.exchangeInfo, symbols: [info] };
      const server = keep(await startScriptedVenue({ 'GET /api/v3/exchangeInfo': () => ok(exchangeInfo) }));
      const heard: UserDataEvent[] = [];
      keep(makeVenue({ url: server.url, wsUrl: stream.url })).streamUserData((event) => heard.push(event));
      await soon(() => expect(heard).toEqual([{ type: 'connected' }]));
      return { stream, heard };
    }
    const wrapped = (event: object) => ({ subscriptionId: 0, event });

    test('executionReport, outboundAccountPosition, and what concerns nobody', async () => {
      const { stream, heard } = await anAccountStream();
      stream.send(wrapped(events.balanceUpdate));
      stream.send(wrapped(events.executionReport));
      stream.send(wrapped(events.outboundAccountPosition));
      await soon(() => expect(heard).toHaveLength(3));
      expect(heard[1]).toMatchObject({
        type: 'order',
        order: {
          clientOrderId: 'mUvoqJxFIILMdfAW5iGSOW',
          venueOrderId: '4293153',
          symbol: 'ETH/BTC',
          side: 'BUY',
          quantity: '1',
          stopPrice: null,
          report: { status: 'new', filledQuantity: '0', filledQuote: '0' },
          fills: [],
        },
      });
      expect(heard[2]).toEqual({
        type: 'balances',
        balances: [{ asset: 'ETH', free: '10000', locked: '0' }],
        updatedAtMs: 1564034571073,
      });
    });

    test.each([
      ['eventStreamTerminated', wrapped(events.eventStreamTerminated)],
      ['serverShutdown', { event: events.serverShutdown }],
    ])('F34: %s ends the connection, and the next one says that it delivers', async (_name, message) => {
      const { stream, heard } = await anAccountStream();
      stream.send(message);
      const types = () => heard.map(({ type }) => type);
      await soon(() => expect(types()).toEqual(['connected', 'disconnected', 'connected']));
    });

    test('trade', async () => {
      const stream: ScriptedStream = keep(await startScriptedStream());
      const server = keep(await startScriptedVenue({ 'GET /api/v3/exchangeInfo': () => ok(examples.exchangeInfo) }));
      const heard: MarketDataEvent[] = [];
      keep(makeVenue({ url: server.url, wsUrl: stream.url })).streamMarket(['LTC/BTC'], (event) => heard.push(event));
      await stream.connected(1);
      stream.send({ stream: 'ltcbtc@trade', data: events.trade });
      await soon(() =>
        expect(heard).toContainEqual({
          type: 'trade',
          trade: { symbol: 'LTC/BTC', venueTradeId: 12345, price: '0.001', quantity: '100', tradedAtMs: 1672515782136 },
        }),
      );
    });
  });
}
