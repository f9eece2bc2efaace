import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Adapter, valuesOf } from '../adapter.ts';
import type { Case, Expectation } from './cases.ts';
import { compareAnswer, type Difference } from './compare.ts';
import { topicRules } from './topic-rules.ts';

export type Verdict =
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'skipped'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly differences: readonly (Difference & { readonly step: number | null })[] };

export type Judged = { readonly topic: string; readonly id: string; readonly verdict: Verdict };

/** The adapter of a topic, or undefined where the folder has none. */
export async function findAdapter(folder: string, topic: string): Promise<Adapter | undefined> {
  const path = join(folder, `${topic}.ts`);
  if (!existsSync(path)) return undefined;
  const module: { readonly adapter: Adapter } = await import(pathToFileURL(path).href);
  return module.adapter;
}

/** Replays one case through its adapter, and judges the answer. */
export async function judge(one: Case, adapter: Adapter | undefined): Promise<Judged> {
  return { topic: one.topic, id: one.id, verdict: await verdictOn(one, adapter) };
}

async function verdictOn(one: Case, adapter: Adapter | undefined): Promise<Verdict> {
  if (adapter === undefined) return { outcome: 'skipped', reason: 'no adapter' };
  if (one.isDefectOfPeer) return { outcome: 'skipped', reason: 'defect of the peer' };
  if (Object.hasOwn(adapter.offered, one.fn)) return replay(one, adapter);
  const why = adapter.notOffered?.[one.fn];
  return { outcome: 'skipped', reason: `not offered: ${one.fn}${why === undefined ? '' : ` (${why})`}` };
}

async function replay(one: Case, adapter: Adapter): Promise<Verdict> {
  try {
    // A copy, so that an adapter can't reach what the next case of a file shares with this one.
    const answer = await adapter.offered[one.fn]?.(structuredClone(one.inputs));
    const differences = one.expectations.flatMap((expectation) => judgeOne(one, expectation, answer));
    return differences.length === 0 ? { outcome: 'passed' } : { outcome: 'failed', differences };
  } catch (error) {
    const thrown = error instanceof Error ? `threw ${error.name}: ${error.message}` : 'threw';
    return { outcome: 'failed', differences: [{ step: null, key: '', want: 'an answer', got: thrown }] };
  }
}

function judgeOne(one: Case, { step, key, want }: Expectation, answer: unknown) {
  const { fn, tolerance, topic } = one;
  const got = step === null ? wholeOf(answer) : stepsOf(answer)[step];
  const differences = compareAnswer(want, got, { key, fn, tolerance, rules: topicRules[topic] ?? {} });
  return differences.map((difference) => ({ step, ...difference }));
}

function stepsOf(answer: unknown): readonly unknown[] {
  const steps = Array.isArray(answer) ? answer : valuesOf(answer)['steps'];
  if (!Array.isArray(steps)) throw new TypeError('a sequence is answered with a list, one answer a step');
  return steps;
}

function wholeOf(answer: unknown): unknown {
  const answers = valuesOf(answer);
  return 'steps' in answers && 'result' in answers ? answers['result'] : answer;
}
