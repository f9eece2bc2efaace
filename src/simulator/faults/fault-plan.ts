import type { FaultAction, FaultPhase, FaultRule } from './faults.ts';

const phases: ReadonlySet<unknown> = new Set<FaultPhase>([
  'before_auth',
  'before_accept',
  'after_accept',
  'after_match',
  'before_response',
  'mid_response',
  'stream',
]);

/** The fields of each action beside its name; a question mark marks those that may be left out. */
const actions: Readonly<Record<FaultAction['action'], Readonly<Record<string, Field>>>> = {
  drop: {},
  reset: {},
  garbage: {},
  dup: {},
  hang: { ms: 'number?' },
  status: { code: 'number', body: 'any?', headers: 'texts?' },
  truncate: { bytes: 'number' },
  delay: { ms: 'number' },
  lagQuery: { ms: 'number' },
  silence: { ms: 'number' },
  reorder: { frames: 'number' },
  close: { code: 'number' },
};
type Field = 'number' | 'number?' | 'any?' | 'texts?' | 'text?' | 'patterns?';

const selectors: Readonly<Record<string, Field>> = {
  method: 'text?',
  path: 'text?',
  match: 'patterns?',
  nth: 'number?',
  every: 'number?',
  p: 'number?',
};

/**
 * Reads the rules of a plan: one, a list, or `{rules: [...]}`. A rule with a mistake would strike nothing and prove nothing,
 * so every mistake is named instead.
 */
export function readPlan(
  body: unknown,
): { readonly rules: readonly FaultRule[] } | { readonly mistakes: readonly string[] } {
  const wrapped = isObject(body) && Array.isArray(body['rules']) ? body['rules'] : body;
  const rules: readonly unknown[] = Array.isArray(wrapped) ? wrapped : [wrapped];
  const mistakes = rules.flatMap((rule, index) => mistakesOf(rule).map((mistake) => `rule ${index + 1}: ${mistake}`));
  return mistakes.length > 0 ? { mistakes } : { rules: rules as readonly FaultRule[] };
}

function mistakesOf(rule: unknown): readonly string[] {
  if (!isObject(rule)) return ['it is no object'];
  const { on, phase, do: action, ...others } = rule;
  return [
    ...Object.keys(others).map((name) => `${name} is unknown`),
    ...(phases.has(phase) ? [] : [`phase is one of ${[...phases].join(', ')}`]),
    ...(isObject(on) ? fieldMistakes('on', on, selectors) : ['on is an object']),
    ...actionMistakes(action),
  ];
}

function actionMistakes(action: unknown): readonly string[] {
  if (!isObject(action)) return ['do is an object with an action'];
  const { action: name, ...fields } = action;
  if (typeof name !== 'string' || !Object.hasOwn(actions, name)) {
    return [`do.action is one of ${Object.keys(actions).join(', ')}`];
  }
  return fieldMistakes('do', fields, actions[name as FaultAction['action']]);
}

function fieldMistakes(
  where: string,
  fields: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Field>>,
): readonly string[] {
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(known, name));
  const wrong = Object.entries(known).filter(([name, field]) => !isField(fields[name], field));
  return [
    ...unknown.map((name) => `${where}.${name} is unknown`),
    ...wrong.map(([name, field]) => `${where}.${name} is a ${field.replace('?', '')}`),
  ];
}

function isField(value: unknown, field: Field): boolean {
  if (value === undefined) return field.endsWith('?');
  switch (field) {
    case 'number':
    case 'number?':
      return typeof value === 'number' && value >= 0;
    case 'text?':
      return typeof value === 'string';
    case 'texts?':
      return isObject(value) && Object.values(value).every((each) => typeof each === 'string');
    case 'patterns?':
      return isObject(value) && Object.values(value).every(isPattern);
    case 'any?':
      return true;
  }
}

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
