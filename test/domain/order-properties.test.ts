import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decimal, decimal, isLess } from '../../src/domain/decimal.ts';
import { applyReport, isClosed, type OrderReport } from '../../src/domain/order.ts';
import { anOrder, heard, report, statuses } from './any-order.ts';

describe('an order, for any reports', () => {
  const life: readonly OrderReport[] = [report('new'), report('partiallyFilled', 1), report('partiallyFilled', 2)];
  const ends: readonly OrderReport[] = [
    report('filled', 3),
    report('canceled', 2),
    report('canceled', 1),
    report('expired', 2),
  ];
  const anyReport = fc
    .record({
      status: fc.constantFrom<OrderReport['status']>(
        'new',
        'partiallyFilled',
        'filled',
        'canceled',
        'rejected',
        'expired',
      ),
      quantity: fc.nat(4),
    })
    .map(({ status, quantity }) => report(status, quantity));
  const anyState = fc
    .record({
      status: fc.constantFrom(...statuses),
      reported: fc.nat(3),
      seen: fc.nat(3),
      inDoubt: fc.boolean(),
    })
    .map(({ status, reported, seen, inDoubt }) =>
      anOrder({
        status,
        reportedQuantity: decimal(String(reported)),
        reportedQuote: decimal(String(reported * 100)),
        filledQuantity: decimal(String(seen)),
        inDoubt,
      }),
    );

  test('whatever order and however often the reports come, the end is the same', () => {
    const delivery = fc.constantFrom(...ends).chain((end) => {
      const truth = [...life, end];
      return fc.record({
        end: fc.constant(end),
        reports: fc
          .shuffledSubarray([...truth, ...truth], { minLength: truth.length })
          .map((some) => [...truth, ...some])
          .chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
      });
    });
    fc.assert(
      fc.property(delivery, fc.boolean(), ({ end, reports }, inDoubt) => {
        expect(reports.reduce(heard, anOrder({ inDoubt }))).toMatchObject({
          status: end.status,
          reportedQuantity: end.status === 'filled' ? '3' : '2',
          inDoubt: false,
        });
      }),
    );
  });

  test('a report that comes again changes nothing', () => {
    fc.assert(
      fc.property(anyState, anyReport, (state, told) => {
        const once = heard(state, told);
        expect(heard(once, told)).toEqual(once);
        expect(applyReport(once, told).outcome).not.toBe('applied');
      }),
    );
  });

  test('closed stays closed, and no quantity ever shrinks or exceeds what was ordered', () => {
    const least = (a: Decimal, b: Decimal) => !isLess(a, b);
    fc.assert(
      fc.property(anyState, fc.array(anyReport, { maxLength: 10 }), (state, reports) => {
        let before = state;
        for (const told of reports) {
          const next = heard(before, told);
          if (isClosed(before.status)) expect(isClosed(next.status)).toBe(true);
          if (before.status === 'filled' || before.status === 'denied') expect(next.status).toBe(before.status);
          expect(least(next.reportedQuantity, before.reportedQuantity)).toBe(true);
          expect(least(next.reportedQuote, before.reportedQuote)).toBe(true);
          expect(least(next.quantity, next.reportedQuantity)).toBe(true);
          before = next;
        }
      }),
    );
  });

  test("a doubt is settled by the venue's word, and by nothing that can't be", () => {
    fc.assert(
      fc.property(anyState, anyReport, (state, told) => {
        const doubted = { ...state, inDoubt: true };
        const isBelieved = applyReport(doubted, told).outcome !== 'illegal';
        expect(heard(doubted, told).inDoubt).toBe(!isBelieved);
      }),
    );
  });

  test('no report ever raises a doubt', () => {
    fc.assert(
      fc.property(anyState, anyReport, (state, told) => {
        expect(heard({ ...state, inDoubt: false }, told).inDoubt).toBe(false);
      }),
    );
  });
});
