import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArmedSet, createArmedSet } from '../../src/domain/armed-set.ts';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import { type Guard, stepGuard } from '../../src/domain/guard.ts';
import { centPrice } from '../support/arbitrary-decimal.ts';
import { anyGuard } from './any-guard.ts';

const stopLossAt = (price: string): Guard => ({
  kind: 'stopLoss',
  terms: { side: 'long', price: decimal(price) },
  state: { status: 'armed' },
});

const trailingFrom = (price: string): Guard => ({
  kind: 'trailingStop',
  terms: {
    side: 'long',
    by: 'absolute',
    distance: decimal('1'),
    activationPrice: null,
    tickSize: null,
    minimumMovePercent: null,
    extremeFrom: 'start',
  },
  state: { status: 'trailing', extreme: decimal(price), stopPrice: decimal('90') },
});

const idsAndActions = (set: ArmedSet, price: string) =>
  set.onPrice(decimal(price)).map(({ id, action }) => `${id} ${action}`);

/** The same set in the plainest way: every guard is stepped with every price. */
function createNaiveSet() {
  const guards = new Map<string, Guard>();
  return {
    guards,
    onPrice: (price: Decimal) =>
      [...guards].flatMap(([id, before]) => {
        const { guard, action } = stepGuard(before, price);
        guards.set(id, guard);
        return action === 'hold' ? [] : [{ id, guard, action }];
      }),
  };
}

type Command =
  | { readonly do: 'put'; readonly id: string; readonly guard: Guard }
  | { readonly do: 'disarm'; readonly id: string }
  | { readonly do: 'price'; readonly price: Decimal };

const anyId = fc.nat({ max: 12 }).map((n) => `t-${n}`);
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('put' as const), id: anyId, guard: anyGuard }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disarm' as const), id: anyId }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('price' as const), price: centPrice() }) },
);

describe('an armed set', () => {
  test('answers every price as if every guard had been stepped with it', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
        const set = createArmedSet();
        const naive = createNaiveSet();
        const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
        for (const command of commands) {
          if (command.do === 'put') {
            if (naive.guards.has(command.id)) set.amend(command.id, command.guard);
            else set.arm(command.id, command.guard);
            naive.guards.set(command.id, command.guard);
          } else if (command.do === 'disarm') {
            set.disarm(command.id);
            naive.guards.delete(command.id);
          } else {
            const expected = naive.onPrice(command.price).sort(byId);
            expect([...set.onPrice(command.price)].sort(byId)).toEqual(expected);
          }
          expect(set.size()).toBe(naive.guards.size);
        }
        for (const [id, guard] of naive.guards) expect(set.find(id)).toEqual(guard);
      }),
      { numRuns: 300 },
    );
  });

  test('tells what a price triggers once, and keeps it until it is disarmed', () => {
    const set = createArmedSet();
    set.arm('low', stopLossAt('98'));
    set.arm('high', stopLossAt('99'));
    expect(idsAndActions(set, '99.01')).toEqual([]);
    expect(idsAndActions(set, '99')).toEqual(['high triggered']);
    expect(idsAndActions(set, '97')).toEqual(['low triggered']);
    expect(idsAndActions(set, '90')).toEqual([]);
    expect([set.size(), set.find('high')?.state.status]).toEqual([2, 'triggered']);
  });

  test('moves only the guards whose extreme is beaten', () => {
    const set = createArmedSet();
    set.arm('young', trailingFrom('100'));
    set.arm('old', trailingFrom('105'));
    expect(idsAndActions(set, '100')).toEqual([]);
    expect(idsAndActions(set, '103')).toEqual(['young changed']);
    expect(idsAndActions(set, '106').sort()).toEqual(['old changed', 'young changed']);
    expect(idsAndActions(set, '105').sort()).toEqual(['old triggered', 'young triggered']);
  });

  test('takes a guard once, however the price reaches it', () => {
    const set = createArmedSet();
    const guard = trailingFrom('100');
    // Amended beyond its own extreme, any price reaches its stop and many reach its extreme as well.
    set.arm('t-1', { ...guard, state: { ...guard.state, stopPrice: decimal('102') } } as Guard);
    expect(idsAndActions(set, '101')).toEqual(['t-1 triggered']);
  });

  test('refuses to arm an id twice', () => {
    const set = createArmedSet();
    set.arm('t-1', stopLossAt('99'));
    expect(() => set.arm('t-1', stopLossAt('98'))).toThrow(expect.objectContaining({ code: 'GUARD_ALREADY_ARMED' }));
    expect(set.find('t-1')).toEqual(stopLossAt('99'));
  });

  test('amends only what is armed, and from then on by the new terms', () => {
    const set = createArmedSet();
    expect(() => set.amend('t-1', stopLossAt('98'))).toThrow(expect.objectContaining({ code: 'GUARD_NOT_ARMED' }));
    set.arm('t-1', stopLossAt('98'));
    set.amend('t-1', stopLossAt('99.5'));
    expect(idsAndActions(set, '99.5')).toEqual(['t-1 triggered']);
  });

  test('forgets what is disarmed, and does not mind an id it never had', () => {
    const set = createArmedSet();
    set.arm('t-1', stopLossAt('99'));
    set.disarm('t-1');
    set.disarm('t-1');
    expect([set.size(), set.find('t-1'), idsAndActions(set, '1')]).toEqual([0, undefined, []]);
    set.arm('t-1', stopLossAt('99'));
    expect(idsAndActions(set, '1')).toEqual(['t-1 triggered']);
  });

  test.each(['0', '-5'])('decides nothing on a price of %s', (price) => {
    const set = createArmedSet();
    set.arm('t-1', stopLossAt('99'));
    expect(() => set.onPrice(decimal(price))).toThrow(expect.objectContaining({ code: 'PRICE_INVALID' }));
    expect(set.find('t-1')?.state.status).toBe('armed');
  });
});
