import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  compare,
  type Decimal,
  decimal,
  isMore,
  isPositive,
  multiply,
  roundToStep,
  subtract,
  zero,
} from '../../src/domain/decimal.ts';
import { type ExitLeg, type ExitOrder, type ExitPlan, type ExitStep, nextExitStep } from '../../src/domain/exit.ts';
import { isDust } from '../../src/domain/filters.ts';
import { aSymbol } from '../support/any-symbol.ts';

const d = decimal;

const filters = aSymbol({
  quantityMin: d('0.001'),
  marketQuantityMax: d('5'),
  notionalMin: d('5'),
  notionalMinAppliesToMarket: true,
});

const nowMs = 1_000_000;
const atMarket: ExitPlan = { limitPrice: null, escalateAfterMs: 3_000 };
const atLimit: ExitPlan = { limitPrice: d('110'), escalateAfterMs: 3_000 };

const aLeg = (part: Partial<ExitLeg> = {}): ExitLeg => ({
  leg: 0,
  symbol: 'BTC/USDT',
  exitSide: 'SELL',
  entryQuantity: d('1'),
  exitQuantity: zero,
  baseFee: zero,
  orders: [anEntry()],
  filters,
  price: d('100'),
  freeBase: null,
  ...part,
});

const anOrder = (part: Partial<ExitOrder>): ExitOrder => ({
  clientOrderId: 'x1',
  purpose: 'exit',
  generation: 1,
  orderType: 'MARKET',
  status: 'filled',
  inDoubt: false,
  fillsComplete: true,
  filledQuantity: zero,
  createdAtMs: nowMs - 10_000,
  updatedAtMs: nowMs - 10_000,
  ...part,
});

const anEntry = (part: Partial<ExitOrder> = {}): ExitOrder =>
  anOrder({ clientOrderId: 'e1', purpose: 'entry', filledQuantity: d('1'), ...part });

/** 0.4 of the entry filled and were sold; the rest of it still works. */
const aSoldPart = (): ExitLeg =>
  aLeg({
    orders: [anEntry({ status: 'partiallyFilled', filledQuantity: d('0.4') }), anOrder({ filledQuantity: d('0.4') })],
    entryQuantity: d('0.4'),
    exitQuantity: d('0.4'),
  });

type Case = {
  readonly name: string;
  readonly leg: ExitLeg;
  readonly plan?: ExitPlan;
  readonly canceled?: readonly (readonly [string, number])[];
  readonly expected: Partial<ExitStep>;
};

describe('nextExitStep', () => {
  test.each<Case>([
    {
      name: 'sells all at market at once when nothing works',
      leg: aLeg(),
      expected: { step: 'place', generation: 1, side: 'SELL', orderType: 'MARKET', quantity: d('1'), limitPrice: null },
    },
    {
      name: 'tries the limit price first where there is one',
      leg: aLeg(),
      plan: atLimit,
      expected: { step: 'place', generation: 1, orderType: 'LIMIT', limitPrice: d('110') },
    },
    {
      name: 'cancels the entry that still works before it sells',
      leg: aLeg({
        orders: [anEntry({ status: 'partiallyFilled', filledQuantity: d('0.4') })],
        entryQuantity: d('0.4'),
      }),
      expected: { step: 'cancel', clientOrderId: 'e1' },
    },
    {
      name: 'sells what is filled although the cancel has not ended the entry',
      leg: aLeg({
        orders: [anEntry({ status: 'partiallyFilled', filledQuantity: d('0.4') })],
        entryQuantity: d('0.4'),
      }),
      canceled: [['e1', nowMs - 60_000]],
      expected: { step: 'place', quantity: d('0.4') },
    },
    {
      name: 'waits with another cancel of an entry that still works, when all of it is sold',
      leg: aSoldPart(),
      canceled: [['e1', nowMs - 4_999]],
      expected: { step: 'await', untilMs: nowMs + 1 },
    },
    {
      name: 'asks again to cancel an entry that still works after its cancel',
      leg: aSoldPart(),
      canceled: [['e1', nowMs - 5_000]],
      expected: { step: 'cancel', clientOrderId: 'e1' },
    },
    {
      name: 'asks again to cancel a limit exit that still works after its cancel',
      leg: aLeg({ orders: [anEntry(), anOrder({ orderType: 'LIMIT', status: 'new' })] }),
      plan: atLimit,
      canceled: [['x1', nowMs - 5_000]],
      expected: { step: 'cancel', clientOrderId: 'x1' },
    },
    {
      name: 'asks again to cancel while a sale that was refused pauses',
      leg: aLeg({
        orders: [
          anEntry({ status: 'partiallyFilled', filledQuantity: d('0.4') }),
          anOrder({ status: 'rejected', updatedAtMs: nowMs - 100 }),
        ],
        entryQuantity: d('0.4'),
      }),
      canceled: [['e1', nowMs - 5_000]],
      expected: { step: 'cancel', clientOrderId: 'e1' },
    },
    {
      name: 'asks for an order in doubt before anything else',
      leg: aLeg({ orders: [anEntry(), anOrder({ status: 'pendingNew', inDoubt: true })] }),
      expected: { step: 'find', clientOrderId: 'x1' },
    },
    {
      name: 'asks for an order of which nobody knows whether it left',
      leg: aLeg({ orders: [anEntry({ status: 'pendingNew', filledQuantity: zero })], entryQuantity: zero }),
      expected: { step: 'find', clientOrderId: 'e1' },
    },
    {
      name: 'collects fills that the venue counts and the book has not',
      leg: aLeg({ orders: [anEntry({ fillsComplete: false })] }),
      expected: { step: 'collectFills', clientOrderId: 'e1' },
    },
    {
      name: 'lets a limit exit work for its time',
      leg: aLeg({ orders: [anEntry(), anOrder({ orderType: 'LIMIT', status: 'new', createdAtMs: nowMs - 2_999 })] }),
      plan: atLimit,
      expected: { step: 'await', untilMs: nowMs + 1 },
    },
    {
      name: 'cancels a limit exit whose time is over',
      leg: aLeg({ orders: [anEntry(), anOrder({ orderType: 'LIMIT', status: 'new', createdAtMs: nowMs - 3_000 })] }),
      plan: atLimit,
      expected: { step: 'cancel', clientOrderId: 'x1' },
    },
    {
      name: 'escalates what the limit left to market',
      leg: aLeg({
        exitQuantity: d('0.3'),
        orders: [anEntry(), anOrder({ orderType: 'LIMIT', status: 'canceled', filledQuantity: d('0.3') })],
      }),
      plan: atLimit,
      expected: { step: 'place', generation: 2, orderType: 'MARKET', quantity: d('0.7') },
    },
    {
      name: 'sells a fee less than was bought, in whole steps',
      leg: aLeg({ baseFee: d('0.0015') }),
      expected: { step: 'place', quantity: d('0.998') },
    },
    {
      name: 'stays within what the venue takes in one market order',
      leg: aLeg({ entryQuantity: d('7') }),
      expected: { step: 'place', quantity: d('5') },
    },
    {
      name: 'settles when only dust is left',
      leg: aLeg({ exitQuantity: d('0.999'), orders: [anEntry(), anOrder({ filledQuantity: d('0.999') })] }),
      expected: { step: 'settle' },
    },
    {
      name: 'settles an entry that never filled',
      leg: aLeg({ entryQuantity: zero, orders: [anEntry({ status: 'canceled', filledQuantity: zero })] }),
      expected: { step: 'settle' },
    },
    {
      name: 'does not settle while a parked entry may yet appear',
      leg: aLeg({ entryQuantity: zero, orders: [anEntry({ status: 'parked', filledQuantity: zero })] }),
      expected: { step: 'await' },
    },
    {
      name: 'sends the next generation after a parked exit, within what the venue shows free',
      leg: aLeg({ orders: [anEntry(), anOrder({ status: 'parked' })], freeBase: d('0.4567') }),
      expected: { step: 'place', generation: 2, quantity: d('0.456') },
    },
    {
      name: 'waits, and does not settle, when the venue shows nothing free of what the position holds',
      leg: aLeg({ orders: [anEntry(), anOrder({ status: 'rejected' })], freeBase: zero }),
      expected: { step: 'await' },
    },
    {
      name: 'pauses before it tries again after a refusal',
      leg: aLeg({ orders: [anEntry(), anOrder({ status: 'rejected', updatedAtMs: nowMs - 100 })] }),
      expected: { step: 'await', untilMs: nowMs + 100 },
    },
  ])('$name', ({ leg, plan = atMarket, canceled = [], expected }) => {
    expect(nextExitStep([leg], plan, new Map(canceled), nowMs)).toMatchObject(expected);
  });
});

// A venue that fills, refuses, loses answers and cancels as it likes for a while, and behaves from then on.
type Whim = { readonly fate: 'fill' | 'part' | 'reject' | 'expire' | 'doubt' | 'park'; readonly share: number };

function runExit(
  quantity: Decimal,
  plan: ExitPlan,
  whims: readonly Whim[],
): { leg: ExitLeg; steps: number; soldMost: Decimal } {
  let leg = aLeg({ entryQuantity: quantity, orders: [anEntry({ filledQuantity: quantity })] });
  const canceled = new Map<string, number>();
  let clockMs = nowMs;
  let placed = 0;
  let soldMost = zero;
  const change = (clientOrderId: string, part: Partial<ExitOrder>) => {
    leg = {
      ...leg,
      orders: leg.orders.map((order) =>
        order.clientOrderId === clientOrderId ? { ...order, ...part, updatedAtMs: clockMs } : order,
      ),
    };
  };
  const fill = (clientOrderId: string, of: Decimal, status: ExitOrder['status']) => {
    leg = { ...leg, exitQuantity: add(leg.exitQuantity, of) };
    change(clientOrderId, { status, filledQuantity: of, inDoubt: false });
  };
  for (let steps = 0; steps < 500; steps += 1) {
    const step = nextExitStep([leg], plan, canceled, clockMs);
    switch (step.step) {
      case 'settle':
        return { leg, steps, soldMost };
      case 'await':
        clockMs = Math.max(clockMs + 1, step.untilMs);
        break;
      case 'cancel':
        canceled.set(step.clientOrderId, clockMs);
        change(step.clientOrderId, { status: 'canceled' });
        break;
      case 'find':
        change(step.clientOrderId, { status: 'canceled', inDoubt: false });
        break;
      case 'collectFills':
        change(step.clientOrderId, { fillsComplete: true });
        break;
      case 'place': {
        const whim = whims[placed] ?? { fate: 'fill', share: 1 };
        placed += 1;
        const clientOrderId = `x${placed}`;
        soldMost = add(leg.exitQuantity, step.quantity);
        if (isMore(soldMost, quantity)) return { leg, steps, soldMost };
        leg = {
          ...leg,
          orders: [
            ...leg.orders,
            anOrder({
              clientOrderId,
              generation: step.generation,
              orderType: step.orderType,
              status: 'new',
              createdAtMs: clockMs,
              updatedAtMs: clockMs,
            }),
          ],
        };
        const part = roundToStep(multiply(step.quantity, d(String(whim.share))), filters.stepSize, 'floor');
        if (whim.fate === 'fill') fill(clientOrderId, step.quantity, 'filled');
        else if (whim.fate === 'part') fill(clientOrderId, part, 'canceled');
        else if (whim.fate === 'expire') fill(clientOrderId, part, 'expired');
        else if (whim.fate === 'reject') change(clientOrderId, { status: 'rejected' });
        else if (whim.fate === 'park') change(clientOrderId, { status: 'parked' });
        else change(clientOrderId, { status: 'pendingNew', inDoubt: true });
      }
    }
  }
  return { leg, steps: 500, soldMost };
}

describe('an exit against a venue with whims', () => {
  const whims = fc.array(
    fc.record({
      fate: fc.constantFrom<Whim['fate']>('fill', 'part', 'reject', 'expire', 'doubt', 'park'),
      share: fc.constantFrom(0, 0.25, 0.5, 1),
    }),
    { maxLength: 12 },
  );
  const quantities = fc
    .integer({ min: 1, max: 20_000 })
    .map((thousandths) => multiply(d(String(thousandths)), d('0.001')));

  test('always ends flat, and never offers more than is held', () => {
    fc.assert(
      fc.property(quantities, fc.constantFrom(atMarket, atLimit), whims, (quantity, plan, fates) => {
        const { leg, steps, soldMost } = runExit(quantity, plan, fates);
        expect(steps).toBeLessThan(500);
        expect(compare(soldMost, quantity)).toBeLessThanOrEqual(0);
        const left = subtract(quantity, leg.exitQuantity);
        expect(isPositive(left) && !isDust(filters, left, leg.price)).toBe(false);
      }),
    );
  });
});
