import Big from 'big.js';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import { type ErrorCode, RatchetError } from '../../src/domain/errors.ts';

/** Named inputs of a case or step. An array of operands is reached by its indices: `params['0']`. */
export type Values = Readonly<Record<string, unknown>>;

/** What a case tells: everything but labels and expected results, which the runner keeps to itself. */
export type Inputs = {
  /** `main` where the case names none. */
  readonly fn: string;
  readonly params: Values;
  /** Empty where the case is a single call. */
  readonly steps: readonly Values[];
  /** The file's keys beside its cases, such as a profile. */
  readonly head: Values;
  /** Further inputs of some topics: `candles`, `marks`, `clock_start`, `given`, `when`, `name`, `origin`. */
  readonly [key: string]: unknown;
};

/**
 * Replays one case: a single call answers with its result, a sequence with one answer a step, in order. A sequence that
 * also has a result of its own answers `{ steps, result }`.
 */
export type Replay = (inputs: Inputs) => unknown;

/**
 * A topic's way into the product. It translates names and units, and decides nothing: it holds no expected values, no
 * case ids and no special cases. `notOffered` says why a function of the topic is left out.
 */
export type Adapter = {
  readonly offered: Readonly<Record<string, Replay>>;
  readonly notOffered?: Readonly<Record<string, string>>;
};

/** An input that is a number: text is an exact decimal, a JSON number is the decimal it shows, exponent or not. */
export function decimalOf(value: unknown): Decimal {
  if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(`Not a number: ${String(value)}`);
  return decimal(new Big(value).toFixed());
}

/** As `decimalOf`; null or absent stays null. */
export const decimalOrNull = (value: unknown): Decimal | null =>
  value === null || value === undefined ? null : decimalOf(value);

/** An input that is a list; absent = empty. */
export const listOf = (value: unknown): readonly Values[] => (Array.isArray(value) ? value : []);

/** An input that is a map of named values; absent = empty. */
export const valuesOf = (value: unknown): Values =>
  typeof value === 'object' && value !== null ? (value as Values) : {};

/** The code of the product's refusal, or null when it did not refuse. Any other error is a fault and goes on. */
export function refusalOf(act: () => unknown): ErrorCode | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof RatchetError) return error.code;
    throw error;
  }
}
