import Big from 'big.js';
import { invariant } from './invariant.ts';

/**
 * A decimal number as text, such as `'0.015'`: plain notation, no exponent, no `-0`, no trailing zeros.
 * Prices, quantities and money are always this type outside a calculation: it survives JSON, so a
 * workflow can carry it across an activity, a query or continue-as-new.
 */
export type Decimal = string & { readonly __brand: 'Decimal' };

/** Toward minus infinity, toward plus infinity, toward zero, away from zero, and two ways to the nearest. */
export type Rounding = 'floor' | 'ceiling' | 'truncate' | 'expand' | 'half-up' | 'half-even';

// Big's `+ - ×` are exact, so only division rounds. Strict mode refuses a JavaScript number:
// 0.1 + 0.2 can't enter through here.
const Exact = Big();
Exact.strict = true;
Exact.DP = 40;

const decimalText = /^-?\d+(\.\d+)?$/;

/** Whether `text` is a plain decimal (no exponent, no sign but a leading minus, no blanks). */
export const isDecimal = (text: unknown): text is string => typeof text === 'string' && decimalText.test(text);

/** Reads a plain decimal. Throws on anything else, so check text from outside with `isDecimal` first. */
export function decimal(text: string): Decimal {
  invariant(decimalText.test(text), `a plain decimal as text, was ${JSON.stringify(text)}`);
  return format(new Exact(text));
}

export const zero = decimal('0');
export const one = decimal('1');

export const add = (a: Decimal, b: Decimal): Decimal => format(new Exact(a).plus(b));
export const subtract = (a: Decimal, b: Decimal): Decimal => format(new Exact(a).minus(b));
export const multiply = (a: Decimal, b: Decimal): Decimal => format(new Exact(a).times(b));
export const negate = (a: Decimal): Decimal => format(new Exact(a).neg());
export const absolute = (a: Decimal): Decimal => format(new Exact(a).abs());
export const sum = (values: readonly Decimal[]): Decimal =>
  format(values.reduce<Big>((total, value) => total.plus(value), new Exact('0')));

/** The quotient, cut after `places` decimals (18 unless said otherwise). */
export function divide(a: Decimal, b: Decimal, places = 18): Decimal {
  invariant(compare(b, zero) !== 0, 'a divisor is not zero');
  return format(new Exact(a).div(b).round(places, Big.roundDown));
}

const minusSign = '-'.charCodeAt(0);

/**
 * -1, 0 or 1. Compares the texts themselves: a price is compared with stops far more often than anything is calculated
 * from it, and parsing would cost ten times as much. Trailing zeros do no harm, as a database may add them.
 */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  if (a === b) return 0;
  const isNegative = a.charCodeAt(0) === minusSign;
  if (isNegative !== (b.charCodeAt(0) === minusSign)) return isNegative ? -1 : 1;
  return isNegative ? compareMagnitudes(b, a) : compareMagnitudes(a, b);
}
export const isLess = (a: Decimal, b: Decimal): boolean => compare(a, b) < 0;
export const isMore = (a: Decimal, b: Decimal): boolean => compare(a, b) > 0;
export const isEqual = (a: Decimal, b: Decimal): boolean => compare(a, b) === 0;
export const isPositive = (a: Decimal): boolean => compare(a, zero) > 0;
export const isNegative = (a: Decimal): boolean => compare(a, zero) < 0;
export const isZero = (a: Decimal): boolean => compare(a, zero) === 0;
export const smaller = (a: Decimal, b: Decimal): Decimal => (isMore(a, b) ? b : a);
export const larger = (a: Decimal, b: Decimal): Decimal => (isLess(a, b) ? b : a);

/** `value` as a whole number of `step`s: how an exchange's tick or lot size asks for it. */
export function roundToStep(value: Decimal, step: Decimal, rounding: Rounding): Decimal {
  invariant(isPositive(step), `a step is positive, was ${step}`);
  const exact = new Exact(value);
  const remainder = exact.mod(step);
  if (remainder.eq('0')) return format(exact);
  // Exact: the multiple toward zero comes by subtraction, and division is only asked which half is nearer.
  const towardZero = exact.minus(remainder);
  const awayFromZero = exact.s < 0 ? towardZero.minus(step) : towardZero.plus(step);
  return format(roundsAway(exact, remainder, step, rounding) ? awayFromZero : towardZero);
}

/** `value` with at most `places` decimals; negative places round to tens, hundreds and so on. */
export function roundToPlaces(value: Decimal, places: number, rounding: Rounding): Decimal {
  return roundToStep(value, powerOfTen(-places), rounding);
}

/** `value` with at most `digits` significant digits; 0 digits give 0. */
export function roundToSignificantDigits(value: Decimal, digits: number, rounding: Rounding): Decimal {
  if (digits <= 0 || isZero(value)) return zero;
  return roundToPlaces(value, digits - 1 - new Exact(value).e, rounding);
}

/** 10 to the power of a whole `exponent`, exactly. */
export function powerOfTen(exponent: number): Decimal {
  invariant(Number.isInteger(exponent), `an exponent is whole, was ${exponent}`);
  return decimal(exponent >= 0 ? `1${'0'.repeat(exponent)}` : `0.${'0'.repeat(-exponent - 1)}1`);
}

/** How many decimals `value` is written with, trailing zeros left out. */
export const decimalPlaces = (value: Decimal): number => value.split('.')[1]?.length ?? 0;

/** `value` with exactly `places` decimals, for people: rounded half-even, zeros filled in. */
export const toFixed = (value: Decimal, places: number): string => new Exact(value).toFixed(places, Big.roundHalfEven);

function roundsAway(exact: Big, remainder: Big, step: Decimal, rounding: Rounding): boolean {
  switch (rounding) {
    case 'truncate':
      return false;
    case 'expand':
      return true;
    case 'floor':
      return exact.s < 0;
    case 'ceiling':
      return exact.s > 0;
    case 'half-up':
      return remainder.abs().times('2').gte(step);
    case 'half-even': {
      const side = remainder.abs().times('2').cmp(step);
      if (side !== 0) return side > 0;
      return !exact.minus(remainder).div(step).mod('2').eq('0');
    }
  }
}

// Of two numbers with one sign, the one with more digits before its point is larger; with equally many, the order of the
// texts is the order of the numbers.
function compareMagnitudes(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const difference = wholeLength(a) - wholeLength(b);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  if (a < b) return isPadded(b, a) ? 0 : -1;
  return isPadded(a, b) ? 0 : 1;
}

function wholeLength(text: Decimal): number {
  const point = text.indexOf('.');
  return point < 0 ? text.length : point;
}

const isPadded = (longer: Decimal, shorter: Decimal): boolean =>
  longer.startsWith(shorter) && /^\.?0*$/.test(longer.slice(shorter.length));

function format(value: Big): Decimal {
  const text = value.toFixed();
  return (text === '-0' ? '0' : text) as Decimal;
}
