import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RatchetError } from '../domain/errors.ts';
import { folderIdOf } from './folder-id.ts';

/**
 * The checkpoints outside the database: a file a day, one signed note a line, as a JSON text. A line that was cut off
 * by a crash was never confirmed and is left out.
 *
 * @throws RatchetError AUDIT_CHECKPOINT_UNREADABLE
 */
export async function readNotes(folder: string): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const name of await fileNames(folder)) notes.push(...(await notesOf(join(folder, name))));
  return notes;
}

/** Whether the folder has the note, looked for from the newest on. */
export async function hasNote(folder: string, note: string): Promise<boolean> {
  for (const name of [...(await fileNames(folder))].reverse()) {
    if ((await notesOf(join(folder, name))).includes(note)) return true;
  }
  return false;
}

/** The notes of the newest file that has any: enough to know how far the log once was. */
export async function readNewestNotes(folder: string): Promise<readonly string[]> {
  for (const name of [...(await fileNames(folder))].reverse()) {
    const notes = await notesOf(join(folder, name));
    if (notes.length > 0) return notes;
  }
  return [];
}

/**
 * Adds the note and returns the folder's id when it is on the disk.
 *
 * @throws RatchetError AUDIT_CHECKPOINT_NO_SPACE where there was no room to write it: it may be tried again.
 * AUDIT_CHECKPOINT_NOT_WRITTEN for all else. Never try again after it: a page whose sync failed counts as clean.
 */
export async function appendNote(folder: string, note: string, nowMs: number): Promise<string> {
  const file = join(folder, `checkpoints-${new Date(nowMs).toISOString().slice(0, 10)}.jsonl`);
  let isSyncing = false;
  try {
    if ((await mkdir(folder, { recursive: true })) !== undefined) await syncFolder(join(folder, '..'));
    const folderId = folderIdOf(folder);
    const handle = await open(file, 'a+');
    try {
      const { size } = await handle.stat();
      await handle.appendFile(`${await lineEndMissing(handle, size)}${JSON.stringify(note)}\n`);
      isSyncing = true;
      await handle.datasync();
      if (size === 0) await syncFolder(folder);
    } finally {
      await handle.close();
    }
    return folderId;
  } catch (error) {
    const code = !isSyncing && isFull(error) ? 'AUDIT_CHECKPOINT_NO_SPACE' : 'AUDIT_CHECKPOINT_NOT_WRITTEN';
    throw new RatchetError(code, { file, problem: String(error) }, { cause: error });
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');

// What a crash cut off stays a line of its own, so that it can't spoil the one after it.
async function lineEndMissing(handle: Awaited<ReturnType<typeof open>>, size: number): Promise<'' | '\n'> {
  if (size === 0) return '';
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last.toString() === '\n' ? '' : '\n';
}

// A new name is only durable once its folder is.
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function fileNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^checkpoints-[\d-]+\.jsonl$/.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(folder, String(error));
  }
}

async function notesOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw unreadable(file, String(error));
  });
  return text
    .split('\n')
    .map((line, index) => noteOf(line, file, index + 1))
    .filter((note) => note !== undefined);
}

function noteOf(line: string, file: string, lineNo: number): string | undefined {
  const isCutOff = /^("[^"]*)?$/.test(line);
  if (isCutOff) return undefined;
  try {
    const note: unknown = JSON.parse(line);
    if (typeof note === 'string') return note;
  } catch {
    // Falls through: it is no JSON text.
  }
  throw unreadable(file, `line ${lineNo} is not a checkpoint`);
}

const unreadable = (file: string, problem: string): RatchetError =>
  new RatchetError('AUDIT_CHECKPOINT_UNREADABLE', { file, problem });
