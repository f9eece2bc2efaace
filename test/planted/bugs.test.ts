import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { plantedBugs } from './bugs.ts';
import { type Report, verdictOf } from './judge.ts';

test('there are thirteen planted bugs, in order', () => {
  expect(plantedBugs.map(({ id }) => id)).toEqual(Array.from({ length: 13 }, (_, i) => `PB${i + 1}`));
});

const edits = plantedBugs.flatMap(({ id, edits: all }) => all.map((edit) => ({ id, ...edit })));

test.each(edits)('$id finds the text that it replaces in $file, once', ({ file, find, put }) => {
  expect(readFileSync(file, 'utf8').split(find)).toHaveLength(2);
  expect(put).not.toBe(find);
});

test.each(plantedBugs.flatMap(({ id, files }) => files.map((file) => ({ id, file }))))(
  'what $id is to be caught by is there: $file',
  ({ file }) => {
    expect(readFileSync(file, 'utf8')).toContain('test');
  },
);

describe('a planted bug', () => {
  const bug = {
    id: 'PB0',
    name: 'an example',
    edits: [],
    files: ['test/a.test.ts'],
    named: /F01|F02/,
    marks: ['F01', 'F02', 'I1'],
    says: /I1: /,
  };
  const ran = (...tests: readonly (readonly [string, string, string?])[]): Report => ({
    testResults: [
      {
        name: '/somewhere/test/a.test.ts',
        assertionResults: tests.map(([fullName, status, said]) => ({
          fullName,
          status,
          failureMessages: said === undefined ? [] : [said],
        })),
      },
    ],
  });
  const sound = ran(['F01: a', 'passed'], ['F02: b', 'passed'], ['F03: c', 'skipped']);
  const both = [
    ['F01: a', 'failed', 'I1: twice'],
    ['F02: b', 'failed', 'I1: twice and I3: too much'],
  ] as const;

  test('is caught where a test of each of its rows fails and says why', () => {
    expect(verdictOf(bug, sound, ran(...both))).toEqual({
      outcome: 'caught',
      tests: [{ file: 'test/a.test.ts', name: 'F01: a', more: 1 }],
    });
  });

  test.each<[string, Report, Report, RegExp]>([
    ['nothing fails', sound, sound, /no test fails/],
    ['a row shows nothing', sound, ran(both[0], ['F02: b', 'passed']), /no test of F02/],
    ['a test fails for another reason', sound, ran(both[0], ['F02: b', 'failed', 'refused']), /no test of F02/],
    ['all fail for another reason', sound, ran(['F01: a', 'failed', 'refused']), /another reason/],
    ['the file can not be loaded', sound, ran(), /no test fails/],
    ['its tests fail without it too', ran(...both), ran(...both), /without the bug/],
    ['nobody has written its tests', ran(), ran(), /no test has the names/],
    ['only a test of another name fails', sound, ran(['F03: c', 'failed', 'I1: twice']), /no test fails/],
  ])('is not caught where %s', (_, before, after, why) => {
    expect(verdictOf(bug, before, after)).toEqual({ outcome: 'failed', why: expect.stringMatching(why) });
  });
});
