import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import {
  applyReport,
  fillsComplete,
  isClosed,
  isWorking,
  leavesQuantity,
  type OrderReport,
  type OrderState,
} from '../../src/domain/order.ts';
import { anOrder, heard, report, statuses } from './any-order.ts';

describe('a report on an order', () => {
  test.each<{
    name: string;
    given: Partial<OrderState>;
    when: OrderReport;
    /** The change, `unchanged`, or the fault of the report. */
    expected: Partial<OrderState> | string;
  }>([
    { name: 'acknowledges it', given: {}, when: report('new'), expected: { status: 'new' } },
    {
      name: 'fills it in part',
      given: { status: 'new' },
      when: report('partiallyFilled', 1),
      expected: { status: 'partiallyFilled', reportedQuantity: decimal('1'), reportedQuote: decimal('100') },
    },
    {
      name: 'fills it before it was acknowledged',
      given: {},
      when: report('filled', 3),
      expected: { status: 'filled', reportedQuantity: decimal('3') },
    },
    {
      name: 'ends a market order with a part filled',
      given: {},
      when: report('expired', 1),
      expected: { status: 'expired', reportedQuantity: decimal('1') },
    },
    { name: 'rejects it', given: {}, when: report('rejected'), expected: { status: 'rejected' } },
    { name: 'says nothing new the second time', given: { status: 'new' }, when: report('new'), expected: 'unchanged' },
    {
      name: 'says nothing new late',
      given: { status: 'filled', reportedQuantity: decimal('3'), reportedQuote: decimal('300') },
      when: report('new'),
      expected: 'unchanged',
    },
    {
      name: 'cancels it even when it has not heard of the last fill',
      given: { status: 'partiallyFilled', reportedQuantity: decimal('2'), reportedQuote: decimal('200') },
      when: report('canceled', 1),
      expected: { status: 'canceled', reportedQuantity: decimal('2'), reportedQuote: decimal('200') },
    },
    {
      name: 'adds a fill that crossed the cancel',
      given: { status: 'canceled' },
      when: report('partiallyFilled', 1),
      expected: { status: 'canceled', reportedQuantity: decimal('1') },
    },
    {
      name: 'fills it although the cancel was told first',
      given: { status: 'canceled' },
      when: report('filled', 3),
      expected: { status: 'filled', reportedQuantity: decimal('3') },
    },
    {
      name: 'does not open again what is closed',
      given: { status: 'canceled', reportedQuantity: decimal('1'), reportedQuote: decimal('100') },
      when: report('new', 1),
      expected: 'unchanged',
    },
    {
      name: 'finds a parked order on the book',
      given: { status: 'parked', inDoubt: true },
      when: report('new'),
      expected: { status: 'new', inDoubt: false },
    },
    {
      name: 'finds a parked order filled',
      given: { status: 'parked' },
      when: report('filled', 3),
      expected: { status: 'filled' },
    },
    {
      name: 'finds a parked order with fewer fills than known',
      given: { status: 'parked', reportedQuantity: decimal('2'), reportedQuote: decimal('200') },
      when: report('partiallyFilled', 1),
      expected: { status: 'partiallyFilled', reportedQuantity: decimal('2') },
    },
    {
      name: 'settles a doubt',
      given: { inDoubt: true },
      when: report('canceled'),
      expected: { status: 'canceled', inDoubt: false },
    },
    {
      name: 'settles a doubt even when it is old',
      given: {
        status: 'partiallyFilled',
        reportedQuantity: decimal('1'),
        reportedQuote: decimal('100'),
        inDoubt: true,
      },
      when: report('new'),
      expected: { status: 'partiallyFilled', inDoubt: false },
    },
    {
      name: 'with more than was ordered is not believed',
      given: { status: 'new' },
      when: report('filled', 4),
      expected: 'overfilled',
    },
    {
      name: 'on an order that was denied is not believed',
      given: { status: 'denied' },
      when: report('new'),
      expected: 'resurrected',
    },
    {
      name: 'that a rejected order works is not believed',
      given: { status: 'rejected' },
      when: report('new'),
      expected: 'resurrected',
    },
    {
      name: 'that a rejected order filled is not believed',
      given: { status: 'rejected' },
      when: report('expired', 1),
      expected: 'resurrected',
    },
    {
      name: 'that an order with fills was rejected is not believed',
      given: { status: 'partiallyFilled', reportedQuantity: decimal('1') },
      when: report('rejected'),
      expected: 'contradicted',
    },
    {
      name: 'that an order with fills of its own stream was rejected is not believed',
      given: { filledQuantity: decimal('1') },
      when: report('rejected'),
      expected: 'contradicted',
    },
    {
      name: 'that a rejected order is rejected is nothing new',
      given: { status: 'rejected' },
      when: report('rejected'),
      expected: 'unchanged',
    },
  ])('$name', ({ given, when, expected }) => {
    const transition = applyReport(anOrder(given), when);
    if (expected === 'unchanged') expect(transition).toEqual({ outcome: 'unchanged' });
    else if (typeof expected === 'string') expect(transition).toEqual({ outcome: 'illegal', reason: expected });
    else expect(transition).toEqual({ outcome: 'applied', state: expect.objectContaining(expected) });
  });

  test('never touches what was asked for, nor the set of fills', () => {
    const state = anOrder({ filledQuantity: decimal('1') });
    expect(heard(state, report('filled', 3))).toMatchObject({ quantity: '3', filledQuantity: '1' });
  });
});

describe('an order', () => {
  test.each(statuses)('that is %s is working, closed, or parked, and never two of them', (status) => {
    expect([isWorking(status), isClosed(status), status === 'parked'].filter(Boolean)).toHaveLength(1);
  });

  test.each<{ name: string; given: Partial<OrderState>; leaves: string }>([
    { name: 'leaves all of it at first', given: {}, leaves: '3' },
    {
      name: 'leaves what was not reported',
      given: { status: 'partiallyFilled', reportedQuantity: decimal('1') },
      leaves: '2',
    },
    {
      name: 'leaves what was not seen filled, where that is more',
      given: { status: 'partiallyFilled', reportedQuantity: decimal('1'), filledQuantity: decimal('2.5') },
      leaves: '0.5',
    },
    {
      name: 'leaves what may yet fill while it is parked',
      given: { status: 'parked', reportedQuantity: decimal('1') },
      leaves: '2',
    },
    {
      name: 'leaves nothing once it is closed',
      given: { status: 'canceled', reportedQuantity: decimal('1') },
      leaves: '0',
    },
    { name: 'leaves never less than nothing', given: { status: 'new', filledQuantity: decimal('4') }, leaves: '0' },
  ])('$name', ({ given, leaves }) => {
    expect(leavesQuantity(anOrder(given))).toBe(leaves);
  });

  test.each<{ reported: string; seen: string; expected: boolean }>([
    { reported: '0', seen: '0', expected: true },
    { reported: '2', seen: '1', expected: false },
    { reported: '2', seen: '2', expected: true },
    { reported: '1', seen: '2', expected: true },
  ])(
    'of which $reported are reported and $seen seen has its fills complete: $expected',
    ({ reported, seen, expected }) => {
      const state = anOrder({ reportedQuantity: decimal(reported), filledQuantity: decimal(seen) });
      expect(fillsComplete(state)).toBe(expected);
    },
  );
});
