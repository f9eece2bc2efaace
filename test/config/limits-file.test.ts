import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLimitsFile } from '../../src/config/limits-file.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';

const aFile = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'ratchet-limits-')), 'limits.yaml');
  writeFileSync(file, text);
  return file;
};

const paper = { ...paperLimits, totalExposureCap: 'none' };
const yamlOf = (limits: object): string =>
  Object.entries(limits)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}\n`)
    .join('');

function refusalOf(text: string): RatchetError {
  try {
    readLimitsFile(aFile(text));
  } catch (error) {
    if (error instanceof RatchetError) return error;
    throw error;
  }
  throw new Error('the limits were accepted');
}

describe('readLimitsFile', () => {
  test.each([
    { name: 'YAML', text: yamlOf(paper) },
    { name: 'JSON', text: JSON.stringify(paper, null, 2) },
    { name: 'JSON with numbers', text: JSON.stringify({ ...paper, symbolDeltaMax: 0.5 }) },
  ])('reads $name', ({ text }) => {
    expect(readLimitsFile(aFile(text))).toEqual(paperLimits);
  });

  test('reads an amount as it is written, never as a float', () => {
    const text = yamlOf({ ...paper, orderNotionalMax: '10000.10', totalExposureCap: '123456789012345678.123456789' });
    expect(readLimitsFile(aFile(text))).toMatchObject({
      orderNotionalMax: '10000.1',
      totalExposureCap: '123456789012345678.123456789',
    });
  });

  test('reads the options, and leaves those out that are not there', () => {
    const text = yamlOf({ ...paper, options: { exposureBase: 'exposure', reducingExempt: 'false' } });
    expect(readLimitsFile(aFile(text)).options).toEqual({ exposureBase: 'exposure', reducingExempt: false });
  });

  test('names every fault at once, with its line', () => {
    const text =
      '# mine\nportfolioDeltaMax: 1\nsymbolDeltaMax: -1\nsymboldeltamax: 1\noptions:\n  exposureBase: both\n';
    const { code, context } = refusalOf(text);
    expect(code).toBe('LIMITS_FILE_INVALID');
    expect(context).toMatchObject({
      'symbolDeltaMax (line 3)': expect.stringContaining('"-1", allowed: a share of the equity'),
      'symboldeltamax (line 4)': expect.stringContaining('no such field'),
      'options.exposureBase (line 6)': expect.stringContaining('equity or exposure'),
      orderNotionalMax: expect.stringContaining('(absent)'),
      totalExposureCap: expect.stringContaining('(absent)'),
    });
  });

  test.each([
    { inner: 'symbolDeltaMax', outer: 'portfolioDeltaMax' },
    { inner: 'concentrationMax', outer: 'correlatedExposureMax' },
    { inner: 'orderNotionalMax', outer: 'totalExposureCap' },
  ])('refuses $inner above $outer, of which it is a part', ({ inner, outer }) => {
    const { context } = refusalOf(yamlOf({ ...paper, [inner]: '7.1', [outer]: '7' }));
    expect(JSON.stringify(context)).toContain(`at most ${outer}, which is 7`);
  });

  test.each([
    { name: 'an exponent', limits: { ...paper, orderNotionalMax: '1e3' } },
    { name: 'a limit without a bound', limits: { ...paper, orderNotionalMax: 'none' } },
    { name: 'null for the cap', limits: { ...paper, totalExposureCap: 'null' } },
    { name: 'an age of nothing', limits: { ...paper, equityAgeMsMax: '0' } },
  ])('refuses $name', ({ limits }) => {
    expect(refusalOf(yamlOf(limits)).code).toBe('LIMITS_FILE_INVALID');
  });

  test.each([
    { name: 'an empty file', text: '' },
    { name: 'a list', text: '- 1\n' },
    { name: 'a limit twice', text: `${yamlOf(paper)}symbolDeltaMax: 0.4\n` },
    { name: 'no YAML at all', text: '{' },
  ])('refuses $name', ({ text }) => {
    expect(refusalOf(text).code).toBe('LIMITS_FILE_INVALID');
  });

  test('refuses a file that is not there', () => {
    expect(() => readLimitsFile('/nowhere/limits.yaml')).toThrow(/ENOENT/);
  });
});
