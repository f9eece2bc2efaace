import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, decimal, isMore, subtract, zero } from '../../src/domain/decimal.ts';
import { type FeeSchedule, feeOf, feesOf } from '../../src/domain/fees.ts';
import { anyScaled, decimalOfScaled } from '../support/arbitrary-decimal.ts';

const schedule = (makerBps: string, takerBps: string, rebateBps: string): FeeSchedule => ({
  makerBps: decimal(makerBps),
  takerBps: decimal(takerBps),
  rebateBps: decimal(rebateBps),
});

const fill = (quantity: string, price: string, isMaker: boolean, symbol = 'A/Q') => ({
  symbol,
  quantity: decimal(quantity),
  price: decimal(price),
  isMaker,
});

const usual = schedule('1', '7', '2');

describe('feeOf', () => {
  test('charges a maker and gives the rebate back', () => {
    expect(feeOf(usual, fill('2', '50.5', true))).toEqual({ notional: '101', fee: '0.0101', rebate: '0.0202' });
  });

  test('charges a taker and gives nothing back', () => {
    expect(feeOf(usual, fill('2', '50.5', false))).toEqual({ notional: '101', fee: '0.0707', rebate: '0' });
  });
});

describe('feesOf', () => {
  test('is nothing without fills', () => {
    expect(feesOf({ '*': usual }, [])).toEqual({ gross: '0', fees: '0', rebates: '0', net: '0', makerRatio: '0' });
  });

  test("takes a symbol's own schedule before the one for all", () => {
    const schedules = { '*': usual, 'B/Q': schedule('0.5', '5', '2.5') };
    const totals = feesOf(schedules, [fill('1', '100', true, 'A/Q'), fill('1', '200', false, 'B/Q')]);
    expect(totals).toEqual({
      gross: '300',
      fees: '0.11',
      rebates: '0.02',
      net: '0.09',
      makerRatio: '0.3333333333333333333333333333',
    });
  });

  test('rounds only the ratio, to the nearest', () => {
    const totals = feesOf({ '*': usual }, [fill('2', '1', true), fill('1', '1', false)]);
    expect(totals.makerRatio).toBe('0.6666666666666666666666666667');
  });

  const anyFill = fc
    .record({ quantity: anyScaled(1n), price: anyScaled(1n), isMaker: fc.boolean() })
    .map(({ quantity, price, isMaker }) => ({
      symbol: 'A/Q',
      quantity: decimalOfScaled(quantity),
      price: decimalOfScaled(price),
      isMaker,
    }));

  test('adds up fill by fill, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(anyFill, { maxLength: 8 }), (fills) => {
        const totals = feesOf({ '*': usual }, fills);
        const each = fills.map((one) => feeOf(usual, one));
        expect(totals.net).toBe(
          subtract(
            each.reduce((total, one) => add(total, one.fee), zero),
            each.reduce((total, one) => add(total, one.rebate), zero),
          ),
        );
        expect(feesOf({ '*': usual }, fills.toReversed())).toEqual(totals);
        expect(isMore(totals.makerRatio, decimal('1'))).toBe(false);
      }),
    );
  });
});
