import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterLook,
  type ListedOrder,
  newSweep,
  planCancels,
  type SweepLook,
  type SweepState,
} from '../../src/domain/cancel-sweep.ts';

const settings = { settleMs: 3_250 };
const startedAtMs = 1_000_000;

const look = (changed: Partial<SweepLook> = {}): SweepLook => ({
  atMs: startedAtMs,
  endedAtMs: changed.atMs ?? startedAtMs,
  listed: [],
  notCanceled: [],
  unseen: [],
  isComplete: true,
  awaited: [],
  ...changed,
});

const planAfter = (...looks: readonly Partial<SweepLook>[]) => {
  let state: SweepState = newSweep(startedAtMs);
  let plan = afterLook(state, look(looks[0]), settings);
  for (const next of looks.slice(1)) {
    state = plan.state;
    plan = afterLook(state, look(next), settings);
  }
  return plan;
};

describe('afterLook', () => {
  test.each<[string, readonly Partial<SweepLook>[], boolean]>([
    ['one empty look is not enough', [{}], false],
    ['two empty looks, not far enough apart', [{}, { atMs: startedAtMs + 3_249 }], false],
    ['two empty looks, far enough apart', [{}, { atMs: startedAtMs + 3_250 }], true],
    ['an order that raced in between begins anew', [{}, { atMs: startedAtMs + 3_250, listed: ['a'] }], false],
    [
      'two empty looks after the one that raced in',
      [{}, { atMs: startedAtMs + 1_000, listed: ['a'] }, { atMs: startedAtMs + 2_000 }, { atMs: startedAtMs + 5_250 }],
      true,
    ],
    [
      'a look that could not see everything is not empty',
      [{}, { atMs: startedAtMs + 3_250, isComplete: false }],
      false,
    ],
    ['an order in doubt may still appear', [{}, { atMs: startedAtMs + 3_250, awaited: ['a'] }], false],
    [
      'an order in doubt that was settled',
      [{}, { atMs: startedAtMs + 3_250, awaited: ['a'] }, { atMs: startedAtMs + 6_500 }],
      true,
    ],
  ])('F38: %s', (_, looks, isFinished) => {
    expect(planAfter(...looks).isFinished).toBe(isFinished);
  });

  test('F38: the second look of a clean sweep comes when the window is over, not before', () => {
    expect(planAfter({}).nextLookAtMs).toBe(startedAtMs + 3_250);
  });

  test.each<[string, Partial<SweepLook>, readonly string[]]>([
    ['nothing while cancels are on their way', { listed: ['a'], notCanceled: ['a'] }, []],
    [
      'what is left once the next look would come too late, sorted, each once',
      { atMs: startedAtMs + 3_600, listed: ['b', 'a'], notCanceled: ['b', 'a'], unseen: ['a'], isComplete: false },
      ['a', 'b'],
    ],
    [
      'what is left at once, where the venue answers only later',
      { listed: ['a'], notCanceled: ['a'], retryAtMs: startedAtMs + 120_000 },
      ['a'],
    ],
    [
      'what is left by a look that has taken long',
      { endedAtMs: startedAtMs + 3_800, listed: ['a'], notCanceled: ['a'] },
      ['a'],
    ],
    ['nothing where everything was canceled', { atMs: startedAtMs + 3_600, listed: ['a'] }, []],
  ])('F39 F40: names %s', (_, seen, named) => {
    expect(planAfter(seen).toName).toEqual(named);
  });

  test('F40: asks a venue again when it said that it may be asked, not before', () => {
    const retryAtMs = startedAtMs + 120_000;
    expect(planAfter({ isComplete: false, unseen: ['a'], retryAtMs }).nextLookAtMs).toBe(retryAtMs);
  });

  test('F39: looks again within two seconds for as long as something is left', () => {
    let state = newSweep(startedAtMs);
    let atMs = startedAtMs;
    for (let n = 0; n < 20; n += 1) {
      const plan = afterLook(state, look({ atMs, listed: ['a'], notCanceled: ['a'] }), settings);
      expect(plan.nextLookAtMs - atMs).toBeGreaterThan(0);
      expect(plan.nextLookAtMs - atMs).toBeLessThanOrEqual(2_000);
      ({ state } = plan);
      atMs = plan.nextLookAtMs;
    }
  });
});

/** A venue in which orders sent before the halt appear within the window, and cancels fail by chance. */
const aRace = fc.record({
  appearAfterMs: fc.array(fc.integer({ min: -5_000, max: 3_250 }), { maxLength: 8 }),
  fails: fc.array(fc.boolean(), { maxLength: 40 }),
  blind: fc.array(fc.boolean(), { maxLength: 10 }),
});

describe('a whole sweep', () => {
  test('I9: ends only when the venue has none left and none can appear, whatever fails on the way', () => {
    fc.assert(
      fc.property(aRace, ({ appearAfterMs, fails, blind }) => {
        const alive = new Map(appearAfterMs.map((afterMs, n) => [`o${n}`, startedAtMs + afterMs]));
        const failures = [...fails];
        const blindLooks = [...blind];
        let state = newSweep(startedAtMs);
        let atMs = startedAtMs;
        for (let looks = 0; looks < 200; looks += 1) {
          const isComplete = blindLooks.shift() !== true;
          const listed = isComplete ? [...alive].filter(([, from]) => from <= atMs).map(([id]) => id) : [];
          const notCanceled = listed.filter(() => failures.shift() === true);
          for (const id of listed) if (!notCanceled.includes(id)) alive.delete(id);
          const plan = afterLook(state, look({ atMs, listed, notCanceled, isComplete }), settings);
          if (plan.isFinished) {
            expect([...alive.keys()]).toEqual([]);
            expect(atMs).toBeGreaterThanOrEqual(startedAtMs + settings.settleMs);
            return;
          }
          expect(plan.nextLookAtMs).toBeGreaterThan(atMs);
          ({ state } = plan);
          atMs = plan.nextLookAtMs;
        }
        expect.fail('the sweep never ends');
      }),
    );
  });
});

const order = (clientOrderId: string, symbol: string, isInScope = true): ListedOrder => ({
  clientOrderId,
  symbol,
  isInScope,
});
const three = [order('a1', 'A/Q'), order('a2', 'A/Q'), order('a3', 'A/Q')];

describe('planCancels', () => {
  test.each([
    { name: 'a symbol with nothing else in it', open: three, holds: [], symbols: ['A/Q'], single: [] },
    { name: 'a few orders one by one', open: three.slice(1), holds: [], symbols: [], single: ['a2', 'a3'] },
    {
      name: 'one by one beside an exit, which stays',
      open: [...three, order('x', 'A/Q', false)],
      holds: [],
      symbols: [],
      single: ['a1', 'a2', 'a3'],
    },
    {
      name: 'one by one where a position is open, because its exit may come meanwhile',
      open: three,
      holds: ['A/Q'],
      symbols: [],
      single: ['a1', 'a2', 'a3'],
    },
    {
      name: 'each symbol for itself',
      open: [...three, order('b', 'B/Q')],
      holds: ['B/Q'],
      symbols: ['A/Q'],
      single: ['b'],
    },
  ])('cancels $name', ({ open, holds, symbols, single }) => {
    expect(planCancels(open, (symbol) => !holds.includes(symbol))).toEqual({ symbols, single });
  });

  test('I11: never touches what is not in its scope, and leaves nothing out that is', () => {
    const any = fc.record({
      clientOrderId: fc.uuid(),
      symbol: fc.constantFrom('A/Q', 'B/Q'),
      isInScope: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any), fc.boolean(), (open, holdsNothing) => {
        const { symbols, single } = planCancels(open, () => holdsNothing);
        const canceled = open.filter((one) => symbols.includes(one.symbol) || single.includes(one.clientOrderId));
        expect(canceled).toEqual(open.filter(({ isInScope }) => isInScope));
      }),
    );
  });
});
