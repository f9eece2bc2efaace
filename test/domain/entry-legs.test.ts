import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import {
  type EntryLeg,
  type EntryStep,
  entryPhaseOf,
  hasFilled,
  type LegOrder,
  nextEntryStep,
} from '../../src/domain/entry-legs.ts';
import { isClosed } from '../../src/domain/order.ts';

const order = (status: LegOrder['status'], changed: Partial<LegOrder> = {}): LegOrder => ({
  status,
  inDoubt: false,
  fillsComplete: true,
  filledQuantity: decimal(status === 'filled' ? '2' : '0'),
  ...changed,
});
const leg = (known: LegOrder | null, changed: Partial<EntryLeg> = {}): EntryLeg => ({
  order: known,
  isDoubted: false,
  isDue: false,
  ...changed,
});

const unsent = leg(null);
const filled = leg(order('filled'));
const working = leg(order('new'));
const halfFilled = order('partiallyFilled', { filledQuantity: decimal('1') });
const doubtful = leg(order('pendingNew', { inDoubt: true }));
const parked = leg(order('parked', { inDoubt: true }));
const failures = {
  rejected: order('rejected'),
  denied: order('denied'),
  expired: order('expired'),
  'canceled with nothing filled': order('canceled'),
  'canceled with a rest': order('canceled', { filledQuantity: decimal('1') }),
  'expired with a rest': order('expired', { filledQuantity: decimal('1') }),
};

describe('nextEntryStep', () => {
  test.each<{ name: string; legs: readonly EntryLeg[]; isWithdrawn?: boolean; expected: EntryStep }>([
    { name: 'places the first leg', legs: [unsent, unsent], expected: { step: 'place', leg: 0 } },
    { name: 'places the next one once a leg is filled', legs: [filled, unsent], expected: { step: 'place', leg: 1 } },
    { name: 'waits while a leg works', legs: [working, unsent], expected: { step: 'await', leg: 0 } },
    {
      name: 'waits for fills that the venue has counted',
      legs: [leg(order('filled', { fillsComplete: false })), unsent],
      expected: { step: 'await', leg: 0 },
    },
    { name: 'ends once all are filled', legs: [filled, filled, filled], expected: { step: 'end' } },
    { name: 'asks about a leg in doubt', legs: [filled, doubtful, unsent], expected: { step: 'find', leg: 1 } },
    {
      name: 'asks about a leg of which nothing is known',
      legs: [filled, leg(null, { isDoubted: true })],
      expected: { step: 'find', leg: 1 },
    },
    {
      name: 'asks about an order whose sender has gone silent',
      legs: [leg(order('pendingNew')), unsent],
      expected: { step: 'find', leg: 0 },
    },
    { name: 'waits while a leg is parked', legs: [filled, parked, unsent], expected: { step: 'await', leg: 1 } },
    {
      name: 'asks about a parked leg when a person wants it',
      legs: [filled, leg(parked.order, { isDoubted: true })],
      expected: { step: 'find', leg: 1 },
    },
    {
      name: 'cancels a leg whose time is up',
      legs: [filled, leg(halfFilled, { isDue: true })],
      expected: { step: 'cancel', leg: 1 },
    },
    {
      name: 'does not cancel a parked leg whose time is up',
      legs: [filled, leg(parked.order, { isDue: true })],
      expected: { step: 'await', leg: 1 },
    },
    {
      name: 'cancels what works when nobody wants it any more',
      legs: [filled, working],
      isWithdrawn: true,
      expected: { step: 'cancel', leg: 1 },
    },
    {
      name: 'cancels what works once another leg has failed',
      legs: [leg(failures.rejected), working],
      expected: { step: 'cancel', leg: 1 },
    },
    {
      name: 'does not compensate while another leg is in doubt',
      legs: [leg(failures.rejected), doubtful, filled],
      expected: { step: 'find', leg: 1 },
    },
    {
      name: 'does not compensate while another leg is parked',
      legs: [filled, leg(failures.rejected), parked],
      expected: { step: 'await', leg: 2 },
    },
    {
      name: 'compensates when nobody wants it any more between two legs',
      legs: [filled, unsent],
      isWithdrawn: true,
      expected: { step: 'compensate' },
    },
    {
      name: 'keeps what is complete, though nobody wants it any more',
      legs: [filled, filled],
      isWithdrawn: true,
      expected: { step: 'end' },
    },
    {
      name: 'gives back what was reserved for the one leg that was never sent',
      legs: [unsent],
      isWithdrawn: true,
      expected: { step: 'find', leg: 0 },
    },
  ])('$name', ({ legs, isWithdrawn = false, expected }) => {
    expect(nextEntryStep(legs, isWithdrawn)).toEqual(expected);
  });

  describe.each(Object.entries(failures))('a leg that is %s', (_, failed) => {
    test.each([
      { place: 'the first of two', legs: [leg(failed), unsent] },
      { place: 'the last of two', legs: [filled, leg(failed)] },
      { place: 'in the middle', legs: [filled, leg(failed), unsent, unsent] },
    ])('has the others sold again: $place', ({ legs }) => {
      expect(nextEntryStep(legs, false)).toEqual({ step: 'compensate' });
      expect(entryPhaseOf(legs.map((one) => one.order))).toBe('compensating');
    });

    test('is the end of an entry that has no other', () => {
      expect(nextEntryStep([leg(failed)], false)).toEqual({ step: 'end' });
      expect(entryPhaseOf([failed])).toBe(hasFilled([failed]) ? 'partly-entered' : 'unfilled');
    });
  });
});

test.each([
  { orders: [null, null], phase: 'placing' },
  { orders: [order('new'), null], phase: 'working' },
  { orders: [order('filled'), null], phase: 'working' },
  { orders: [order('filled'), order('filled', { fillsComplete: false })], phase: 'working' },
  { orders: [order('filled'), doubtful.order], phase: 'in-doubt' },
  { orders: [order('filled'), parked.order], phase: 'parked' },
  { orders: [order('filled'), order('filled')], phase: 'entered' },
])('entryPhaseOf says $phase', ({ orders, phase }) => {
  expect(entryPhaseOf(orders)).toBe(phase);
});

// A venue that answers as it likes, and a person who resolves what is parked. Choice 0 is always one that gets on.
describe('whatever the venue, the network and the people do', () => {
  const legCounts = fc.integer({ min: 1, max: 4 });
  const choices = fc.array(fc.nat({ max: 11 }), { maxLength: 60 });

  test('it ends with all legs filled, or with what was bought to be sold', () => {
    fc.assert(
      fc.property(legCounts, choices, (count, tape) => {
        const { legs, last } = play(count, tape);
        const isComplete = legs.every(({ order: known }) => known?.status === 'filled');
        if (count > 1) expect(last.step).toBe(isComplete ? 'end' : 'compensate');
        else expect(last.step).toBe('end');
      }),
      { numRuns: 3_000 },
    );
  });

  test('it gets to both ends, at every leg', () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(legCounts, choices, (count, tape) => {
        const { legs, last } = play(count, tape);
        ends.add(`${count} legs: ${last.step} after ${legs.filter(({ order: known }) => known !== null).length}`);
      }),
      { numRuns: 3_000, seed: 1 },
    );
    for (const count of [2, 3, 4]) {
      expect(ends).toContain(`${count} legs: end after ${count}`);
      for (let sent = 1; sent <= count; sent += 1) expect(ends).toContain(`${count} legs: compensate after ${sent}`);
    }
  });
});

/** Plays an entry to its end, and fails as soon as it does what it never may. */
function play(count: number, tape: readonly number[]): { legs: readonly EntryLeg[]; last: EntryStep } {
  const legs: EntryLeg[] = Array.from({ length: count }, () => unsent);
  const placed = new Set<number>();
  const choices = tape.values();
  const choose = () => choices.next().value ?? 0;
  let isWithdrawn = false;
  for (let steps = 0; ; steps += 1) {
    if (steps > tape.length + 8 * count) throw new Error(`it does not come to an end: ${JSON.stringify(legs)}`);
    const next = nextEntryStep(legs, isWithdrawn);
    if (next.step === 'end' || next.step === 'compensate') {
      for (const { order: known } of legs) expect(known === null || isOver(known)).toBe(true);
      return { legs, last: next };
    }
    if (next.step === 'place') {
      expect(placed.has(next.leg)).toBe(false);
      placed.add(next.leg);
      // Nothing more is bought while anything is uncertain or unfinished.
      for (const other of legs.slice(0, next.leg)) expect(other).toEqual(filledLike(other));
      for (const other of legs.slice(next.leg)) expect(other.order).toBeNull();
    }
    const choice = choose();
    if (choice === 11) isWithdrawn = true;
    legs[next.leg] = after(next.step, legs[next.leg] as EntryLeg, choice);
  }
}

const isOver = ({ status, fillsComplete, inDoubt }: LegOrder) => isClosed(status) && fillsComplete && !inDoubt;
const filledLike = (one: EntryLeg) => ({ ...one, order: { ...one.order, status: 'filled', inDoubt: false } });

function after(step: 'place' | 'find' | 'cancel' | 'await', before: EntryLeg, choice: number): EntryLeg {
  const silent = { ...before, isDoubted: true };
  switch (step) {
    case 'place':
      return outcomeOf(before, choice) ?? silent;
    case 'find': {
      if (choice === 9) return silent;
      if (choice === 10) return { ...parked, isDue: before.isDue };
      return outcomeOf({ ...before, isDoubted: false }, choice) ?? leg(order('denied'));
    }
    case 'cancel':
      if (choice === 9) return silent;
      return { ...before, order: order(choice % 2 === 0 ? 'canceled' : 'filled', { filledQuantity: decimal('1') }) };
    case 'await':
      if (before.order?.status === 'parked' && choice === 9) return silent;
      if (choice === 8) return { ...before, isDue: true };
      return outcomeOf({ ...before, isDoubted: false }, choice) ?? { ...before, order: order('canceled') };
  }
}

/** What the venue may say of an order, or nothing. */
function outcomeOf(before: EntryLeg, choice: number): EntryLeg | undefined {
  const said: Readonly<Record<number, LegOrder>> = {
    0: order('filled'),
    1: order('new'),
    2: halfFilled,
    3: order('filled', { fillsComplete: false }),
    4: order('rejected'),
    5: order('expired', { filledQuantity: decimal('1') }),
    6: order('canceled', { fillsComplete: false }),
    7: order('pendingNew', { inDoubt: true }),
  };
  const known = said[choice];
  return known && { ...before, order: known };
}
