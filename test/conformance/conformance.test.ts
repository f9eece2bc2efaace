import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCases } from './runner/cases.ts';
import { findAdapter, judge } from './runner/replay.ts';
import { reportOf } from './runner/report.ts';

const folder = join(import.meta.dirname, '../../../shared/cases');
const cases = existsSync(folder) ? loadCases(folder) : [];
const topics = [...new Set(cases.map((one) => one.topic))].filter((topic) =>
  existsSync(join(import.meta.dirname, `${topic}.ts`)),
);

if (cases.length === 0) console.warn(`CONFORMANCE SKIPPED: there are no case tables at ${folder}`);

describe.skipIf(cases.length === 0)('the case tables', () => {
  test.each(topics)('of %s hold', async (topic) => {
    const adapter = await findAdapter(import.meta.dirname, topic);
    const judged = [];
    for (const one of cases.filter((each) => each.topic === topic)) judged.push(await judge(one, adapter));
    expect(reportOf(judged).filter((line) => line.startsWith('FAILED'))).toEqual([]);
    expect(judged.some(({ verdict }) => verdict.outcome === 'passed')).toBe(true);
  });

  test('hand no expected result to any adapter', () => {
    const hidden = /^(id|source|original|divergence|expect(ed)?(_.*)?)$/;
    const keysOf = (value: unknown): readonly string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)])
        : [];
    for (const { topic, id, inputs } of cases) {
      const { head: _, ...seen } = inputs;
      expect({ topic, id, leaks: keysOf(seen).filter((key) => hidden.test(key)) }).toEqual({ topic, id, leaks: [] });
    }
  });

  test('ask something in every case', () => {
    expect(cases.filter((one) => one.expectations.length === 0).map(({ id }) => id)).toEqual([]);
  });

  test.each(topics)('of %s are not known to their adapter by id', (topic) => {
    const source = readFileSync(join(import.meta.dirname, `${topic}.ts`), 'utf8');
    const ids = cases.filter((one) => one.topic === topic).map(({ id }) => id);
    expect(ids.filter((id) => source.includes(`'${id}'`))).toEqual([]);
  });
});
