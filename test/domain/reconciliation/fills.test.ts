import { describe, expect, test } from 'vitest';
import { compareFills } from '../../../src/domain/reconciliation/fills.ts';
import { compareOrders } from '../../../src/domain/reconciliation/orders.ts';
import { aFill, d } from './fixtures.ts';

const late = 10_000;
const kindsOf = (...args: Parameters<typeof compareFills>) =>
  compareFills(...args).map(({ kind, venueTradeId }) => `${kind} ${venueTradeId}`);

describe('fills', () => {
  test('that both sides tell alike are no difference, in any order', () => {
    expect(compareFills([aFill('1'), aFill('2')], [aFill('2'), aFill('1')], late)).toEqual([]);
  });

  test('that only one side has are told apart', () => {
    expect(kindsOf([aFill('1')], [aFill('2')], late)).toEqual(['missingFill 1', 'uncountedFill 2']);
  });

  test('that the venue may not list yet are not missing', () => {
    const book = [aFill('1', { transactedAtMs: late - 1 }), aFill('2', { transactedAtMs: late })];
    expect(kindsOf(book, [], late)).toEqual(['missingFill 1']);
  });

  test.each([
    { what: 'price', changed: { price: d('101') } },
    { what: 'quantity', changed: { quantity: d('2') } },
    { what: 'quote quantity', changed: { quoteQuantity: d('99') } },
    { what: 'fee', changed: { fee: d('0.002') } },
    { what: 'asset of the fee', changed: { feeAsset: 'BNB' } },
  ])('with another $what are a change that keeps both', ({ changed }) => {
    const [found] = compareFills([aFill('1')], [aFill('1', changed)], late);
    const { quantity, price, quoteQuantity, fee, feeAsset } = aFill('1');
    const kept = { quantity, price, quoteQuantity, fee, feeAsset };
    expect(found).toMatchObject({ kind: 'changedFill', kept, reported: { ...kept, ...changed } });
  });

  test('of the two orders of a trade with oneself are two, though the venue numbers them alike', () => {
    const both = [aFill('1'), aFill('1', { venueOrderId: '2', clientOrderId: 'rtx-1' })];
    expect(compareFills(both, both, late)).toEqual([]);
    expect(kindsOf(both, [aFill('1')], late)).toEqual(['missingFill 1']);
  });
});

describe('orders', () => {
  const id = (clientOrderId: string) => ({ clientOrderId });

  test('are compared by client order id', () => {
    expect(compareOrders([id('a'), id('b')], [id('b'), id('c')])).toEqual({
      bookOnly: [id('a')],
      venueOnly: [id('c')],
    });
  });

  test('a list that could not be read is no difference', () => {
    expect(compareOrders([id('a')], null)).toBeNull();
  });
});
