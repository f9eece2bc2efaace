import { describe, expect, test } from 'vitest';
import { compareAnswer } from './compare.ts';
import type { TopicRules } from './topic-rules.ts';

type Settings = { key?: string; fn?: string; rules?: TopicRules } & Record<string, unknown>;

const differences = (want: unknown, got: unknown, { key, fn, rules, ...tolerance }: Settings = {}) =>
  compareAnswer(want, got, { key: key ?? null, fn: fn ?? 'main', tolerance, rules: rules ?? {} });

type Row = [name: string, want: unknown, got: unknown, settings?: Settings];

const right: Row[] = [
  ['a text that is a number, written otherwise', '0.10', '0.1'],
  ['a text that is zero', '0', '0.00'],
  ['a text that is a number, answered as a number', '0.5', 0.5],
  ['a text with an exponent', '1e-7', '0.0000001'],
  ['a number within the usual tolerance', 1, 1 + 9e-10],
  ['a number near zero', 0, 1e-12],
  ['a number answered as a text', 101.455, '101.455'],
  ['a number within a relative tolerance', 100, 100.09, { rel_tol: 1e-3 }],
  ['a number within an absolute tolerance', 100, '100.5', { abs_tol: '0.5' }],
  ['a text within an absolute tolerance', '6', '6.04', { abs_tol: '0.05' }],
  ['a number that is rounded first', 1229, 1228.57, { rounded_to_integer: true }],
  ['a key that is approximate', { stop_approx: 1 }, { stop: 1.000009 }],
  ['a key that is rounded', { stop_rounded_3dp: 1.235 }, { stop: 1.2354 }],
  ['a key that is rounded, answered under its whole name', { stop_3dp: 1.235 }, { stop_3dp: '1.2346' }],
  ['the answer itself, rounded', 66.6667, 66.66666, { key: 'rounded_4dp' }],
  ['a key of the answer', 2, { adjusted: 2, more: 3 }, { key: 'adjusted' }],
  ['an approximation', { approx: 1.17, rel_tol: 1e-6 }, 1.170001],
  ['an approximation beside other keys', { approx: '5', abs_tol: 1e-6, is_dust: false }, { value: 5, is_dust: false }],
  ['a tolerance inside the result', { a: 1, b: 2, rel_tol: 0.1 }, { a: 1.05, b: 1.9 }],
  ['an answer that holds more', { a: 1 }, { a: 1, b: 2 }],
  ['nothing asked for', {}, 'anything'],
  ['a note beside the result', { a: 1, note: 'for people' }, { a: 1 }],
  ['none, answered with nothing', { stop: null }, {}],
  ['none, answered with null', null, null],
  ['no limit', 'inf', Number.POSITIVE_INFINITY],
  ['a code', 'HOLD', 'HOLD'],
  ['any error', { error: true }, { error: 'SOME_CODE' }],
  ['no error', { error: false }, { error: false }],
  ['no error, answered with nothing', { error: false }, {}],
  ['the kind of an error', { error: 'already exists' }, { error: 'already exists' }],
  ['an upper bound', { max_seconds: 5 }, { max_seconds: 4.9 }],
  ['a number of attempts up to a bound', { attempts_max: 7 }, { attempts_max: 7 }],
  ['samples in a range', { min: 0, max: 0.8 }, [0, 0.4, 0.8]],
  ['one sample in a range without an end', { min: '1' }, '5'],
  ['a list', [1, '2', 'x'], [1, 2, 'x']],
  ['a set in another order', { blockers: ['a', 'b'] }, { blockers: ['b', 'a'] }, { rules: { sets: ['blockers'] } }],
  ['a set that may hold more', { fields: ['a'] }, { fields: ['b', 'a'] }, { rules: { supersets: ['fields'] } }],
  ['an exact text', '1.50', '1.50', { rules: { exactText: '' } }],
  ['a number of a function beside the exact ones', '1.5', '1.50', { fn: 'round', rules: { exactText: 'format_' } }],
];

const wrong: Row[] = [
  ['a text that is a number, off by the last digit', '0.1', '0.1000000000000000001'],
  ['a number beyond the usual tolerance', 1, 1 + 2e-9],
  ['a number that is not zero', 0, 2e-12],
  ['a number beyond a relative tolerance', 100, 100.11, { rel_tol: 1e-3 }],
  ['a number beyond an absolute tolerance', '100', '100.51', { abs_tol: '0.5' }],
  ['a tolerance that replaces the usual one', 1_000_000, 1_000_000.0001, { abs_tol: 1e-6 }],
  ['a number that rounds elsewhere', 1229, 1229.5, { rounded_to_integer: true }],
  ['a key that is not approximate enough', { stop_approx: 1 }, { stop: 1.00002 }],
  ['a key that rounds elsewhere', { stop_rounded_3dp: 1.235 }, { stop: 1.2356 }],
  ['an approximation that is off', { approx: 1.17, rel_tol: 1e-6 }, 1.17001],
  ['a wrong key beside an approximation', { approx: '5', is_dust: false }, { value: 5, is_dust: true }],
  ['a missing key', { a: 1 }, {}],
  ['a number where there is none', { stop: null }, { stop: '1' }],
  ['none where there is a number', { stop: 0 }, { stop: null }],
  ['nothing where there is an answer', 5, undefined],
  ['a limit where there is none', 'inf', 1e300],
  ['infinity where there is a number', 1e300, Number.POSITIVE_INFINITY],
  ['not a number', 0, Number.NaN],
  ['another code', 'HOLD', 'UPDATE'],
  ['a code in another case', 'HOLD', 'hold'],
  ['a text that looks true', true, 'true'],
  ['a number that looks false', false, 0],
  ['no error where there is one', { error: true }, { error: false }],
  ['nothing where there is an error', { error: true }, {}],
  ['an error where there is none', { error: false }, { error: 'SOME_CODE' }],
  ['an error of another kind', { error: 'config' }, { error: 'abort' }],
  ['an error of a kind, answered with true', { error: 'config' }, { error: true }],
  ['more than an upper bound', { max_seconds: 5 }, { max_seconds: 5.1 }],
  ['nothing under an upper bound', { attempts_max: 7 }, {}],
  ['a sample above a range', { min: 0, max: 0.8 }, [0.1, 0.81]],
  ['a sample below a range', { min: 0.5, max: 0.8 }, [0.4]],
  ['no samples', { min: 0, max: 0.8 }, []],
  ['samples that are no numbers', { min: 0, max: 0.8 }, ['a']],
  ['a list in another order', [1, 2], [2, 1]],
  ['a list that is too long', [1], [1, 2]],
  ['no list', [1], 1],
  ['a set with one more', { blockers: ['a'] }, { blockers: ['a', 'b'] }, { rules: { sets: ['blockers'] } }],
  ['a set with one less', { fields: ['a', 'b'] }, { fields: ['a'] }, { rules: { supersets: ['fields'] } }],
  ['an exact text with another zero', '1.50', '1.5', { rules: { exactText: '' } }],
  ['an exact text of some functions', '1.50', '1.5', { fn: 'format_price', rules: { exactText: 'format_' } }],
];

describe('compareAnswer', () => {
  test.each(right)('accepts %s', (_, want, got, settings) => {
    expect(differences(want, got, settings)).toEqual([]);
  });

  test.each(wrong)('finds %s', (_, want, got, settings) => {
    expect(differences(want, got, settings)).not.toEqual([]);
  });

  test('names every place that differs', () => {
    const want = { a: { b: [1, 2] }, stop_3dp: 1, error: false };
    expect(differences(want, { a: { b: [1, 3] }, stop: 2, error: 'X' })).toEqual([
      { key: 'a.b[1]', want: 2, got: 3 },
      { key: 'stop_3dp', want: 1, got: 2 },
      { key: 'error', want: false, got: 'X' },
    ]);
  });
});
