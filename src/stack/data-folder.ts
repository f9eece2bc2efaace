import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { StackFailure } from './failure.ts';
import { endRecorded, readRecorded, stillRuns } from './processes.ts';

/** Where a stack keeps everything of its own: absolute paths of existing folders. */
export type DataFolder = {
  readonly path: string;
  readonly logs: string;
  /** Process ids, of no use once nothing runs. */
  readonly run: string;
  readonly secrets: string;
};

/** What the databases and logs of a stack need to begin with. */
const roomToRunMb = 300;

/** Makes the folders that are missing. @throws StackFailure when it may not, or the disk is full. */
export function openDataFolder(path: string): DataFolder {
  const absolute = resolve(path);
  const folder = {
    path: absolute,
    logs: join(absolute, 'logs'),
    run: join(absolute, 'run'),
    secrets: join(absolute, 'secrets'),
  };
  try {
    for (const name of [folder.logs, folder.run]) mkdirSync(name, { recursive: true });
    mkdirSync(folder.secrets, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StackFailure(
      `The data folder ${absolute} cannot be made: ${String(error)}`,
      'choose one with --data DIR',
    );
  }
  checkRoom(absolute);
  return folder;
}

/** A database that runs out of room stops in the middle of something, so it is better not started. */
export function checkRoom(
  path: string,
  statfs: (path: string) => { bavail: number; bsize: number } = statfsSync,
): void {
  const { bavail, bsize } = statfs(path);
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMb >= roomToRunMb) return;
  throw new StackFailure(
    `The disk of ${path} has ${freeMb} MB left, and ${roomToRunMb} MB are needed.`,
    'make room on it, or choose a folder on another disk with --data DIR',
  );
}

/**
 * Makes this process the folder's only supervisor, until the returned function is called. The lock of a supervisor
 * that is gone is taken over.
 *
 * @throws StackFailure that names the process id of the one that runs.
 */
export function lockDataFolder(folder: DataFolder): () => void {
  const lock = join(folder.run, 'supervisor.lock');
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, marker: basename(process.argv[1] ?? '') }));
  try {
    if (!linked(draft, lock)) takeOver(draft, lock, folder);
  } finally {
    rmSync(draft);
  }
  return () => rmSync(lock, { force: true });
}

/**
 * Stops what a supervisor that was killed has left behind. Its children end by themselves once their pipe closes;
 * this waits for them, and hurries the ones that take longer than `limitMs`.
 *
 * @returns the names of those that still ran.
 */
export async function stopLeftovers(folder: DataFolder, limitMs = 10_000): Promise<readonly string[]> {
  const names = readdirSync(folder.run).filter((name) => name.endsWith('.pid'));
  const found = await Promise.all(names.map((name) => endRecorded(join(folder.run, name), limitMs)));
  return names.filter((_, i) => found[i]).map((name) => basename(name, '.pid'));
}

/** A random secret that is made once and kept in a file only its owner can read. */
export function keptSecret(folder: DataFolder, name: string): { readonly value: string; readonly file: string } {
  const file = join(folder.secrets, name);
  try {
    writeFileSync(file, randomBytes(24).toString('hex'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return { value: readFileSync(file, 'utf8').trim(), file };
}

// A link comes into being with its content, so nobody ever reads a lock without a holder.
function linked(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function takeOver(draft: string, lock: string, folder: DataFolder): void {
  const holder = readRecorded(lock);
  if (holder === undefined || !stillRuns(holder)) {
    rmSync(lock, { force: true });
    if (linked(draft, lock)) return;
  }
  throw new StackFailure(
    `A stack runs in ${folder.path} already, under process ${readRecorded(lock)?.pid ?? 'unknown'}.`,
    'stop it with Ctrl-C in its terminal (or `kill` and that number), or choose another folder with --data DIR',
  );
}
