import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alertCodes, alertEndsWith } from '../../src/domain/errors/alert-endings.ts';
import { type ErrorCode, errorCatalog } from '../../src/domain/errors.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** All that may raise an alert, with the places that only list codes left out. */
const sources = ['src', 'activities'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !`${folder}/${file}`.startsWith('src/domain/errors'))
    .map((file) => read(`${folder}/${file}`)),
);

/** The text of every call of `raiseAlert`, up to the bracket that ends it. */
const calls = sources.flatMap((text) => [...text.matchAll(/\braiseAlert\((.*?)\n?\s*\}\)/gs)].map(([call]) => call));

describe('what ends an alert', () => {
  test('is known of every code that is given to raiseAlert', () => {
    expect(calls.length).toBeGreaterThan(15);
    const given = calls.flatMap((call) => [...call.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map(([, code]) => code));
    const codes = given.filter((code) => code !== undefined && Object.hasOwn(errorCatalog, code));
    // ORDER_DECLARED_DEAD is asked for in such a call, to tell which of two alerts it is.
    const unknown = codes.filter((code) => code !== 'ORDER_DECLARED_DEAD' && !alertCodes.includes(code as never));
    expect(unknown).toEqual([]);
  });

  test.each(alertCodes)('%s is raised by something', (code) => {
    expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true);
  });

  test('is a person where a code is not known any more', () => {
    expect(alertEndsWith('ALERT_OF_LONG_AGO')).toBeNull();
    expect(alertEndsWith('toString')).toBeNull();
  });
});

describe('the table of alerts in docs/operating.md', () => {
  const [, section = ''] = read('docs/operating.md').split('\n## When something is raised\n');
  const [table = ''] = section.split('\n## ');
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .flatMap(([, codes = '', , , ends = '']) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => ({ code, ends })));

  test('has every code once, and no other', () => {
    expect(rows.map(({ code }) => code as ErrorCode).toSorted()).toEqual(alertCodes.toSorted());
  });

  test.each(rows)('says of $code whether it ends by itself', ({ code = '', ends }) => {
    expect(ends).toMatch(alertEndsWith(code) === null ? /^by hand/ : /^by itself/);
  });
});
