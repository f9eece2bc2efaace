import { describe, expect, test } from 'vitest';
import { isNewer, type OrderReported } from '../../src/contracts/messages/messages.ts';
import { decimal } from '../../src/domain/decimal.ts';

const report = (part: Partial<OrderReported> = {}): OrderReported => ({
  clientOrderId: 'rte-1',
  purpose: 'entry',
  leg: 0,
  generation: 1,
  status: 'new',
  inDoubt: false,
  filledQuantity: decimal('0'),
  filledQuote: decimal('0'),
  fillsComplete: true,
  ...part,
});

describe('a report of an order', () => {
  test.each<[string, Partial<OrderReported>, Partial<OrderReported>]>([
    [
      'of a later generation, whatever became of the one before',
      { generation: 2, status: 'pendingNew' },
      { status: 'filled', filledQuantity: decimal('1') },
    ],
    ['with more filled', { filledQuantity: decimal('0.2') }, { filledQuantity: decimal('0.1') }],
    ['of its end', { status: 'canceled' }, { status: 'new' }],
    ['that ends a doubt', {}, { inDoubt: true }],
    ['of its parking', { status: 'parked', inDoubt: true }, { status: 'pendingNew', inDoubt: true }],
  ])('is news: %s', (_name, heard, known) => {
    expect(isNewer(report(heard), report(known))).toBe(true);
    expect(isNewer(report(known), report(heard))).toBe(false);
  });

  test('that comes twice is none', () => {
    expect(isNewer(report(), report())).toBe(false);
  });
});
