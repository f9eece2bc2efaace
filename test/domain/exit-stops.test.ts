import { describe, expect, test } from 'vitest';
import { decimal, zero } from '../../src/domain/decimal.ts';
import { type ExitLeg, type ExitOrder, type ExitPlan, nextExitStep } from '../../src/domain/exit.ts';
import { aSymbol } from '../support/any-symbol.ts';

const d = decimal;
const nowMs = 1_000_000;
const plan: ExitPlan = { limitPrice: null, escalateAfterMs: 3_000 };

const order = (part: Partial<ExitOrder>): ExitOrder => ({
  clientOrderId: 'rte-1',
  purpose: 'entry',
  generation: 1,
  orderType: 'MARKET',
  status: 'filled',
  inDoubt: false,
  fillsComplete: true,
  filledQuantity: d('1'),
  createdAtMs: nowMs - 60_000,
  updatedAtMs: nowMs - 60_000,
  ...part,
});

const stop = (part: Partial<ExitOrder> = {}): ExitOrder =>
  order({
    clientOrderId: 'rts-1',
    purpose: 'stop',
    orderType: 'STOP_LIMIT',
    status: 'new',
    filledQuantity: zero,
    createdAtMs: nowMs - 100,
    ...part,
  });

const leg = (exitQuantity: string, ...orders: readonly ExitOrder[]): ExitLeg => ({
  leg: 0,
  symbol: 'BTC/USDT',
  exitSide: 'SELL',
  entryQuantity: d('1'),
  exitQuantity: d(exitQuantity),
  baseFee: zero,
  orders: [order({}), ...orders],
  filters: aSymbol({ quantityMin: d('0.001') }),
  price: d('100'),
  freeBase: null,
});

const step = (of: ExitLeg, canceled: readonly string[] = []) =>
  nextExitStep([of], plan, new Map(canceled.map((id) => [id, nowMs])), nowMs);

describe('an exit that finds a stop of its trade at the venue', () => {
  test('cancels it at once, however young: it locks what is to be sold', () => {
    expect(step(leg('0', stop()))).toEqual({ step: 'cancel', leg: 0, clientOrderId: 'rts-1' });
  });

  test('sells nothing while it may still fill', () => {
    expect(step(leg('0', stop()), ['rts-1'])).toMatchObject({ step: 'await' });
  });

  test.each<[string, Partial<ExitOrder>]>([
    ['was sent and nobody knows the end of it', { status: 'pendingNew' }],
    ['is in doubt', { inDoubt: true }],
  ])('asks for it where it %s', (_name, part) => {
    expect(step(leg('0', stop(part)))).toEqual({ step: 'find', leg: 0, clientOrderId: 'rts-1' });
  });

  test('sells all when it was canceled, under a generation of its own', () => {
    expect(step(leg('0', stop({ status: 'canceled', generation: 4 })))).toMatchObject({
      step: 'place',
      generation: 1,
      quantity: '1',
    });
  });

  test('sells the rest of what it has sold', () => {
    const hit = stop({ status: 'canceled', filledQuantity: d('0.4') });
    expect(step(leg('0.4', hit))).toMatchObject({ step: 'place', quantity: '0.6' });
  });

  test('settles when it has sold everything', () => {
    expect(step(leg('1', stop({ status: 'filled', filledQuantity: d('1') })))).toEqual({ step: 'settle' });
  });

  test.each([
    [10, 200],
    [900, 900],
    [60_000, 5_000],
  ])(
    'sells nothing that is not free after one that may have sold, %d ms after a change looks again in %d',
    (ms, again) => {
      const lost = stop({ status: 'parked', inDoubt: true, updatedAtMs: nowMs - 90_000 });
      const canceled = stop({ clientOrderId: 'rts-2', generation: 2, status: 'canceled', updatedAtMs: nowMs - ms });
      const locked = { ...leg('0', lost, canceled), freeBase: d('0') };
      expect(step(locked)).toMatchObject({
        step: 'await',
        untilMs: nowMs + again,
      });
    },
  );

  test('sells all that is held when one was refused: what is free says nothing of that', () => {
    const refused = { ...leg('0', stop({ status: 'rejected' }), stop({ status: 'canceled' })), freeBase: d('0') };
    expect(step(refused)).toMatchObject({ step: 'place', quantity: '1' });
  });

  test('sells no more than is free once it is presumed dead', () => {
    const parked = { ...leg('0', stop({ status: 'parked', inDoubt: true })), freeBase: d('0.3') };
    expect(step(parked)).toMatchObject({ step: 'place', quantity: '0.3' });
  });
});
