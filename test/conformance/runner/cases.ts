import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Inputs, listOf, type Values, valuesOf } from '../adapter.ts';
import { type TopicRules, topicRules } from './topic-rules.ts';

/** One result that a case asks for: where in the answer it belongs, and what it must be. */
export type Expectation = {
  /** The step it belongs to, from 0; null = the case as a whole. */
  readonly step: number | null;
  /** The key of the answer; null = the whole answer. */
  readonly key: string | null;
  readonly want: unknown;
};

export type Case = {
  readonly topic: string;
  readonly id: string;
  readonly fn: string;
  /** What an adapter gets to see. */
  readonly inputs: Inputs;
  /** What it does not. */
  readonly expectations: readonly Expectation[];
  readonly tolerance: Values;
  readonly isDefectOfPeer: boolean;
};

const labels = ['id', 'source', 'note', 'title', 'test', 'original', 'divergence', 'derived', 'line', 'source_line'];
const tolerances = ['rel_tol', 'abs_tol', 'rounded_to_integer'];

/** Every case of every topic file in the folder, or of one topic. Throws on a file that can't be read. */
export function loadCases(folder: string, topic?: string): readonly Case[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && (topic === undefined || name === `${topic}.json`))
    .sort()
    .flatMap((name) => casesOf(name.slice(0, -'.json'.length), readJson(join(folder, name))));
}

function readJson(path: string): Values {
  const file: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(valuesOf(file)['cases'])) throw new TypeError(`${path} holds no list of cases`);
  return valuesOf(file);
}

function casesOf(topic: string, file: Values): readonly Case[] {
  const { cases, ...head } = file;
  return listOf(cases).map((recorded) => caseOf(topic, head, recorded));
}

function caseOf(topic: string, head: Values, recorded: Values): Case {
  const rules = topicRules[topic] ?? {};
  const fn = typeof recorded['fn'] === 'string' ? recorded['fn'] : 'main';
  const params = splitParams(recorded['params'], rules);
  const steps = listOf(recorded['steps']).map((step, index) => splitStep(step, index, rules));
  const whole = split(recorded, null, []);
  return {
    topic,
    id: String(recorded['id']),
    fn,
    inputs: {
      ...without(whole.inputs, tolerances),
      fn,
      params: params.inputs,
      steps: steps.map((step) => step.inputs),
      head,
    },
    expectations: [...steps.flatMap((step) => step.expectations), ...params.expectations, ...whole.expectations],
    tolerance: pick(recorded, tolerances),
    isDefectOfPeer: [recorded['note'], valuesOf(recorded['expected'])['note']].some(saysDefect),
  };
}

type Split = { readonly inputs: Values; readonly expectations: readonly Expectation[] };

/** Parts the expected results from the inputs of a case or step; labels fall away. */
function split(values: Values, step: number | null, bareKeys: readonly string[]): Split {
  const inputs: Record<string, unknown> = {};
  const expectations: Expectation[] = [];
  for (const [name, value] of Object.entries(values)) {
    const key = expectedKey(name, bareKeys);
    if (key !== undefined) expectations.push({ step, key, want: value });
    else if (!labels.includes(name)) inputs[name] = value;
  }
  return { inputs, expectations };
}

/** `expected` and `expect` are the whole answer, `expected_stop` is its `stop`; undefined = an input. */
function expectedKey(name: string, bareKeys: readonly string[]): string | null | undefined {
  if (name === 'expected' || name === 'expect') return null;
  if (name.startsWith('expected_')) return name.slice('expected_'.length);
  if (name.startsWith('expect_')) return name.slice('expect_'.length);
  return bareKeys.includes(name) ? name : undefined;
}

function splitStep(step: Values, index: number, rules: TopicRules): Split {
  const { inputs, expectations } = split(step, index, rules.bareStepKeys ?? []);
  const { questions } = rules;
  if (questions === undefined || inputs[questions.key] === undefined) return { inputs, expectations };
  const asked = Object.entries(valuesOf(inputs[questions.key]));
  const answers = asked.filter(([key]) => !questions.inputs.includes(key));
  return {
    inputs: { ...inputs, [questions.key]: { ...Object.fromEntries(asked), ...blank(answers) } },
    expectations: [...expectations, ...answers.map(([key, want]) => ({ step: index, key, want }))],
  };
}

const blank = (pairs: readonly (readonly [string, unknown])[]): Values =>
  Object.fromEntries(pairs.map(([key]) => [key, null]));

function splitParams(params: unknown, { eventKeys }: TopicRules): Split {
  if (eventKeys === undefined || valuesOf(params)[eventKeys.list] === undefined) {
    return { inputs: (params ?? {}) as Values, expectations: [] };
  }
  const events = listOf(valuesOf(params)[eventKeys.list]).map((event, index) => split(event, index, eventKeys.keys));
  return {
    inputs: { ...valuesOf(params), [eventKeys.list]: events.map((event) => event.inputs) },
    expectations: events.flatMap((event) => event.expectations),
  };
}

const saysDefect = (note: unknown): boolean => typeof note === 'string' && /defect to avoid/i.test(note);

const pick = (values: Values, keys: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));

const without = (values: Values, keys: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
