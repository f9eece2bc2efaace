import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';

/** The log of one run of a child: `fd` is its standard error. */
export type ChildLog = {
  readonly fd: number;
  readonly write: (line: string) => void;
  /** The last lines of this run; what earlier runs have said is no part of it. */
  readonly tail: () => string;
  readonly close: () => void;
};

export const logFileOf = (folder: DataFolder, name: string): string => join(folder.logs, `${name}.log`);

const sizeLimitBytes = 20 * 1024 * 1024;
const tailLines = 25;

/** Appends to the child's log; one that has become too long is put aside, in the place of the one before. */
export function openLog(file: string): ChildLog {
  const size = sizeOf(file);
  if (size > sizeLimitBytes) renameSync(file, `${file}.1`);
  const begin = size > sizeLimitBytes ? 0 : size;
  const fd = openSync(file, 'a', 0o600);
  let open = true;
  return {
    fd,
    write: (line) => {
      if (open) unlessFull(() => writeSync(fd, `${line}\n`));
    },
    tail: () => {
      const lines = readFileSync(file).subarray(begin).toString('utf8').trim().split('\n');
      return lines.slice(-tailLines).map(forPeople).join('\n');
    },
    close: () => {
      open = false;
      closeSync(fd);
    },
  };
}

/** A full disk must not take the supervisor down, and everything that it keeps with it. */
export function unlessFull(write: () => unknown): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Of a line of JSON, what it says: a person who reads it in a terminal has no use for the rest. */
function forPeople(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { msg } = JSON.parse(line) as { readonly msg?: unknown };
    return typeof msg === 'string' ? msg : line;
  } catch {
    return line;
  }
}
