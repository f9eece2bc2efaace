import type { z } from 'zod';

/** One thing that is wrong with an input: where, what stood there, and what is allowed. */
export type Fault = { readonly field: string; readonly value: string; readonly allowed: string };

/** Every fault of a zod error, with the value that stood at its place. Values are cut, so that a flood stays readable. */
export function faultsOf(error: z.ZodError, input: unknown): readonly Fault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: fieldOf([...issue.path, key]),
        value: secretName.test(key) ? '(not shown)' : shown(valueAt(input, [...issue.path, key])),
        allowed: 'no such field',
      }));
    }
    return [{ field: fieldOf(issue.path), value: shown(valueAt(input, issue.path)), allowed: issue.message }];
  });
}

// A fault is shown and logged by whoever gets it, and what does not belong here may be somebody's password.
const secretName = /secret|token|pass(word|phrase)|signature|authorization|cookie|(api|private|listen)-?key/i;

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '') || '(the whole input)';
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = textOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Not everything that a bot in TypeScript can send has a text in JSON: no bigint has, no circle, no bottomless depth. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value === 'bigint' ? String(value) : Object.prototype.toString.call(value);
  }
}
