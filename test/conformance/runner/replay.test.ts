import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Adapter, Inputs } from '../adapter.ts';
import { loadCases } from './cases.ts';
import { findAdapter, judge, type Verdict } from './replay.ts';
import { hasFailures, reportOf } from './report.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ratchet-cases-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(topic: string, cases: readonly object[], head: object = {}): void {
  writeFileSync(join(folder, `${topic}.json`), JSON.stringify({ ...head, count: cases.length, cases }));
}

async function verdicts(topic: string, adapter: Adapter): Promise<readonly Verdict[]> {
  const judged = [];
  for (const one of loadCases(folder, topic)) judged.push((await judge(one, adapter)).verdict);
  return judged;
}

/** An adapter that keeps what it was given. */
function recording(answer: unknown = null) {
  const seen: Inputs[] = [];
  const replay = (inputs: Inputs): unknown => {
    seen.push(inputs);
    return answer;
  };
  return { seen, adapter: { offered: { main: replay, round: replay } } satisfies Adapter };
}

describe('loadCases', () => {
  test('hands on the inputs and keeps labels and expected results to itself', async () => {
    write(
      'a-topic',
      [
        {
          id: 'a-1',
          source: 'x.py:1',
          note: 'a note',
          title: 'a title',
          original: 'old',
          divergence: 'why',
          derived: true,
          rel_tol: 1e-3,
          fn: 'round',
          name: 'lock held',
          origin: 'required',
          params: { value: '1' },
          marks: { BTC: '5' },
          given: { price: 1 },
          steps: [{ t: 1, premium: 5, expect: { stop: 1 }, expected_exit: true, note: 'n', original: 'o', line: 7 }],
          expected: 5,
          expected_liquidate: true,
        },
      ],
      { profile: 'consecutive', note: 'file-wide' },
    );
    const { seen, adapter } = recording();
    await verdicts('a-topic', adapter);
    expect(seen).toEqual([
      {
        fn: 'round',
        name: 'lock held',
        origin: 'required',
        params: { value: '1' },
        marks: { BTC: '5' },
        given: { price: 1 },
        steps: [{ t: 1, premium: 5 }],
        head: { profile: 'consecutive', note: 'file-wide', count: 1 },
      },
    ]);
  });

  test.each([
    [
      'gekko-trailing-stop',
      { steps: [{ price: 1, triggered: true, triggered_again: false }] },
      { steps: [{ price: 1 }] },
    ],
    [
      'lean-trailing-stop',
      { steps: [{ price: '1', filled: true, stop: '2', fill_price: '1' }] },
      { steps: [{ price: '1' }] },
    ],
    [
      'freqtrade-protections',
      { steps: [{ query: { pair: 'A/B', at: 'now', call_both: true, pair_stop: false } }] },
      { steps: [{ query: { pair: 'A/B', at: 'now', call_both: true, pair_stop: null } }] },
    ],
    [
      'nautilus-trailing',
      { params: { trigger: '3', events: [{ ask: '1', trigger: '2', expect_updated: true }] } },
      { params: { trigger: '3', events: [{ ask: '1' }] } },
    ],
  ])('knows where %s hides its expected results', async (topic, recorded, expected) => {
    write(topic, [{ id: 'a-1', ...recorded }]);
    const { seen, adapter } = recording();
    await verdicts(topic, adapter);
    expect(seen).toEqual([expect.objectContaining(expected)]);
  });

  test('loads one topic, or every file of cases in the folder', () => {
    write('a-topic', [{ id: 'a-1', params: {} }]);
    write('b-topic', [{ id: 'b-1', params: {} }]);
    writeFileSync(join(folder, 'README.md'), 'not a table');
    expect(loadCases(folder).map(({ id }) => id)).toEqual(['a-1', 'b-1']);
    expect(loadCases(folder, 'b-topic').map(({ id }) => id)).toEqual(['b-1']);
  });

  test('does not pass over a file that it can not read', () => {
    writeFileSync(join(folder, 'a-topic.json'), '{"cases": 5}');
    expect(() => loadCases(folder)).toThrow('holds no list of cases');
  });
});

describe('judge', () => {
  test('compares a single call, and every step of a sequence', async () => {
    write('a-topic', [
      { id: 'a-1', expected: { stop: '5' } },
      { id: 'a-2', steps: [{ expect: { stop: 1 } }, { expect: { stop: 2 } }, { expected_stop: null }] },
    ]);
    const answers = [{ stop: '5.0' }, [{ stop: 1 }, { stop: 3 }, { stop: 4 }]];
    const adapter: Adapter = { offered: { main: () => answers.shift() } };
    expect(await verdicts('a-topic', adapter)).toEqual([
      { outcome: 'passed' },
      {
        outcome: 'failed',
        differences: [
          { step: 1, key: 'stop', want: 2, got: 3 },
          { step: 2, key: 'stop', want: null, got: 4 },
        ],
      },
    ]);
  });

  test('compares the steps and the result of a sequence that has both', async () => {
    write('a-topic', [{ id: 'a-1', steps: [{ expected: 1 }, { expected: 2 }], expected: { total: 3 } }]);
    const { adapter } = recording({ steps: [1, 2], result: { total: 4 } });
    expect(await verdicts('a-topic', adapter)).toEqual([
      { outcome: 'failed', differences: [{ step: null, key: 'total', want: 3, got: 4 }] },
    ]);
  });

  test('compares what hides among the params', async () => {
    write('nautilus-trailing', [{ id: 'n-1', params: { events: [{ ask: '1', trigger: '2' }] }, expected: 'accepted' }]);
    const { adapter } = recording({ steps: [{ trigger: '3' }], result: 'accepted' });
    expect(await verdicts('nautilus-trailing', adapter)).toEqual([
      { outcome: 'failed', differences: [{ step: 0, key: 'trigger', want: '2', got: '3' }] },
    ]);
  });

  test('uses the tolerance of the case', async () => {
    write('a-topic', [{ id: 'a-1', expected: 100, abs_tol: 1 }]);
    expect(await verdicts('a-topic', recording(100.9).adapter)).toEqual([{ outcome: 'passed' }]);
    expect(await verdicts('a-topic', recording(101.1).adapter)).toMatchObject([{ outcome: 'failed' }]);
  });

  test('waits for an answer that takes its time', async () => {
    write('a-topic', [{ id: 'a-1', expected: 5 }]);
    const adapter: Adapter = { offered: { main: async () => 5 } };
    expect(await verdicts('a-topic', adapter)).toEqual([{ outcome: 'passed' }]);
  });

  test('fails a case whose adapter throws, or answers a sequence with no list', async () => {
    write('a-topic', [
      { id: 'a-1', expected: 5 },
      { id: 'a-2', steps: [{ expect: 1 }] },
    ]);
    const adapter: Adapter = {
      offered: {
        main: ({ steps }) => {
          if (steps.length === 0) throw new RangeError('no');
          return 1;
        },
      },
    };
    expect(await verdicts('a-topic', adapter)).toMatchObject([
      { outcome: 'failed', differences: [{ got: 'threw RangeError: no' }] },
      { outcome: 'failed', differences: [{ got: expect.stringContaining('one answer a step') }] },
    ]);
  });

  test('keeps one case from reaching the next through what they share', async () => {
    write('a-topic', [{ id: 'a-1' }, { id: 'a-2' }], { profile: { window: 1 } });
    const adapter: Adapter = {
      offered: {
        main: ({ head }) => {
          expect(head['profile']).toEqual({ window: 1 });
          (head['profile'] as { window: number }).window = 2;
        },
      },
    };
    expect(await verdicts('a-topic', adapter)).toEqual([{ outcome: 'passed' }, { outcome: 'passed' }]);
  });

  test('skips with its reason: no adapter, not offered, a defect of the peer', async () => {
    const marker = { note: 'a Defect to avoid: counts twice' };
    write('a-topic', [
      { id: 'a-1', fn: 'gone', expected: 1 },
      { id: 'a-2', fn: 'other', expected: 1 },
      { id: 'a-3', expected: 1, ...marker },
      { id: 'a-4', expected: { a: 1, ...marker } },
    ]);
    const adapter: Adapter = { offered: { main: () => 1 }, notOffered: { gone: 'not in the product' } };
    expect(await verdicts('a-topic', adapter)).toEqual([
      { outcome: 'skipped', reason: 'not offered: gone (not in the product)' },
      { outcome: 'skipped', reason: 'not offered: other' },
      { outcome: 'skipped', reason: 'defect of the peer' },
      { outcome: 'skipped', reason: 'defect of the peer' },
    ]);
    const [first] = loadCases(folder, 'a-topic');
    if (first === undefined) throw new Error('a case');
    expect((await judge(first, undefined)).verdict).toEqual({ outcome: 'skipped', reason: 'no adapter' });
  });
});

describe('findAdapter', () => {
  test('finds the file of the topic, and nothing where there is none', async () => {
    const adapters = join(import.meta.dirname, '..');
    expect(await findAdapter(adapters, 'gekko-trailing-stop')).toHaveProperty('offered.main');
    expect(await findAdapter(adapters, 'no-such-topic')).toBeUndefined();
  });
});

describe('reportOf', () => {
  test('counts by topic and tells what failed', () => {
    const judged = [
      { topic: 'a', id: 'a-1', verdict: { outcome: 'passed' } },
      { topic: 'a', id: 'a-2', verdict: { outcome: 'skipped', reason: 'not offered: x' } },
      {
        topic: 'long-topic',
        id: 'l-1',
        verdict: { outcome: 'failed', differences: [{ step: 2, key: 'stop', want: '1', got: null }] },
      },
    ] as const;
    expect(reportOf(judged)).toEqual([
      'topic       passed  failed skipped',
      'a                1       0       1  1 not offered: x',
      'long-topic       0       1       0',
      'total            1       1       1',
      'FAILED long-topic l-1 step 2 stop: wanted "1", got null',
    ]);
    expect([hasFailures(judged), hasFailures(judged.slice(0, 2))]).toEqual([true, false]);
  });
});
