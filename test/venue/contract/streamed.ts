import { describe, expect, test } from 'vitest';
import type { MarketDataEvent, UserDataEvent } from '../../../src/venue/venue.ts';
import { type ScriptedStream, startScriptedStream } from '../support/scripted-stream.ts';
import { ok, startScriptedVenue } from '../support/scripted-venue.ts';
import { soon } from '../support/soon.ts';
import { events, examples } from './examples.ts';
import type { Stage } from './stage.ts';

/** Reads the events that the venue's documentation prints. */
export function describeEvents(name: string, { keep, makeVenue }: Stage): void {
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
