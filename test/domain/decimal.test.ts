import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  absolute,
  add,
  compare,
  type Decimal,
  decimal,
  decimalPlaces,
  divide,
  isDecimal,
  isEqual,
  isLess,
  isMore,
  isNegative,
  isPositive,
  isZero,
  larger,
  multiply,
  negate,
  powerOfTen,
  type Rounding,
  roundToPlaces,
  roundToSignificantDigits,
  roundToStep,
  smaller,
  subtract,
  sum,
  toFixed,
} from '../../src/domain/decimal.ts';
import { anyScaled, decimalOfScaled, type Scaled, textOf } from '../support/arbitrary-decimal.ts';

const atScale = ({ units, scale }: Scaled, to: number): bigint => units * 10n ** BigInt(to - scale);
const signOf = (value: bigint): -1 | 0 | 1 => (value < 0n ? -1 : value > 0n ? 1 : 0);
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** How many steps the value is after rounding, by whole-number arithmetic alone. */
function stepsOf(value: bigint, step: bigint, rounding: Rounding): bigint {
  const towardZero = value / step;
  const rest = magnitude(value - towardZero * step);
  if (rest === 0n) return towardZero;
  const away = towardZero + (value < 0n ? -1n : 1n);
  const floor = value < 0n ? away : towardZero;
  const isTie = rest * 2n === step;
  const nearest = rest * 2n > step ? away : towardZero;
  const results: Record<Rounding, bigint> = {
    truncate: towardZero,
    expand: away,
    floor,
    ceiling: floor + 1n,
    'half-up': isTie ? away : nearest,
    'half-even': isTie ? (towardZero % 2n === 0n ? towardZero : away) : nearest,
  };
  return results[rounding];
}

const roundings: readonly Rounding[] = ['floor', 'ceiling', 'truncate', 'expand', 'half-up', 'half-even'];

describe('decimal', () => {
  test.each([
    ['1', '1'],
    ['-1.50', '-1.5'],
    ['0.00', '0'],
    ['-0', '0'],
    ['007.10', '7.1'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['100000000000000000000000000', '100000000000000000000000000'],
  ])('reads %s as %s', (text, expected) => {
    expect(decimal(text)).toBe(expected);
  });

  test.each(['', ' 1', '1 ', '+1', '1e5', '1.', '.5', '-', 'NaN', 'Infinity', '1,5', '0x10', '1.2.3', '١'])(
    'refuses %j',
    (text) => {
      expect(isDecimal(text)).toBe(false);
      expect(() => decimal(text)).toThrow('a plain decimal as text');
    },
  );

  test('is only ever a text', () => {
    expect(isDecimal(1)).toBe(false);
    expect(isDecimal('1')).toBe(true);
  });

  test('is the same text however it was written', () => {
    fc.assert(
      fc.property(anyScaled(), fc.integer({ min: 1, max: 6 }), (value, zeros) => {
        const padded = textOf({ units: value.units * 10n ** BigInt(zeros), scale: value.scale + zeros });
        expect(decimal(padded)).toBe(decimalOfScaled(value));
      }),
    );
  });
});

describe('arithmetic', () => {
  test('is that of whole numbers', () => {
    fc.assert(
      fc.property(anyScaled(), anyScaled(), (a, b) => {
        const [x, y] = [decimalOfScaled(a), decimalOfScaled(b)];
        const scale = Math.max(a.scale, b.scale);
        const [m, n] = [atScale(a, scale), atScale(b, scale)];
        expect(add(x, y)).toBe(decimalOfScaled({ units: m + n, scale }));
        expect(subtract(x, y)).toBe(decimalOfScaled({ units: m - n, scale }));
        expect(multiply(x, y)).toBe(decimalOfScaled({ units: a.units * b.units, scale: a.scale + b.scale }));
        expect(sum([x, y, x])).toBe(decimalOfScaled({ units: m + n + m, scale }));
      }),
    );
  });

  test('turns and drops signs without leaving a minus zero', () => {
    fc.assert(
      fc.property(anyScaled(), (a) => {
        expect(negate(decimalOfScaled(a))).toBe(decimalOfScaled({ ...a, units: -a.units }));
        expect(absolute(decimalOfScaled(a))).toBe(decimalOfScaled({ ...a, units: magnitude(a.units) }));
      }),
    );
    expect(negate(decimal('0'))).toBe('0');
    expect(sum([])).toBe('0');
  });

  test('cuts a quotient toward zero at the places asked for', () => {
    fc.assert(
      fc.property(anyScaled(), anyScaled(), fc.integer({ min: 0, max: 20 }), (a, b, places) => {
        fc.pre(b.units !== 0n);
        const scale = Math.max(a.scale, b.scale);
        const quotient = (atScale(a, scale) * 10n ** BigInt(places)) / atScale(b, scale);
        expect(divide(decimalOfScaled(a), decimalOfScaled(b), places)).toBe(
          decimalOfScaled({ units: quotient, scale: places }),
        );
      }),
    );
  });

  test('cuts at 18 places unless told, and refuses to divide by zero', () => {
    expect(divide(decimal('2'), decimal('3'))).toBe('0.666666666666666666');
    expect(() => divide(decimal('1'), decimal('0'))).toThrow('a divisor is not zero');
  });
});

describe('compare', () => {
  test('orders as whole numbers do', () => {
    fc.assert(
      fc.property(anyScaled(), anyScaled(), (a, b) => {
        const [x, y] = [decimalOfScaled(a), decimalOfScaled(b)];
        const scale = Math.max(a.scale, b.scale);
        const order = signOf(atScale(a, scale) - atScale(b, scale));
        expect(compare(x, y)).toBe(order);
        expect([isLess(x, y), isEqual(x, y), isMore(x, y)]).toEqual([order < 0, order === 0, order > 0]);
        expect([smaller(x, y), larger(x, y)]).toEqual(order > 0 ? [y, x] : [x, y]);
        expect([isNegative(x), isZero(x), isPositive(x)]).toEqual([a.units < 0n, a.units === 0n, a.units > 0n]);
      }),
    );
  });

  test('finds a number neither less nor more than itself', () => {
    const x = decimal('1.5');
    expect([isLess(x, x), isMore(x, x), isEqual(x, x), smaller(x, x), larger(x, x)]).toEqual([
      false,
      false,
      true,
      x,
      x,
    ]);
  });

  test.each([
    ['9', '10', -1],
    ['0.9', '0.10', 1],
    ['1.5', '1.45', 1],
    ['1', '1.000001', -1],
    ['-1', '-1.000001', 1],
    ['-2', '1', -1],
    ['2', '-10', 1],
    ['-10', '-9', -1],
  ] as const)('of %s and %s is %i', (a, b, order) => {
    expect(compare(a as Decimal, b as Decimal)).toBe(order);
  });

  test.each([
    ['1.5', '1.50'],
    ['2', '2.000'],
    ['-1.5', '-1.500'],
    ['0', '0.00'],
    ['10', '10.0'],
  ])('takes %s and %s, as a database writes it, for the same', (a, b) => {
    expect(compare(a as Decimal, b as Decimal)).toBe(0);
    expect(compare(b as Decimal, a as Decimal)).toBe(0);
  });
});

describe('roundToStep', () => {
  const step = anyScaled(1n, 10n ** 12n);

  test.each(roundings)('rounds %s as whole numbers do', (rounding) => {
    fc.assert(
      fc.property(anyScaled(), step, (value, by) => {
        const scale = Math.max(value.scale, by.scale);
        const [v, s] = [atScale(value, scale), atScale(by, scale)];
        const expected = decimalOfScaled({ units: stepsOf(v, s, rounding) * s, scale });
        expect(roundToStep(decimalOfScaled(value), decimalOfScaled(by), rounding)).toBe(expected);
      }),
    );
  });

  test('rounds ties as its name says', () => {
    const tie = (text: string, rounding: Rounding) => roundToStep(decimal(text), decimal('1'), rounding);
    expect([tie('0.5', 'half-even'), tie('1.5', 'half-even'), tie('-2.5', 'half-even')]).toEqual(['0', '2', '-2']);
    expect([tie('0.5', 'half-up'), tie('-2.5', 'half-up')]).toEqual(['1', '-3']);
  });

  test.each(['0', '-0.01'])('refuses a step of %s', (by) => {
    expect(() => roundToStep(decimal('1'), decimal(by), 'floor')).toThrow('a step is positive');
  });
});

describe('places and digits', () => {
  test.each([
    ['2.34559', 4, 'truncate', '2.3455'],
    ['2.34559', 0, 'ceiling', '3'],
    ['1234.5', -2, 'half-up', '1200'],
    ['1250', -2, 'half-even', '1200'],
  ] as const)('%s to %i places by %s is %s', (value, places, rounding, expected) => {
    expect(roundToPlaces(decimal(value), places, rounding)).toBe(expected);
  });

  test.each([
    ['0.0000077723', 2, 'half-up', '0.0000078'],
    ['722.2', 1, 'ceiling', '800'],
    ['999.9', 2, 'half-up', '1000'],
    ['-0.0456', 1, 'floor', '-0.05'],
    ['723', 0, 'half-up', '0'],
    ['0', 3, 'half-up', '0'],
  ] as const)('%s to %i significant digits by %s is %s', (value, digits, rounding, expected) => {
    expect(roundToSignificantDigits(decimal(value), digits, rounding)).toBe(expected);
  });

  test('counts the decimals that are written', () => {
    expect([decimalPlaces(decimal('1.2300')), decimalPlaces(decimal('5'))]).toEqual([2, 0]);
  });

  test('fills up with zeros for people, half-even', () => {
    expect([toFixed(decimal('1.005'), 2), toFixed(decimal('1.015'), 2), toFixed(decimal('3'), 2)]).toEqual([
      '1.00',
      '1.02',
      '3.00',
    ]);
  });

  test('knows the powers of ten, exactly', () => {
    expect([powerOfTen(3), powerOfTen(0), powerOfTen(-8)]).toEqual(['1000', '1', '0.00000001']);
    expect(() => powerOfTen(0.5)).toThrow('an exponent is whole');
  });
});
