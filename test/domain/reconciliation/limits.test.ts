import { describe, expect, test } from 'vitest';
import type { Difference } from '../../../src/domain/reconciliation/difference.ts';
import { excessOf } from '../../../src/domain/reconciliation/limits.ts';
import { aDrift, anExternalOrder, aShortage, d } from './fixtures.ts';

const limits = { unexplainedMax: 1, driftMax: d('100') };
const prices: Record<string, string> = { 'BTC/USDT': '50' };
const excess = (...differences: readonly Difference[]) =>
  excessOf(differences, limits, 'USDT', (symbol) => {
    const price = prices[symbol];
    return price === undefined ? null : d(price);
  });

describe('entries are blocked', () => {
  test.each([
    { why: 'two orders are unexplained', differences: [anExternalOrder(), anExternalOrder({ venueOrderId: '8' })] },
    { why: 'an order and a position are', differences: [anExternalOrder(), aShortage()] },
    { why: 'a drift is above the limit', differences: [aDrift('USDT', '0', '100.01', '100.01')] },
    { why: 'so is one downwards', differences: [aDrift('USDT', '100.01', '0', '-100.01')] },
    {
      why: 'drifts add up, each at its price',
      differences: [aDrift('BTC', '0', '1', '1'), aDrift('USDT', '51', '0', '-51')],
    },
    { why: 'nobody knows what a drift is worth', differences: [aDrift('XYZ', '0', '0.1', '0.1')] },
  ])('when $why', ({ differences }) => {
    expect(excess(...differences)).toEqual(expect.any(String));
  });

  test.each([
    { why: 'nothing differs', differences: [] },
    { why: 'as much is unexplained as may be', differences: [anExternalOrder()] },
    { why: 'a drift is exactly the limit', differences: [aDrift('BTC', '0', '2', '2')] },
  ])('not when $why', ({ differences }) => {
    expect(excess(...differences)).toBeNull();
  });

  test('not for fills that were told anew', () => {
    const changed = (venueTradeId: string): Difference => {
      const numbers = { quantity: d('1'), price: d('1'), quoteQuantity: d('1'), fee: d('0'), feeAsset: 'USDT' };
      const ref = {
        symbol: 'BTC/USDT',
        side: 'BUY' as const,
        venueTradeId,
        venueOrderId: '1',
        clientOrderId: 'c',
        tradeId: 't',
        transactedAtMs: 0,
      };
      return { kind: 'changedFill', ...ref, kept: numbers, reported: { ...numbers, price: d('2') } };
    };
    expect(excess(changed('1'), changed('2'), changed('3'))).toBeNull();
  });
});
