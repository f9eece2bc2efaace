import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, isLess, isMore, multiply, subtract, sum } from '../../src/domain/decimal.ts';
import { type MarketTrade, type Quotes, quotesAfter } from '../../src/simulator/exchange/market.ts';
import { marketOf } from '../../src/simulator/exchange/market-rules.ts';
import { bookFor, isWithin, totalQuote, walk } from '../../src/simulator/exchange/matching.ts';

const tickSize = decimal('0.5');
const quotes: Quotes = { bid: decimal('100'), ask: decimal('100.5'), last: decimal('100.5') };
const market = marketOf({ symbol: 'BTC/USDT', tickSize, stepSize: decimal('0.1'), tradeQuantity: decimal('0.02') }, [
  'BTC',
  'USDT',
]);
// Fifty times the usual trade at each price: one.
const whole = { ...market, levelsMax: 3 };

const traded = (price: string, aggressor: MarketTrade['aggressor'] = null): MarketTrade => ({
  price: decimal(price),
  quantity: decimal('1'),
  aggressor,
});

describe('quotesAfter', () => {
  test.each([
    { name: 'the first trade sets both sides', before: null, trade: traded('100', 'BUY'), bid: '99.5', ask: '100' },
    { name: 'a buyer takes the ask', before: quotes, trade: traded('101', 'BUY'), bid: '100', ask: '101' },
    { name: 'a seller takes the bid', before: quotes, trade: traded('99', 'SELL'), bid: '99', ask: '100.5' },
    {
      name: 'a buyer below the bid pushes it away',
      before: quotes,
      trade: traded('99', 'BUY'),
      bid: '98.5',
      ask: '99',
    },
    {
      name: 'a seller above the ask pushes it away',
      before: quotes,
      trade: traded('102', 'SELL'),
      bid: '102',
      ask: '102.5',
    },
    { name: 'a rise without a side is bought', before: quotes, trade: traded('101'), bid: '100.5', ask: '101' },
    { name: 'a fall without a side is sold', before: quotes, trade: traded('98'), bid: '98', ask: '98.5' },
    {
      name: 'a price between two ticks makes room',
      before: quotes,
      trade: traded('101.2', 'BUY'),
      bid: '100',
      ask: '101.5',
    },
    { name: 'nobody buys below the first tick', before: null, trade: traded('0.5', 'BUY'), bid: '0', ask: '0.5' },
  ])('$name', ({ before, trade, bid, ask }) => {
    expect(quotesAfter(before, trade, tickSize)).toEqual({ bid, ask, last: trade.price });
  });

  test('the quotes never cross and are never closer than a tick, whatever was traded', () => {
    const trade = fc.record({
      tenths: fc.integer({ min: 1, max: 5_000 }),
      aggressor: fc.constantFrom('BUY', 'SELL', null),
    });
    fc.assert(
      fc.property(fc.array(trade, { minLength: 1, maxLength: 60 }), (trades) => {
        let now: Quotes | null = null;
        for (const { tenths, aggressor } of trades) {
          now = quotesAfter(now, traded((tenths / 10).toFixed(1), aggressor), tickSize);
          expect(isLess(subtract(now.ask, now.bid), tickSize)).toBe(false);
        }
      }),
    );
  });
});

describe('walk', () => {
  test.each([
    {
      name: 'takes the best price first',
      side: 'BUY',
      quantity: '0.4',
      limit: null,
      fills: ['100.5:0.4'],
      leaves: '0',
    },
    {
      name: 'goes on to the next level',
      side: 'BUY',
      quantity: '1.5',
      limit: null,
      fills: ['100.5:1', '101:0.5'],
      leaves: '0',
    },
    { name: 'stops at the limit', side: 'BUY', quantity: '5', limit: '101', fills: ['100.5:1', '101:1'], leaves: '3' },
    { name: 'does not trade beyond the limit', side: 'BUY', quantity: '1', limit: '100', fills: [], leaves: '1' },
    {
      name: 'ends with the book',
      side: 'SELL',
      quantity: '9',
      limit: null,
      fills: ['100:1', '99.5:1', '99:1'],
      leaves: '6',
    },
  ] as const)('$name', ({ side, quantity, limit, fills, leaves }) => {
    const limitPrice = limit === null ? null : decimal(limit);
    const taker = { side, quantity: decimal(quantity), limitPrice, preventionMode: 'EXPIRE_MAKER' } as const;
    const result = walk(bookFor(whole, quotes, side), taker);
    expect(result.fills.map((fill) => `${fill.price}:${fill.quantity}`)).toEqual(fills);
    expect(result.leaves).toBe(leaves);
  });

  test('gives and leaves exactly what was asked for, and no fill is worse than the limit', () => {
    const taker = fc.record({
      side: fc.constantFrom('BUY' as const, 'SELL' as const),
      tenths: fc.integer({ min: 1, max: 2_000 }),
      limit: fc.option(fc.integer({ min: 1, max: 400 })),
    });
    fc.assert(
      fc.property(taker, ({ side, tenths, limit }) => {
        const preventionMode = 'EXPIRE_MAKER';
        const quantity = decimal((tenths / 10).toFixed(1));
        const limitPrice = limit === null ? null : decimal(String(limit / 2));
        const { fills, leaves } = walk(bookFor(market, quotes, side), { side, quantity, limitPrice, preventionMode });
        expect(sum([leaves, ...fills.map((fill) => fill.quantity)])).toBe(quantity);
        expect(fills.every(({ price }) => isWithin(price, side, limitPrice))).toBe(true);
        expect(fills.length).toBeLessThanOrEqual(100);
        const worst = fills.at(-1)?.price;
        if (worst !== undefined && side === 'BUY') {
          expect(isMore(totalQuote(fills), multiply(worst, quantity))).toBe(false);
        }
      }),
    );
  });

  test('there is no bid below the first tick', () => {
    const low: Quotes = { bid: decimal('1'), ask: decimal('1.5'), last: decimal('1') };
    expect([...bookFor(market, low, 'SELL')].map(({ price }) => price)).toEqual(['1', '0.5']);
  });
});
