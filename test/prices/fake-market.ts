import { vi } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import type { MarketDataEvent, MarketTrade, Venue } from '../../src/venue/venue.ts';

type Connection = {
  readonly symbols: readonly string[];
  readonly send: (event: MarketDataEvent) => void;
  isClosed: boolean;
};

/** A venue in memory: trades happen by `trade`, and only reach the stream where the test says so. */
export function fakeMarket() {
  const history = new Map<string, MarketTrade[]>();
  const connections: Connection[] = [];
  const world = { answers: true, connects: true, isSilent: false, nowMs: 0 };

  const tradesOf = (symbol: string): MarketTrade[] => {
    const trades = history.get(symbol) ?? [];
    history.set(symbol, trades);
    return trades;
  };

  const marketTrades = vi.fn<Venue['marketTrades']>(async (symbol, afterTradeId, limit) => {
    if (!world.answers) throw new RatchetError('VENUE_UNAVAILABLE');
    const trades = tradesOf(symbol);
    if (afterTradeId === null) return trades.slice(-limit);
    return trades.filter(({ venueTradeId }) => venueTradeId > afterTradeId).slice(0, limit);
  });

  const streamMarket: Venue['streamMarket'] = (symbols, onEvent) => {
    const connection: Connection = { symbols, send: onEvent, isClosed: false };
    connections.push(connection);
    if (world.connects) queueMicrotask(() => onEvent({ type: 'connected' }));
    return {
      close: async () => {
        connection.isClosed = true;
      },
    };
  };

  const broadcast = (event: MarketDataEvent, symbol?: string): void => {
    for (const { isClosed, symbols, send } of connections) {
      if (!isClosed && (symbol === undefined || symbols.includes(symbol))) send(event);
    }
  };

  /** Trades at these prices, one after the other. Returns them. */
  const happen = (symbol: string, prices: readonly string[]): readonly MarketTrade[] =>
    prices.map((price) => {
      const trades = tradesOf(symbol);
      const venueTradeId = (trades.at(-1)?.venueTradeId ?? 0) + 1;
      world.nowMs += 1;
      const trade = { symbol, venueTradeId, price: decimal(price), quantity: decimal('1'), tradedAtMs: world.nowMs };
      trades.push(trade);
      return trade;
    });

  return {
    venue: { name: 'fake', marketTrades, streamMarket },
    world,
    marketTrades,
    connections,
    openConnections: () => connections.filter(({ isClosed }) => !isClosed),
    broadcast,
    stream: (trade: MarketTrade) => broadcast({ type: 'trade', trade }, trade.symbol),
    /** Trades that the stream brings. */
    trade(symbol: string, ...prices: readonly string[]) {
      for (const trade of happen(symbol, prices)) broadcast({ type: 'trade', trade }, symbol);
    },
    /** Trades that the stream loses. */
    tradeUnseen: (symbol: string, ...prices: readonly string[]) => happen(symbol, prices),
    beat: () => broadcast({ type: 'alive', atMs: world.nowMs }),
    /** The venue is set back: its ids begin at 1 again. */
    reset(symbol: string) {
      history.set(symbol, []);
    },
  };
}

export type FakeMarket = ReturnType<typeof fakeMarket>;
