import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, decimal, isEqual, isLess, isMore, subtract, sum, zero } from '../../src/domain/decimal.ts';
import { isBetter } from '../../src/domain/direction.ts';
import type { SymbolFilters } from '../../src/domain/filters.ts';
import { isClosed, type PositionSide } from '../../src/domain/order.ts';
import {
  nextProtectionStep,
  type ProtectedPosition,
  type ProtectionStep,
  type ProtectionTerms,
  type ProtectiveOrder,
} from '../../src/domain/protective-stop.ts';

const d = decimal;
const nowMs = 1_000_000;
const terms: ProtectionTerms = { limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 };

const filters: SymbolFilters = {
  symbol: 'BTC/USDT',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  isTrading: true,
  tickSize: d('0.01'),
  stepSize: d('0.001'),
  priceMin: null,
  priceMax: null,
  quantityMin: d('0.001'),
  quantityMax: null,
  marketQuantityMax: null,
  notionalMin: d('5'),
  notionalMinAppliesToMarket: true,
};

const stop = (part: Partial<ProtectiveOrder> = {}): ProtectiveOrder => ({
  clientOrderId: `rts-${part.generation ?? 1}`,
  generation: 1,
  status: 'new',
  inDoubt: false,
  fillsComplete: true,
  quantity: d('1'),
  stopPrice: d('95'),
  wouldTrigger: false,
  createdAtMs: nowMs - 120_000,
  updatedAtMs: nowMs - 120_000,
  ...part,
});

const position = (part: Partial<ProtectedPosition> = {}, ...orders: readonly ProtectiveOrder[]): ProtectedPosition => ({
  side: 'long',
  isLeaving: false,
  held: d('1'),
  localStop: d('95'),
  isArmed: true,
  isTrailing: false,
  orders,
  filters,
  price: d('100'),
  ...part,
});

const next = (part: Partial<ProtectedPosition> = {}, ...orders: readonly ProtectiveOrder[]) =>
  nextProtectionStep(position(part, ...orders), terms, nowMs);

describe('places', () => {
  test('one stop for what is held, at the local one, with its limit beyond it', () => {
    expect(next({ held: d('0.99951') })).toEqual({
      step: 'place',
      generation: 1,
      terms: { quantity: '0.999', stopPrice: '95', limitPrice: '94.52' },
    });
  });

  test('the other way round for a short position', () => {
    expect(next({ side: 'short', localStop: d('105.001') })).toMatchObject({
      terms: { quantity: '1', stopPrice: '105.01', limitPrice: '105.54' },
    });
  });

  test.each([
    { name: 'no guard has a price', part: { localStop: null }, untilMs: null },
    { name: 'the guards are not armed', part: { localStop: null, isArmed: false }, untilMs: nowMs + 1_000 },
    { name: 'what is held is dust', part: { held: d('0.0009') }, untilMs: null },
    { name: 'what is held is worth too little', part: { held: d('0.05') }, untilMs: null },
  ])('nothing while $name', ({ part, untilMs }) => {
    expect(next(part)).toMatchObject({ step: 'wait', untilMs });
  });

  test.each([null, '94', '95', '100'])('at a last price of %s all the same: the venue knows a newer one', (price) => {
    expect(next({ price: price === null ? null : d(price) })).toMatchObject({ step: 'place' });
  });

  test('nothing and asks for the exit when the venue says that it would trigger at once', () => {
    expect(next({ price: null }, stop({ status: 'rejected', wouldTrigger: true }))).toMatchObject({ step: 'exit' });
  });

  test.each([
    { status: 'canceled' as const, again: 2 },
    { status: 'expired' as const, again: 2 },
    { status: 'rejected' as const, again: 2 },
    { status: 'denied' as const, again: 2 },
    { status: 'parked' as const, again: 2 },
  ])('again at once when one was $status', ({ status, again }) => {
    // What is presumed dead stays in doubt: it is a person's by now.
    const ended = stop({ status, inDoubt: status === 'parked' });
    expect(next({}, ended)).toMatchObject({ step: 'place', generation: again });
  });

  test('after a growing pause when one after the other is refused, of a minute at most', () => {
    const refused = (count: number) =>
      Array.from({ length: count }, (_, place) =>
        stop({ generation: place + 1, status: 'rejected', updatedAtMs: nowMs }),
      );
    const pauses = [1, 2, 3, 4, 20].map((count) => {
      const step = next({}, ...refused(count));
      return step.step === 'wait' ? (step.untilMs ?? 0) - nowMs : 0;
    });
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 60_000]);
  });

  test('no more than once a second, however often somebody cancels it', () => {
    const step = next({}, stop({ status: 'canceled', createdAtMs: nowMs - 10, updatedAtMs: nowMs - 5 }));
    expect(step).toMatchObject({ step: 'wait', untilMs: nowMs + 990 });
  });

  test('what is left, when one was canceled half way', () => {
    expect(next({ held: d('0.5') }, stop({ status: 'canceled' }))).toMatchObject({ terms: { quantity: '0.5' } });
  });
});

describe('keeps', () => {
  test.each([
    { name: 'it stands where the local one does', part: {} },
    { name: 'the local one is tighter by less than a step', part: { localStop: d('95.18') } },
    { name: 'the local one is looser', part: { localStop: d('90') } },
    { name: 'rounding alone makes a difference', part: { localStop: d('95.0099') } },
    { name: 'it sells already', part: { localStop: d('99') }, order: { status: 'partiallyFilled' as const } },
  ])('its stop while $name', ({ part, order }) => {
    expect(next(part, stop(order))).toMatchObject({ step: 'wait', untilMs: null });
  });

  test.each(['99', '98'])('its stop while the price of %s is through the new one, and looks again soon', (price) => {
    const step = next({ localStop: d('99'), price: d(price) }, stop());
    expect(step).toMatchObject({ step: 'wait', untilMs: nowMs + 1_000 });
  });

  test('its eyes on a stop that trails', () => {
    expect(next({ isTrailing: true }, stop())).toMatchObject({ step: 'wait', untilMs: nowMs + 60_000 });
  });

  test('its stop until the interval is over', () => {
    const young = stop({ createdAtMs: nowMs - 1_000 });
    expect(next({ localStop: d('98') }, young)).toMatchObject({ step: 'wait', untilMs: nowMs + 59_000 });
  });
});

describe('replaces', () => {
  test('a stop that is a step or more behind', () => {
    expect(next({ localStop: d('95.19') }, stop())).toEqual({
      step: 'replace',
      replaced: 1,
      generation: 2,
      terms: { quantity: '1', stopPrice: '95.19', limitPrice: '94.71' },
    });
  });

  test.each(['1.5', '0.5'])('one that is not the size of %s held, without waiting for the interval', (held) => {
    const young = stop({ createdAtMs: nowMs - 2_000 });
    expect(next({ held: d(held) }, young)).toMatchObject({ step: 'replace', terms: { quantity: held } });
  });

  test('and does not loosen while it grows', () => {
    const grown = next({ held: d('2'), localStop: d('90') }, stop());
    expect(grown).toMatchObject({ step: 'replace', terms: { quantity: '2', stopPrice: '95' } });
  });

  test('again after a pause when the replacement was not placed', () => {
    const denied = stop({ generation: 2, status: 'denied', updatedAtMs: nowMs });
    expect(next({ held: d('2') }, stop(), denied)).toMatchObject({ step: 'wait', untilMs: nowMs + 1_000 });
  });

  test('by nothing what is left of a position that is dust', () => {
    expect(next({ held: d('0.0001') }, stop())).toEqual({ step: 'cancel', generation: 1 });
  });
});

describe('first settles', () => {
  test.each([
    { name: 'what is in doubt', order: stop({ inDoubt: true }), step: 'find' },
    { name: 'what was not answered', order: stop({ status: 'pendingNew' }), step: 'find' },
    { name: 'what is not counted', order: stop({ status: 'canceled', fillsComplete: false }), step: 'collectFills' },
  ])('$name', ({ order, step }) => {
    expect(next({ localStop: d('99') }, order)).toEqual({ step, generation: 1 });
  });

  test('two stops, and cancels the looser one', () => {
    const both = [stop(), stop({ generation: 2, stopPrice: d('96') })];
    expect(next({}, ...both)).toEqual({ step: 'cancel', generation: 1 });
  });

  test('nothing once the exit was asked for', () => {
    expect(next({ isLeaving: true }, stop({ inDoubt: true }))).toEqual({ step: 'done' });
  });
});

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
