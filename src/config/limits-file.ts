import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { faultsOf } from '../contracts/schemas/faults.ts';
import { limitsFile } from '../contracts/schemas/limits.ts';
import { RatchetError } from '../domain/errors.ts';
import type { Limits } from '../domain/limits/limits.ts';

/**
 * Reads an account's limits from YAML or JSON, which is YAML too.
 *
 * @throws RatchetError LIMITS_FILE_INVALID with every fault, each with its line: unknown and missing limits, values
 * that are none, contradictions.
 */
export function readLimitsFile(file: string): Limits {
  const lines = new LineCounter();
  // The failsafe schema leaves every scalar the text that it is.
  const document = parseDocument(textOf(file), { schema: 'failsafe', lineCounter: lines });
  if (document.errors.length > 0) {
    throw new RatchetError('LIMITS_FILE_INVALID', { file, problem: document.errors.map(String).join('; ') });
  }
  const input: unknown = document.toJS() ?? {};
  const parsed = limitsFile.safeParse(input);
  if (parsed.success) return parsed.data;

  const faults = faultsOf(parsed.error, input).map(({ field, value, allowed }) => {
    const offset = offsetOf(document.contents, field.split('.'));
    const place = offset === undefined ? field : `${field} (line ${lines.linePos(offset).line})`;
    return [place, `${value}, allowed: ${allowed}`];
  });
  throw new RatchetError('LIMITS_FILE_INVALID', { file, ...Object.fromEntries(faults) });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RatchetError('LIMITS_FILE_INVALID', { file, problem: String(error) }, { cause: error });
  }
}

/** Where the key of a path stands, if the file has it. */
function offsetOf(node: Node | null, path: readonly string[]): number | undefined {
  const [name, ...rest] = path;
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
  if (pair === undefined || !isScalar(pair.key)) return undefined;
  return rest.length === 0 ? pair.key.range?.[0] : offsetOf(pair.value as Node | null, rest);
}
