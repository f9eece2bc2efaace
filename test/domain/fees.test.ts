import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, decimal } from '../../src/domain/decimal.ts';
import { type FeeSchedule, feeOf } from '../../src/domain/fees.ts';
import { anyScaled, decimalOfScaled } from '../support/arbitrary-decimal.ts';

const schedule = (makerBps: string, takerBps: string, rebateBps: string): FeeSchedule => ({
  makerBps: decimal(makerBps),
  takerBps: decimal(takerBps),
  rebateBps: decimal(rebateBps),
});

const fill = (quantity: string, price: string, isMaker: boolean) => ({
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

  test('charges the same for a fill as for its parts', () => {
    fc.assert(
      fc.property(anyScaled(1n), anyScaled(1n), anyScaled(1n), fc.boolean(), (one, other, price, isMaker) => {
        const [quantities, at] = [[one, other].map(decimalOfScaled), decimalOfScaled(price)];
        const parts = quantities.map((quantity) => feeOf(usual, { quantity, price: at, isMaker }));
        const [first, second] = parts;
        const [small, large] = quantities;
        if (!first || !second || !small || !large) return;
        const whole = feeOf(usual, { quantity: add(small, large), price: at, isMaker });
        expect(whole.fee).toBe(add(first.fee, second.fee));
        expect(whole.rebate).toBe(add(first.rebate, second.rebate));
      }),
    );
  });
});
