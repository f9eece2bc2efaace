import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, type Decimal, decimal, isMore, multiply, subtract } from '../../src/domain/decimal.ts';
import { isBetter } from '../../src/domain/direction.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { isReached } from '../../src/domain/thresholds.ts';
import {
  activationPriceAt,
  amendDistance,
  amendmentFaults,
  checkTrailingStopRules,
  joinTrailingStop,
  openTrailingStop,
  stepTrailingStop,
  stopPriceAt,
  type TrailingStop,
  type TrailingStopRules,
  trailingThresholds,
} from '../../src/domain/trailing-stop.ts';
import { centPrice } from '../support/arbitrary-decimal.ts';

const entry = decimal('100');

const someRules = (changed: Partial<TrailingStopRules> = {}): TrailingStopRules => ({
  side: 'long',
  by: 'percent',
  distance: decimal('1'),
  activationPrice: null,
  tickSize: null,
  minimumMovePercent: null,
  extremeFrom: 'start',
  ...changed,
});

/** `action stop` after each price. */
function replay(rules: TrailingStopRules, prices: readonly string[], from = openTrailingStop(rules, entry)) {
  let stop = from;
  return prices.map((price) => {
    const step = stepTrailingStop(rules, stop, decimal(price));
    stop = step.stop;
    return `${step.action} ${stop.stopPrice}`;
  });
}

const run = (rules: TrailingStopRules, prices: readonly Decimal[]): TrailingStop =>
  prices.reduce<TrailingStop>(
    (stop, price) => stepTrailingStop(rules, stop, price).stop,
    openTrailingStop(rules, entry),
  );

const anyRules: fc.Arbitrary<TrailingStopRules> = fc
  .record({
    side: fc.constantFrom('long', 'short'),
    form: fc.constantFrom(
      { by: 'percent', distance: decimal('1.5'), tickSize: null },
      { by: 'percent', distance: decimal('0.03'), tickSize: decimal('0.05') },
      { by: 'absolute', distance: decimal('1.7'), tickSize: decimal('0.5') },
      { by: 'absolute', distance: decimal('2'), tickSize: null },
      { by: 'ticks', distance: decimal('3'), tickSize: decimal('0.25') },
    ),
    lead: fc.constantFrom(null, '0.5', '2', '-1'),
    minimumMovePercent: fc.constantFrom(null, decimal('0.5')),
    extremeFrom: fc.constantFrom('activation', 'start'),
  })
  .map(({ side, form, lead, minimumMovePercent, extremeFrom }) =>
    someRules({
      side,
      ...form,
      activationPrice: lead === null ? null : activationPriceAt(side, entry, decimal(lead)),
      minimumMovePercent,
      extremeFrom,
    } as Partial<TrailingStopRules>),
  );

const anyPrices = fc.array(centPrice(), { maxLength: 40 });
const anyRun = fc.tuple(anyRules, anyPrices).map(([rules, prices]) => ({ rules, prices, stop: run(rules, prices) }));

/** Three reports of one stop: from different moments of different runs, so that they disagree. */
const anyReports = fc
  .tuple(anyRules, fc.tuple(anyPrices, anyPrices, anyPrices))
  .map(([rules, runs]) => ({ rules, reports: runs.map((prices) => run(rules, prices)) }));

describe('stepTrailingStop', () => {
  test.each<{ name: string; rules: Partial<TrailingStopRules>; prices: string[]; expected: string[] }>([
    {
      name: 'trails a rising price, holds on a falling one, triggers on a touch and latches',
      rules: {},
      prices: ['101', '100.5', '99.99', '98', '200'],
      expected: ['moved 99.99', 'hold 99.99', 'triggered 99.99', 'latched 99.99', 'latched 99.99'],
    },
    {
      name: 'mirrors it for a short position',
      rules: { side: 'short' },
      prices: ['99', '99.5', '99.99', '1'],
      expected: ['moved 99.99', 'hold 99.99', 'triggered 99.99', 'latched 99.99'],
    },
    {
      name: 'tests the old stop before a gap can move it',
      rules: { by: 'absolute', distance: decimal('2') },
      prices: ['110', '100'],
      expected: ['moved 108', 'triggered 108'],
    },
    {
      name: 'counts an activation that is just reached, and never triggers in that step',
      rules: { activationPrice: decimal('102') },
      prices: ['101.99', '90', '102', '100.98'],
      expected: ['hold null', 'hold null', 'activated 100.98', 'triggered 100.98'],
    },
    {
      name: 'reaches the activation of a short position from above',
      rules: { side: 'short', activationPrice: decimal('98') },
      prices: ['98.01', '98', '98.98'],
      expected: ['hold null', 'activated 98.98', 'triggered 98.98'],
    },
    {
      name: 'rounds the stop toward the price, up for a long position',
      rules: { tickSize: decimal('0.5') },
      prices: ['103.1'],
      expected: ['moved 102.5'],
    },
    {
      name: 'rounds the stop toward the price, down for a short position',
      rules: { side: 'short', tickSize: decimal('0.5') },
      prices: ['96.9'],
      expected: ['moved 97.5'],
    },
    {
      name: 'rounds away from the price where rounding alone would reach it',
      rules: { by: 'absolute', distance: decimal('0.3'), tickSize: decimal('1') },
      prices: ['104', '103.5'],
      expected: ['moved 103', 'hold 103'],
    },
    {
      name: 'rounds away from the price for a short position too',
      rules: { side: 'short', by: 'absolute', distance: decimal('0.3'), tickSize: decimal('1') },
      prices: ['96', '96.5'],
      expected: ['moved 97', 'hold 97'],
    },
    {
      name: 'counts the distance in ticks',
      rules: { by: 'ticks', distance: decimal('4'), tickSize: decimal('0.25') },
      prices: ['102', '101.01', '101'],
      expected: ['moved 101', 'hold 101', 'triggered 101'],
    },
    {
      name: 'makes a move of exactly the smallest share, and none below it',
      rules: { by: 'absolute', distance: decimal('1'), minimumMovePercent: decimal('1') },
      prices: ['100.98', '100.99'],
      expected: ['hold 99', 'moved 99.99'],
    },
    {
      name: 'adds small improvements up until they are worth a move',
      rules: { by: 'absolute', distance: decimal('1'), minimumMovePercent: decimal('1') },
      prices: ['100.5', '100.9', '100.7', '101'],
      expected: ['hold 99', 'hold 99', 'hold 99', 'moved 100'],
    },
    {
      name: 'does not move for a price that is no better after rounding',
      rules: { by: 'absolute', distance: decimal('1'), tickSize: decimal('0.5') },
      prices: ['100.5', '100.6', '100.9', '101.4'],
      expected: ['moved 99.5', 'moved 100', 'hold 100', 'moved 100.5'],
    },
  ])('$name', ({ rules, prices, expected }) => {
    expect(replay(someRules(rules), prices)).toEqual(expected);
  });

  test('activates exactly two percent above 7, where binary floats miss it', () => {
    const activationPrice = activationPriceAt('long', decimal('7'), decimal('2'));
    const rules = someRules({ activationPrice, distance: decimal('1.5') });
    const steps = replay(rules, ['7.1399', '7.14'], openTrailingStop(rules, decimal('7')));
    expect(steps).toEqual(['hold null', 'activated 7.0329']);
  });

  test('trails from the best price before the activation only where that counts', () => {
    const waiting: TrailingStop = { status: 'waiting', extreme: decimal('110'), stopPrice: null };
    const activationPrice = decimal('105');
    const from = (extremeFrom: 'start' | 'activation') =>
      replay(someRules({ activationPrice, extremeFrom }), ['105'], waiting);
    expect([from('start'), from('activation')]).toEqual([['activated 108.9'], ['activated 103.95']]);
  });

  test.each(['0', '-1'])('refuses a price of %s', (price) => {
    const rules = someRules();
    const refusal = expect.objectContaining({ code: 'PRICE_INVALID', context: { price } });
    expect(() => openTrailingStop(rules, decimal(price))).toThrow(refusal);
    expect(() => stepTrailingStop(rules, openTrailingStop(rules, entry), decimal(price))).toThrow(refusal);
  });

  test('never loosens the stop, forgets no extreme and never leaves the trigger', () => {
    fc.assert(
      fc.property(anyRun, anyPrices, ({ rules, stop: start }, prices) => {
        let stop = start;
        for (const price of prices) {
          const { stop: next, action } = stepTrailingStop(rules, stop, price);
          if (stop.stopPrice !== null) expect(next.stopPrice).not.toBeNull();
          if (stop.stopPrice !== null && next.stopPrice !== null) {
            expect(isBetter(rules.side, stop.stopPrice, next.stopPrice)).toBe(false);
          }
          if (stop.status !== 'waiting') expect(isBetter(rules.side, stop.extreme, next.extreme)).toBe(false);
          if (stop.status === 'triggered') expect([next, action]).toEqual([stop, 'latched']);
          if (stop.status === 'waiting') expect(next.status).not.toBe('triggered');
          stop = next;
        }
      }),
    );
  });

  test('triggers exactly when the price is not better than the stop in force', () => {
    fc.assert(
      fc.property(anyRun, centPrice(), ({ rules, stop }, price) => {
        fc.pre(stop.status === 'trailing');
        const isHit = stop.stopPrice !== null && !isBetter(rules.side, price, stop.stopPrice);
        expect(stepTrailingStop(rules, stop, price).action === 'triggered').toBe(isHit);
      }),
    );
  });

  test('leaves the price that moved the stop on the right side of it', () => {
    fc.assert(
      fc.property(anyRun, centPrice(), ({ rules, stop }, price) => {
        const step = stepTrailingStop(rules, stop, price);
        if (step.action !== 'moved' || step.stop.stopPrice === null) return;
        expect(isBetter(rules.side, price, step.stop.stopPrice)).toBe(true);
      }),
    );
  });

  test('treats a short position as a long one seen in a mirror', () => {
    const mirror = (price: Decimal) => subtract(decimal('200'), price);
    const long = someRules({ by: 'absolute', distance: decimal('1.23'), tickSize: decimal('0.05') });
    fc.assert(
      fc.property(anyPrices, fc.constantFrom(null, decimal('101.5')), (prices, activationPrice) => {
        const asLong = run({ ...long, activationPrice }, prices);
        const shortActivation = activationPrice === null ? null : mirror(activationPrice);
        const asShort = run({ ...long, side: 'short', activationPrice: shortActivation }, prices.map(mirror));
        expect(asShort).toEqual({
          status: asLong.status,
          extreme: mirror(asLong.extreme),
          stopPrice: asLong.stopPrice === null ? null : mirror(asLong.stopPrice),
        });
      }),
    );
  });
});

describe('stopPriceAt', () => {
  test('stays within a tick of the exact stop', () => {
    fc.assert(
      fc.property(anyRules, centPrice(), (rules, extreme) => {
        fc.pre(rules.tickSize !== null);
        const exact = stopPriceAt({ ...rules, tickSize: rules.by === 'ticks' ? rules.tickSize : null }, extreme);
        const off = subtract(stopPriceAt(rules, extreme), exact);
        expect(isMore(multiply(off, off), multiply(rules.tickSize ?? entry, rules.tickSize ?? entry))).toBe(false);
      }),
    );
  });
});

describe('trailingThresholds', () => {
  test('a price between them changes nothing, and a price that reaches one does', () => {
    fc.assert(
      fc.property(anyRun, centPrice(), ({ rules, stop }, anyPrice) => {
        const { below, above } = trailingThresholds(rules, stop);
        for (const price of [anyPrice, below?.price ?? anyPrice, above?.price ?? anyPrice]) {
          const reaches =
            (below !== null && isReached(below, 'below', price)) ||
            (above !== null && isReached(above, 'above', price));
          expect(stepTrailingStop(rules, stop, price).stop !== stop).toBe(reaches);
        }
      }),
    );
  });
});

describe('joinTrailingStop', () => {
  test('gives the same in whatever order and however often reports come', () => {
    fc.assert(
      fc.property(anyReports, ({ rules, reports: [a, b, c] }) => {
        if (a === undefined || b === undefined || c === undefined) throw new Error('three reports');
        const join = (x: TrailingStop, y: TrailingStop) => joinTrailingStop(rules, x, y);
        expect(join(a, b)).toEqual(join(b, a));
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)));
        expect(join(a, a)).toEqual(a);
        expect(join(join(a, b), b)).toEqual(join(a, b));
      }),
    );
  });

  test('gives the later of two reports of one run', () => {
    fc.assert(
      fc.property(anyRun, anyPrices, ({ rules, stop }, prices) => {
        const later = prices.reduce<TrailingStop>((at, price) => stepTrailingStop(rules, at, price).stop, stop);
        expect(joinTrailingStop(rules, later, stop)).toEqual(later);
      }),
    );
  });
});

describe('amendDistance', () => {
  test('never loosens the stop, and its rules are the new ones', () => {
    const distances = ['0.2', '1', '2.5', '7'].map(decimal);
    fc.assert(
      fc.property(anyRun, fc.constantFrom(...distances), ({ rules, stop }, distance) => {
        const amended = amendDistance(rules, stop, distance);
        expect(amended.rules).toEqual({ ...rules, distance });
        expect({ ...amended.stop, stopPrice: null }).toEqual({ ...stop, stopPrice: null });
        if (stop.stopPrice === null || amended.stop.stopPrice === null) {
          expect(amended.stop.stopPrice).toBe(stop.stopPrice);
        } else {
          expect(isBetter(rules.side, stop.stopPrice, amended.stop.stopPrice)).toBe(false);
        }
      }),
    );
  });

  test('moves a trailing stop to the new distance at once', () => {
    const rules = someRules();
    const amended = amendDistance(rules, run(rules, [decimal('110')]), decimal('0.5'));
    expect(amended.stop).toEqual({ status: 'trailing', extreme: '110', stopPrice: '109.45' });
  });

  test('leaves a triggered stop alone', () => {
    const triggered = run(someRules(), [decimal('98')]);
    expect(amendDistance(someRules(), triggered, decimal('0.1')).stop).toBe(triggered);
  });
});

describe('amendmentFaults', () => {
  const rules = someRules();
  const stop = openTrailingStop(rules, entry);

  test.each(['1', '0.5'])('accepts a distance of %s under 1 percent', (distance) => {
    expect(amendmentFaults(rules, stop, { distance: decimal(distance) })).toEqual([]);
  });

  test.each<[string, string, TrailingStop, RegExp[]]>([
    ['a larger distance', '1.1', stop, [/TRAILING_AMENDMENT_LOOSENS.*distance=1\.1, from=1/]],
    ['no distance', '0', stop, [/TRAILING_DISTANCE_INVALID/]],
    ['a triggered stop', '0.5', { ...stop, status: 'triggered' }, [/TRAILING_STOP_TRIGGERED/]],
    [
      'everything at once',
      '100',
      { ...stop, status: 'triggered' },
      [/TRAILING_DISTANCE_INVALID/, /TRAILING_AMENDMENT_LOOSENS/, /TRAILING_STOP_TRIGGERED/],
    ],
  ])('names %s', (_, distance, at, expected) => {
    const faults = amendmentFaults(rules, at, { distance: decimal(distance) });
    expect(faults).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

describe('checkTrailingStopRules', () => {
  test.each<[string, Partial<TrailingStopRules>, string | undefined, ErrorCode[]]>([
    ['nothing wrong', {}, '100', []],
    ['a distance of zero', { distance: decimal('0') }, undefined, ['TRAILING_DISTANCE_INVALID']],
    ['a long stop at zero', { distance: decimal('100') }, undefined, ['TRAILING_DISTANCE_INVALID']],
    ['a wide short stop', { side: 'short', distance: decimal('150') }, '100', []],
    [
      'an amount of the whole price',
      { by: 'absolute', distance: decimal('100') },
      '100',
      ['TRAILING_DISTANCE_INVALID'],
    ],
    ['the same without a reference', { by: 'absolute', distance: decimal('100') }, undefined, []],
    ['ticks without a tick size', { by: 'ticks' }, '100', ['TRAILING_TICK_SIZE_MISSING']],
    ['a tick size of zero', { tickSize: decimal('0') }, '100', ['TRAILING_TICK_SIZE_INVALID']],
    ['a smallest move of zero', { minimumMovePercent: decimal('0') }, '100', ['TRAILING_MINIMUM_MOVE_INVALID']],
    ['an activation at zero', { activationPrice: decimal('0') }, undefined, ['TRAILING_ACTIVATION_INVALID']],
    ['an activation at the distance', { activationPrice: decimal('101') }, '100', ['TRAILING_ACTIVATION_TOO_NEAR']],
    ['an activation beyond the distance', { activationPrice: decimal('101.01') }, '100', []],
    ['a near activation that is allowed', { activationPrice: decimal('100.5') }, undefined, []],
    [
      'several faults, all of them',
      { by: 'ticks', distance: decimal('-1'), minimumMovePercent: decimal('-1'), activationPrice: decimal('-1') },
      '100',
      [
        'TRAILING_DISTANCE_INVALID',
        'TRAILING_TICK_SIZE_MISSING',
        'TRAILING_MINIMUM_MOVE_INVALID',
        'TRAILING_ACTIVATION_INVALID',
      ],
    ],
  ])('finds %s', (_, changed, reference, expected) => {
    const faults = checkTrailingStopRules(someRules(changed), reference === undefined ? undefined : decimal(reference));
    expect(faults.map((fault) => fault.code)).toEqual(expected);
  });
});

describe('activationPriceAt', () => {
  test('is on the side where the position profits', () => {
    const at = (side: 'long' | 'short') => activationPriceAt(side, decimal('250'), decimal('0.5'));
    expect([at('long'), at('short')]).toEqual(['251.25', '248.75']);
  });

  test('is never nearer than the profit asked for', () => {
    fc.assert(
      fc.property(centPrice(), (price) => {
        const activation = activationPriceAt('long', price, decimal('2'));
        expect(compare(multiply(activation, decimal('100')), multiply(price, decimal('102')))).toBe(0);
      }),
    );
  });
});
