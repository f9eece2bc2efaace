import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, compare, decimal, multiply } from '../../src/domain/decimal.ts';
import {
  type CheckedOrder,
  checkOrder,
  isDust,
  isNotionalEnough,
  roundPrice,
  roundQuantity,
  type SymbolFilters,
} from '../../src/domain/filters.ts';
import { aSymbol } from '../support/any-symbol.ts';
import { anyScaled, centPrice, decimalOfScaled } from '../support/arbitrary-decimal.ts';

const someFilters = (changed: Partial<SymbolFilters> = {}): SymbolFilters =>
  aSymbol({
    priceMin: decimal('1'),
    priceMax: decimal('1000'),
    quantityMin: decimal('0.002'),
    quantityMax: decimal('50'),
    marketQuantityMax: decimal('10'),
    notionalMin: decimal('5'),
    notionalMinAppliesToMarket: true,
    ...changed,
  });

const unlimited = someFilters({
  tickSize: decimal('0'),
  stepSize: decimal('0'),
  priceMin: null,
  priceMax: null,
  quantityMin: null,
  quantityMax: null,
  marketQuantityMax: null,
  notionalMin: null,
});

const limitOrder = (price: string | null, quantity: string): CheckedOrder => ({
  orderType: 'LIMIT',
  quantity: decimal(quantity),
  price: price === null ? null : decimal(price),
  referencePrice: null,
});

const marketOrder = (quantity: string, reference: string | null = '100'): CheckedOrder => ({
  orderType: 'MARKET',
  quantity: decimal(quantity),
  price: null,
  referencePrice: reference === null ? null : decimal(reference),
});

describe('roundPrice and roundQuantity', () => {
  test.each([
    ['BUY', '100.129', '100.12'],
    ['SELL', '100.121', '100.13'],
    [null, '100.129', '100.12'],
    ['SELL', '100.12', '100.12'],
  ] as const)('a %s price of %s becomes %s', (side, price, expected) => {
    expect(roundPrice(someFilters(), decimal(price), side)).toBe(expected);
  });

  test('a quantity never becomes more', () => {
    expect(roundQuantity(someFilters(), decimal('0.0129'))).toBe('0.012');
    expect(roundQuantity(someFilters({ stepSize: decimal('10') }), decimal('123.456'))).toBe('120');
  });

  test('a symbol without ticks and steps keeps every digit', () => {
    expect(roundPrice(unlimited, decimal('1.23456789'), 'SELL')).toBe('1.23456789');
    expect(roundQuantity(unlimited, decimal('0.000000001'))).toBe('0.000000001');
  });
});

const stopOrder = (price: string, stopPrice: string | null): CheckedOrder => ({
  ...limitOrder(price, '1'),
  orderType: 'STOP_LIMIT',
  stopPrice: stopPrice === null ? null : decimal(stopPrice),
});

describe('checkOrder', () => {
  test.each<[string, CheckedOrder, Partial<SymbolFilters>, string[]]>([
    ['an order that fits', limitOrder('100.01', '0.05'), {}, []],
    ['the bounds themselves', limitOrder('1000', '50'), {}, []],
    ['exactly the smallest notional', limitOrder('100', '0.05'), {}, []],
    ['a symbol that is not trading', limitOrder('100', '0.05'), { isTrading: false }, ['SYMBOL_NOT_TRADING']],
    ['a limit order without a price', limitOrder(null, '1'), {}, ['PRICE_FILTER', 'NOTIONAL_UNKNOWN']],
    ['a price between ticks', limitOrder('100.005', '1'), {}, ['PRICE_FILTER']],
    ['a price below the least', limitOrder('0.99', '50'), {}, ['PRICE_FILTER']],
    ['a price above the most', limitOrder('1000.01', '1'), {}, ['PRICE_FILTER']],
    ['a price of zero', limitOrder('0', '1'), { priceMin: null }, ['PRICE_FILTER', 'NOTIONAL']],
    ['a quantity between steps', limitOrder('100', '1.0005'), {}, ['LOT_SIZE']],
    ['a quantity below the least', limitOrder('1000', '0.001'), { notionalMin: null }, ['LOT_SIZE']],
    ['a quantity above the most', limitOrder('100', '50.001'), {}, ['LOT_SIZE']],
    ['a quantity of zero', limitOrder('100', '0'), { quantityMin: null, notionalMin: null }, ['LOT_SIZE']],
    ['a market order above its own most', marketOrder('10.001'), {}, ['MARKET_LOT_SIZE']],
    ['a limit order of that quantity', limitOrder('100', '10.001'), {}, []],
    ['a notional that is too small', limitOrder('100', '0.049'), {}, ['NOTIONAL']],
    ['a market order that is too small', marketOrder('0.049'), {}, ['NOTIONAL']],
    ['the same where that does not count', marketOrder('0.049'), { notionalMinAppliesToMarket: false }, []],
    ['a market order without a price', marketOrder('1', null), {}, ['NOTIONAL_UNKNOWN']],
    ['the same without a smallest notional', marketOrder('1', null), { notionalMin: null }, []],
    ['a stop that fits', stopOrder('99', '100'), {}, []],
    ['a stop without a stop price', stopOrder('99', null), {}, ['PRICE_FILTER']],
    ['a stop price between ticks', stopOrder('99', '100.005'), {}, ['PRICE_FILTER']],
    ['a stop price above the most', stopOrder('99', '1000.01'), {}, ['PRICE_FILTER']],
    ['a stop and a limit that both do not fit', stopOrder('99.001', '100.005'), {}, ['PRICE_FILTER', 'PRICE_FILTER']],
    ['a stop that is too small at its limit', stopOrder('4.99', '100'), {}, ['NOTIONAL']],
    [
      'everything at once',
      limitOrder('0.005', '0.0001'),
      { isTrading: false },
      ['SYMBOL_NOT_TRADING', 'PRICE_FILTER', 'LOT_SIZE', 'NOTIONAL'],
    ],
  ])('answers %s', (_, order, changed, expected) => {
    expect(checkOrder(someFilters(changed), order).map((fault) => fault.code)).toEqual(expected);
  });

  test('gives the numbers with each fault', () => {
    const faults = checkOrder(someFilters({ priceMax: null }), limitOrder('100.005', '0.001'));
    expect(faults).toEqual([
      { code: 'PRICE_FILTER', context: { price: '100.005', min: '1', tickSize: '0.01' } },
      { code: 'LOT_SIZE', context: { quantity: '0.001', min: '0.002', max: '50', stepSize: '0.001' } },
      { code: 'NOTIONAL', context: { quantity: '0.001', min: '5', price: '100.005', notional: '0.100005' } },
    ]);
  });

  test('names the stop price where that is at fault', () => {
    expect(checkOrder(someFilters(), stopOrder('99', '100.005'))).toMatchObject([
      { code: 'PRICE_FILTER', context: { stopPrice: '100.005', tickSize: '0.01' } },
    ]);
  });

  test('lets any order through where the venue sets no limits', () => {
    expect(checkOrder(unlimited, limitOrder('0.00000001', '123456789'))).toEqual([]);
  });
});

describe('isNotionalEnough', () => {
  test.each([
    ['5', true],
    ['4.99', false],
    [null, false],
  ])('answers %s with %s', (notional, expected) => {
    expect(isNotionalEnough(someFilters(), notional === null ? null : decimal(notional))).toBe(expected);
  });

  test('never takes zero for enough', () => {
    expect(isNotionalEnough(unlimited, decimal('0'))).toBe(false);
  });
});

describe('isDust', () => {
  const dust = (quantity: string, price: string | null, changed: Partial<SymbolFilters> = {}) =>
    isDust(someFilters(changed), decimal(quantity), price === null ? null : decimal(price));

  test.each<[string, boolean, boolean]>([
    ['nothing at all', dust('0', '100'), true],
    ['less than a step', dust('0.0009', '1000000', { quantityMin: null }), true],
    ['less than the smallest quantity', dust('0.0019', '1000000'), true],
    ['less than the smallest notional', dust('0.049', '100'), true],
    ['the smallest notional, reached only before rounding', dust('0.0509', '98.5'), true],
    ['the smallest notional', dust('0.05', '100'), false],
    ['a small notional that does not bind', dust('0.049', '100', { notionalMinAppliesToMarket: false }), false],
    ['a quantity whose price nobody knows', dust('0.002', null), false],
    ['too small a quantity whose price nobody knows', dust('0.001', null), true],
  ])('judges %s', (_, judged, expected) => {
    expect(judged).toBe(expected);
  });

  test('is never so of more, where it was not so of less, nor at a higher price', () => {
    fc.assert(
      fc.property(
        fc.tuple(centPrice(1, 1_000_000), anyScaled(0n, 10n ** 6n)),
        fc.tuple(centPrice(1, 1_000_000), anyScaled(0n, 10n ** 6n)),
        ([price, held], [dearer, more]) => {
          const quantity = decimalOfScaled(held);
          const isDustAtMore = isDust(someFilters(), add(quantity, decimalOfScaled(more)), add(price, dearer));
          if (isDustAtMore) expect(isDust(someFilters(), quantity, price)).toBe(true);
        },
      ),
    );
  });
});

test('rounding for a side is never worse for us than asked', () => {
  fc.assert(
    fc.property(anyScaled(1n), (scaled) => {
      const price = decimalOfScaled(scaled);
      expect(compare(roundPrice(someFilters(), price, 'BUY'), price)).toBeLessThanOrEqual(0);
      expect(compare(roundPrice(someFilters(), price, 'SELL'), price)).toBeGreaterThanOrEqual(0);
      expect(multiply(roundPrice(someFilters(), price, 'SELL'), decimal('100'))).not.toContain('.');
    }),
  );
});
