import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackFile, stackFile } from '../contracts/schemas/stack.ts';
import { RatchetError } from '../domain/errors.ts';

export type { StackFile };

export const stackFilePath = (dataFolder: string): string => join(dataFolder, 'stack.json');

/**
 * The addresses of the stack that was started last in this folder, or undefined if there was none. Whether it still
 * runs is for the caller to find out.
 *
 * @throws RatchetError STACK_FILE_INVALID
 */
export function readStackFile(dataFolder: string): StackFile | undefined {
  const file = stackFilePath(dataFolder);
  const text = readIfPresent(file);
  if (text === undefined) return undefined;
  const parsed = stackFile.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`).join('; ');
  throw new RatchetError('STACK_FILE_INVALID', { file, problem });
}

/** Replaces the file as a whole, so that a reader sees the old one or the new one. Only the owner may read it: it has passwords. */
export function writeStackFile(dataFolder: string, stack: StackFile): void {
  mkdirSync(dataFolder, { recursive: true });
  const file = stackFilePath(dataFolder);
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(stackFile.parse(stack), null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new RatchetError('STACK_FILE_INVALID', { file, problem: String(error) }, { cause: error });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
