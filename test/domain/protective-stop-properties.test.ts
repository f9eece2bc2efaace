import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, decimal, isEqual, isLess, isMore, subtract, sum, zero } from '../../src/domain/decimal.ts';
import { isBetter } from '../../src/domain/direction.ts';
import { isClosed, type PositionSide } from '../../src/domain/order.ts';
import {
  nextProtectionStep,
  type ProtectedPosition,
  type ProtectionStep,
  type ProtectiveOrder,
} from '../../src/domain/protective-stop.ts';
import { nowMs, position, stop, terms } from './protected-position.ts';

const d = decimal;

describe('whatever the venue does', () => {
  const answers = ['accepted', 'rejected', 'notPlaced', 'unknown', 'parked'] as const;
  const happening = fc.record({
    answer: fc.constantFrom(...answers),
    /** Of a replacement: whether the old one was canceled, and whether its fate is unknown. */
    canceled: fc.constantFrom('yes', 'no', 'unknown'),
    passMs: fc.constantFrom(0, 500, 5_000, 70_000),
    event: fc.constantFrom('none', 'grows', 'tightens', 'tightensALittle', 'canceledByOthers', 'sells', 'doubted'),
    isLate: fc.boolean(),
  });
  type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

  /** The book and the venue, as the steps and the happenings change them. */
  function aWorld(side: PositionSide) {
    let orders: readonly ProtectiveOrder[] = [];
    let held = d('1');
    let localStop = d(side === 'long' ? '95' : '105');
    let atMs = nowMs;
    // What the venue never took, and nobody knows it yet.
    const neverTaken = new Set<number>();
    const change = (generation: number, part: Partial<ProtectiveOrder>) => {
      orders = orders.map((each) => (each.generation === generation ? { ...each, updatedAtMs: atMs, ...part } : each));
    };
    const find = ({ generation, status }: ProtectiveOrder, isLate: boolean) => {
      const isLost = neverTaken.has(generation) || (status === 'pendingNew' && isLate);
      const found = isClosed(status) ? status : isLost ? 'parked' : 'new';
      change(generation, { status: found, inDoubt: false });
    };
    const append = (generation: number, part: Partial<ProtectiveOrder>) => {
      orders = [...orders, stop({ ...part, generation, createdAtMs: atMs, updatedAtMs: atMs })];
    };
    const tighten = (by: string) => {
      localStop = side === 'long' ? add(localStop, d(by)) : subtract(localStop, d(by));
    };
    const view = (): ProtectedPosition =>
      position({ side, held, localStop, price: side === 'long' ? d('1000') : d('1') }, ...orders);

    return {
      view,
      orders: () => orders,
      held: () => held,
      nowMs: () => atMs,
      befall({ passMs, event }: Happening) {
        atMs += passMs;
        const working = orders.find(({ status, inDoubt }) => status === 'new' && !inDoubt);
        if (event === 'grows') held = add(held, d('0.5'));
        if (event === 'tightens') tighten('1');
        if (event === 'tightensALittle') tighten('0.013');
        if (working === undefined) return;
        if (event === 'canceledByOthers') change(working.generation, { status: 'canceled' });
        if (event === 'doubted') change(working.generation, { inDoubt: true });
        if (event === 'sells' && isMore(held, d('1'))) {
          held = subtract(held, d('0.5'));
          change(working.generation, { status: 'canceled' });
        }
      },
      selling: () =>
        sum(
          orders
            .filter(({ status, generation }) => !isClosed(status) && status !== 'parked' && !neverTaken.has(generation))
            .map(({ quantity }) => quantity),
        ),
      obey(step: ProtectionStep, { answer, canceled, isLate }: Happening) {
        if (step.step === 'find') {
          const doubted = orders.find(({ generation }) => generation === step.generation);
          if (doubted) find(doubted, isLate);
        }
        if (step.step === 'cancel') change(step.generation, { status: 'canceled' });
        if (step.step === 'place') append(step.generation, { ...step.terms, ...become[answer] });
        if (step.step === 'replace') replace(step, { answer, canceled, isLate });
      },
    };

    /** The venue places the new one only when it has canceled the old one, whatever it says of it. */
    function replace(
      { replaced, generation, terms: wanted }: Extract<ProtectionStep, { step: 'replace' }>,
      { answer, canceled, isLate }: Pick<Happening, 'answer' | 'canceled' | 'isLate'>,
    ): void {
      const isLost = canceled === 'unknown' && isLate;
      if (isLost) neverTaken.add(generation);
      if (isLost) change(replaced, { inDoubt: true });
      else if (canceled !== 'no') change(replaced, { status: 'canceled', inDoubt: canceled === 'unknown' });
      append(generation, { ...wanted, ...become[isLost ? 'unknown' : canceled === 'no' ? 'notPlaced' : answer] });
    }
  }

  const become = {
    accepted: { status: 'new' },
    rejected: { status: 'rejected' },
    notPlaced: { status: 'denied' },
    unknown: { status: 'pendingNew', inDoubt: true },
    parked: { status: 'parked' },
  } as const satisfies Record<Happening['answer'], Partial<ProtectiveOrder>>;

  type Check = (before: ProtectedPosition, step: ProtectionStep, world: ReturnType<typeof aWorld>) => void;

  const play = (side: PositionSide, story: readonly Happening[], check: Check) => {
    const world = aWorld(side);
    for (const each of story) {
      world.befall(each);
      const before = world.view();
      const step = nextProtectionStep(before, terms, world.nowMs());
      world.obey(step, each);
      check(before, step, world);
    }
    return world;
  };

  const stories = fc.array(happening, { minLength: 1, maxLength: 60 });
  const sides = fc.constantFrom<PositionSide>('long', 'short');

  test('what can still sell is never more than is held', () => {
    const property = fc.property(sides, stories, (side, story) => {
      play(side, story, (_before, _step, world) => {
        expect(isMore(world.selling(), world.held()), `${world.selling()} of ${world.held()}`).toBe(false);
      });
    });
    fc.assert(property);
  });

  test('no stop is looser than the one before it', () => {
    const property = fc.property(sides, stories, (side, story) => {
      const world = play(side, story, () => undefined);
      for (const [place, each] of world.orders().slice(1).entries()) {
        const before = world.orders()[place] as ProtectiveOrder;
        expect(isBetter(side, before.stopPrice, each.stopPrice)).toBe(false);
      }
    });
    fc.assert(property);
  });

  test('none is replaced for its price by less than a step, or sooner than the interval', () => {
    const property = fc.property(sides, stories, (side, story) => {
      play(side, story, (before, step, world) => {
        if (step.step !== 'replace') return;
        const replaced = before.orders.find(({ generation }) => generation === step.replaced) as ProtectiveOrder;
        if (!isEqual(replaced.quantity, step.terms.quantity)) return;
        expect(world.nowMs() - replaced.createdAtMs).toBeGreaterThanOrEqual(terms.moveIntervalMs);
        const moved = Math.abs(Number(step.terms.stopPrice) / Number(replaced.stopPrice) - 1);
        expect(moved).toBeGreaterThanOrEqual(0.002 - 1e-12);
      });
    });
    fc.assert(property);
  });

  test('it comes to rest with one stop for everything once the venue answers', () => {
    const property = fc.property(sides, stories, (side, story) => {
      const world = play(side, story, () => undefined);
      const quiet: Happening = { answer: 'accepted', canceled: 'yes', passMs: 70_000, event: 'none', isLate: false };
      let step = nextProtectionStep(world.view(), terms, world.nowMs());
      for (let looks = 0; looks < 80 && !(step.step === 'wait' && step.untilMs === null); looks += 1) {
        world.befall(quiet);
        step = nextProtectionStep(world.view(), terms, world.nowMs());
        world.obey(step, quiet);
      }
      expect(step).toMatchObject({ step: 'wait', untilMs: null });
      expect(world.selling()).toBe(world.held());
    });
    fc.assert(property);
  });

  test('the venue sells no sooner than the local guard, and its limit lies beyond its stop', () => {
    const price = fc.integer({ min: 100, max: 10_000_000 }).map((cents) => d((cents / 1e4).toFixed(4)));
    const property = fc.property(
      sides,
      price,
      fc.integer({ min: 0, max: 1_000 }),
      (side, localStop, limitOffsetBps) => {
        const step = nextProtectionStep(
          position({ side, localStop, held: d('1000'), price: null }),
          { ...terms, limitOffsetBps },
          nowMs,
        );
        if (step.step !== 'place') return;
        expect(isBetter(side, step.terms.stopPrice, localStop)).toBe(false);
        expect(isBetter(side, step.terms.limitPrice, step.terms.stopPrice)).toBe(false);
        expect(isLess(zero, step.terms.limitPrice)).toBe(true);
      },
    );
    fc.assert(property);
  });
});
