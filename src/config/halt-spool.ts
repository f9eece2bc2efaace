import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type SpooledHalt, spooledHalt } from '../contracts/schemas/spooled-halt.ts';

export type { SpooledHalt };

const folderOf = (dataFolder: string): string => join(dataFolder, 'spool');
const isHalt = (name: string): boolean => /^halt-[0-9a-f-]{36}\.json$/.test(name);

/**
 * Keeps a halt on the disk until a worker has it in the database, durable once this returns. The same event again
 * replaces what was written of it.
 */
export function spoolHalt(dataFolder: string, halt: SpooledHalt): void {
  const folder = folderOf(dataFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `halt-${halt.eventId}.json`);
  const draft = `${file}.${process.pid}.tmp`;
  const descriptor = openSync(draft, 'w', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(spooledHalt.parse(halt), null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
  // The name has to be as durable as the content.
  const opened = openSync(folder, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** A halt that waits, or the fault of a file that can't be read as one: it blocks entries all the same. */
export type SpoolEntry = { readonly file: string } & ({ readonly halt: SpooledHalt } | { readonly fault: string });

/** What waits, in the order of the names. */
export function readSpool(dataFolder: string): readonly SpoolEntry[] {
  return names(dataFolder).map((name) => {
    const file = join(folderOf(dataFolder), name);
    try {
      const parsed = spooledHalt.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      return parsed.success ? { file, halt: parsed.data } : { file, fault: parsed.error.message };
    } catch (error) {
      return { file, fault: String(error) };
    }
  });
}

/** Whether a halt waits to be imported: until it is, nobody may act as if there were none. */
export const hasSpooledHalts = (dataFolder: string): boolean => names(dataFolder).length > 0;

/** Once it is in the database. */
export const removeSpooled = (file: string): void => rmSync(file, { force: true });

function names(dataFolder: string): readonly string[] {
  const folder = folderOf(dataFolder);
  return existsSync(folder) ? readdirSync(folder).filter(isHalt).toSorted() : [];
}
