import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that was written down before its keeper died: its id, and words that only its command line has. */
export type RecordedProcess = { readonly pid: number; readonly marker: string };

/** Whether a process with this id exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Whether the recorded process still runs. Process ids are used again, so an id alone proves nothing: the command
 * line must have the marker in it.
 */
export function stillRuns({ pid, marker }: RecordedProcess): boolean {
  return pid !== process.pid && isAlive(pid) && commandLine(pid).includes(marker);
}

/** Sends a signal to a process, or with a negative id to its group; one that is gone by now is no fault. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until the process is gone, at most for `limitMs`; says whether it is. */
export async function waitForEnd(recorded: RecordedProcess, limitMs: number): Promise<boolean> {
  const deadlineMs = Date.now() + limitMs;
  while (stillRuns(recorded)) {
    if (Date.now() > deadlineMs) return false;
    await delay(50);
  }
  return true;
}

/** Ends a process that nobody keeps any more: politely first, and by force when it takes longer than `limitMs`. */
export async function endLeftover(recorded: RecordedProcess, polite: NodeJS.Signals, limitMs: number): Promise<void> {
  if (!stillRuns(recorded)) return;
  signalTo(recorded.pid, polite);
  if (await waitForEnd(recorded, limitMs)) return;
  signalTo(recorded.pid, 'SIGKILL');
  await waitForEnd(recorded, 5_000);
}

/** Ends the process that a file names, if it still runs, and removes the file. Says whether there was one. */
export async function endRecorded(file: string, limitMs: number): Promise<boolean> {
  const recorded = readRecorded(file);
  const found = recorded !== undefined && stillRuns(recorded);
  if (found) await endLeftover(recorded, 'SIGTERM', limitMs);
  rmSync(file, { force: true });
  return found;
}

/** The process that a file names; a file that is absent or broken names none. */
export function readRecorded(file: string): RecordedProcess | undefined {
  try {
    const { pid, marker } = JSON.parse(readFileSync(file, 'utf8')) as Partial<RecordedProcess>;
    return typeof pid === 'number' && typeof marker === 'string' ? { pid, marker } : undefined;
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  if (existsSync(file)) return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  return spawnSync('ps', ['-o', 'command=', '-ww', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
}
