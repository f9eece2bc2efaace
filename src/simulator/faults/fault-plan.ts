import { decimal, isDecimal, isPositive } from '../../domain/decimal.ts';
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

type Field =
  | 'number'
  | 'HTTP status'
  | 'close code'
  | 'number?'
  | 'any?'
  | 'object'
  | 'texts?'
  | 'text?'
  | 'decimal?'
  | 'patterns?';
type Place = 'request' | 'stream';

/** Where each action can strike, and its fields; a question mark marks those that may be left out. */
const actions: Readonly<
  Record<
    FaultAction['action'],
    { readonly at: readonly Place[]; readonly fields?: Readonly<Record<string, Field>>; readonly phase?: FaultPhase }
  >
> = {
  drop: { at: ['request', 'stream'] },
  reset: { at: ['request', 'stream'] },
  garbage: { at: ['request', 'stream'] },
  dup: { at: ['request', 'stream'], fields: { ms: 'number?' } },
  fill: { at: ['request'], fields: { quantity: 'decimal?' }, phase: 'before_accept' },
  hang: { at: ['request'], fields: { ms: 'number?' } },
  status: { at: ['request'], fields: { code: 'HTTP status', body: 'any?', headers: 'texts?' } },
  truncate: { at: ['request'], fields: { bytes: 'number' } },
  slow: { at: ['request'], fields: { everyMs: 'number', bytes: 'number?' } },
  lie: { at: ['request', 'stream'], fields: { fields: 'object' } },
  delay: { at: ['request', 'stream'], fields: { ms: 'number' } },
  lagQuery: { at: ['request'], fields: { ms: 'number' } },
  silence: { at: ['stream'], fields: { ms: 'number' } },
  reorder: { at: ['stream'], fields: { frames: 'number', ms: 'number?' } },
  close: { at: ['stream'], fields: { code: 'close code' } },
};

const selectors: Readonly<Record<string, Field>> = {
  method: 'text?',
  path: 'text?',
  match: 'patterns?',
  nth: 'number?',
  every: 'number?',
  p: 'number?',
};

const limits: Readonly<Record<string, Field>> = { id: 'text?', times: 'number?', untilMs: 'number?' };

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
    ...fieldMistakes('', others, limits),
    ...(phases.has(phase) ? [] : [`phase is one of ${[...phases].join(', ')}`]),
    ...(isObject(on) ? fieldMistakes('on.', on, selectors) : ['on is an object']),
    ...actionMistakes(action, phase),
  ];
}

function actionMistakes(action: unknown, phase: unknown): readonly string[] {
  if (!isObject(action)) return ['do is an object with an action'];
  const { action: name, ...fields } = action;
  if (typeof name !== 'string' || !Object.hasOwn(actions, name)) {
    return [`do.action is one of ${Object.keys(actions).join(', ')}`];
  }
  const known = actions[name as FaultAction['action']];
  return [...fieldMistakes('do.', fields, known.fields ?? {}), ...placeMistakes(name, known, phase)];
}

function placeMistakes(
  name: string,
  { at, phase: only }: { readonly at: readonly Place[]; readonly phase?: FaultPhase },
  phase: unknown,
): readonly string[] {
  if (only !== undefined) return phase === only ? [] : [`${name} strikes in ${only} alone`];
  const place = phase === 'stream' ? 'stream' : 'request';
  return at.includes(place) ? [] : [`${name} is nothing that happens to a ${place === 'stream' ? 'frame' : 'request'}`];
}

function fieldMistakes(
  where: string,
  fields: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Field>>,
): readonly string[] {
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(known, name));
  const wrong = Object.entries(known).filter(([name, field]) => !isField(fields[name], field));
  return [
    ...unknown.map((name) => `${where}${name} is unknown`),
    ...wrong.map(([name, field]) => `${where}${name} is a ${field.replace('?', '')}`),
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
    case 'HTTP status':
      return isWhole(value) && value >= 200 && value <= 599;
    case 'close code':
      return isCloseCode(value);
    case 'decimal?':
      return isDecimal(value) && isPositive(decimal(value));
    case 'object':
      return isObject(value);
    case 'any?':
      return true;
  }
}

/** What a WebSocket may be closed with. */
export const isCloseCode = (code: unknown): code is number =>
  isWhole(code) && ((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999));

const isWhole = (value: unknown): value is number => Number.isInteger(value);

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
