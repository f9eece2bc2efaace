import Big from 'big.js';
import { type Values, valuesOf } from '../adapter.ts';
import type { TopicRules } from './topic-rules.ts';

/** Where an answer differs. `key` is a path such as `stop` or `filters[1].code`; empty = the whole answer. */
export type Difference = { readonly key: string; readonly want: unknown; readonly got: unknown };

/** How far off a number may be: `relative` of what is wanted or `absolute`, whichever is more. Null = not at all. */
type Tolerance = { readonly relative: Big; readonly absolute: Big };

type Terms = {
  readonly tolerance: Tolerance | null;
  readonly roundsToInteger: boolean;
  readonly isExactText: boolean;
  readonly rules: TopicRules;
};

const none = new Big(0);
const ofFloats: Tolerance = { relative: new Big('1e-9'), absolute: new Big('1e-12') };
const ofApproximations: Tolerance = { relative: new Big('1e-5'), absolute: none };

/** Keys inside an expected result that say how to compare, or are for people. */
const notCompared = new Set(['rel_tol', 'abs_tol', 'note']);
const upperBounds = new Set(['max_seconds', 'attempts_max']);

/**
 * Every place where the answer is not what the case asks for, by the rules of section 3 of the tables' README. Only what
 * is asked for is compared; an answer may hold more. It calculates with big.js directly, so that a fault in the
 * product's own decimals can't hide itself.
 */
export function compareAnswer(
  want: unknown,
  got: unknown,
  { key, fn, tolerance, rules }: { key: string | null; fn: string; tolerance: Values; rules: TopicRules },
): readonly Difference[] {
  const terms = {
    tolerance: explicitTolerance(tolerance),
    roundsToInteger: tolerance['rounded_to_integer'] === true,
    isExactText: rules.exactText !== undefined && fn.startsWith(rules.exactText),
    rules,
  };
  return key === null ? compareValue(want, got, '', terms) : compareKey(key, want, got, '', terms);
}

/** One key of an expected result against the answer it stands in, its suffix read as a tolerance. */
function compareKey(key: string, want: unknown, answer: unknown, path: string, terms: Terms): readonly Difference[] {
  const { base, tolerance } = readSuffix(key);
  const here = path === '' ? key : `${path}.${key}`;
  const answers = valuesOf(answer);
  // An adapter may answer with the name alone, or with the name and its suffix.
  const got = key in answers ? answers[key] : base === '' ? answer : answers[base];
  if (key === 'error') return matchesError(want, got) ? [] : [{ key: here, want, got }];
  if (upperBounds.has(key)) return isAtMost(got, want) ? [] : [{ key: here, want, got }];
  if (rulesName(terms.rules.sets, key)) return compareSets(want, got, here, false);
  if (rulesName(terms.rules.supersets, key)) return compareSets(want, got, here, true);
  return compareValue(want, got, here, tolerance === null ? terms : { ...terms, tolerance });
}

function compareValue(want: unknown, got: unknown, path: string, terms: Terms): readonly Difference[] {
  if (Array.isArray(want)) return compareLists(want, got, path, terms);
  if (typeof want === 'object' && want !== null) return compareObject(want as Values, got, path, terms);
  return matchesScalar(want, got, terms) ? [] : [{ key: path, want, got }];
}

function compareLists(want: readonly unknown[], got: unknown, path: string, terms: Terms): readonly Difference[] {
  if (!Array.isArray(got) || got.length !== want.length) return [{ key: path, want, got }];
  return want.flatMap((item, index) => compareValue(item, got[index], `${path}[${index}]`, terms));
}

function compareObject(want: Values, got: unknown, path: string, terms: Terms): readonly Difference[] {
  const inner = { ...terms, tolerance: explicitTolerance(want) ?? terms.tolerance };
  const keys = Object.keys(want).filter((key) => !notCompared.has(key));
  if (isRange(keys)) return isWithin(got, want) ? [] : [{ key: path, want, got }];
  return keys.flatMap((key) =>
    key === 'approx' ? compareApproximation(want, got, path, inner) : compareKey(key, want[key], got, path, inner),
  );
}

function compareApproximation(want: Values, got: unknown, path: string, terms: Terms): readonly Difference[] {
  // Beside other keys the answer is an object too, and its number is called `approx` or `value` there.
  const answers = valuesOf(got);
  const number = 'approx' in answers ? answers['approx'] : 'value' in answers ? answers['value'] : got;
  return compareValue(want['approx'], number, path, terms);
}

function compareSets(want: unknown, got: unknown, path: string, mayHoldMore: boolean): readonly Difference[] {
  if (!Array.isArray(want) || !Array.isArray(got)) return [{ key: path, want, got }];
  const isMissing = want.some((item) => !got.includes(item));
  const isExtra = !mayHoldMore && got.some((item) => !want.includes(item));
  return isMissing || isExtra ? [{ key: path, want, got }] : [];
}

function matchesScalar(want: unknown, got: unknown, terms: Terms): boolean {
  if (want === null || want === undefined) return got === null || got === undefined;
  if (typeof want === 'boolean') return got === want;
  if (want === 'inf') return got === 'inf' || got === Number.POSITIVE_INFINITY;
  if (terms.isExactText && typeof want === 'string') return got === want;
  const wanted = readNumber(want);
  if (wanted === null) return got === want;
  const found = readNumber(got);
  if (found === null) return false;
  const compared = terms.roundsToInteger ? found.round(0, Big.roundHalfUp) : found;
  const tolerance = terms.tolerance ?? (typeof want === 'number' ? ofFloats : null);
  return compared.minus(wanted).abs().lte(largestDifference(wanted, tolerance));
}

function largestDifference(want: Big, tolerance: Tolerance | null): Big {
  if (tolerance === null) return none;
  const relative = want.abs().times(tolerance.relative);
  return relative.gt(tolerance.absolute) ? relative : tolerance.absolute;
}

// true = any error, false = none, a text = its kind.
function matchesError(want: unknown, got: unknown): boolean {
  const isNone = got === undefined || got === null || got === false;
  if (want === true) return !isNone;
  return want === false || want === null ? isNone : got === want;
}

function isAtMost(got: unknown, want: unknown): boolean {
  const [found, most] = [readNumber(got), readNumber(want)];
  return found !== null && most !== null && found.lte(most);
}

const isRange = (keys: readonly string[]): boolean =>
  keys.length > 0 && keys.every((key) => key === 'min' || key === 'max');

/** Whether every sample drawn lies in the range. No samples prove nothing. */
function isWithin(got: unknown, { min, max }: Values): boolean {
  const samples = (Array.isArray(got) ? got : [got]).map(readNumber);
  const [least, most] = [readNumber(min ?? null), readNumber(max ?? null)];
  return (
    samples.length > 0 &&
    samples.every(
      (sample) => sample !== null && (least === null || sample.gte(least)) && (most === null || sample.lte(most)),
    )
  );
}

/** `_approx`, `_rounded_3dp` and `_3dp` at the end of a key; a key that is nothing else has an empty base. */
function readSuffix(key: string): { readonly base: string; readonly tolerance: Tolerance | null } {
  const places = /^(?<base>.*?)(?:^|_)(?:rounded_)?(?<places>\d+)dp$/.exec(key)?.groups;
  if (places !== undefined) {
    const half = new Big(10).pow(-Number(places['places'])).div(2).plus('1e-9');
    return { base: places['base'] ?? '', tolerance: { relative: none, absolute: half } };
  }
  if (key.endsWith('_approx')) return { base: key.slice(0, -'_approx'.length), tolerance: ofApproximations };
  return { base: key, tolerance: null };
}

function explicitTolerance({ rel_tol: relative, abs_tol: absolute }: Values): Tolerance | null {
  const [ofValue, flat] = [readNumber(relative ?? null), readNumber(absolute ?? null)];
  return ofValue === null && flat === null ? null : { relative: ofValue ?? none, absolute: flat ?? none };
}

/** A number, or a text that is one, exponents included; null for everything else. */
function readNumber(value: unknown): Big | null {
  if (typeof value === 'number') return Number.isFinite(value) ? new Big(value) : null;
  return typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? new Big(value) : null;
}

const rulesName = (keys: readonly string[] | undefined, key: string): boolean => keys?.includes(key) ?? false;
