import { expect, test } from 'vitest';
import { crashPoints } from '../../src/observability/crash-point.ts';
import { casesNamed, crashCases } from './cases.ts';

test('there are 128 cases: sixteen points, four kinds of order, two blows', () => {
  expect(new Set(crashCases.map(({ id }) => id)).size).toBe(128);
  expect(new Set(crashCases.map(({ place }) => place)).size).toBe(16);
  expect(crashCases.every(({ point }) => crashPoints.includes(point))).toBe(true);
});

test.each([
  ['CP4', 8],
  ['CP1', 8],
  ['CP4-LIMIT', 2],
  ['CP4-LIMIT-kill', 1],
  ['stop', 32],
  ['pause', 64],
  ['CP4-LIMIT-kill,CP5', 9],
  ['nothing', 0],
])('--only %s names %i of them', (only, count) => {
  expect(casesNamed(only)).toHaveLength(count);
});
