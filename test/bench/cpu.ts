import { readdirSync, readFileSync } from 'node:fs';

type Process = { readonly pid: number; readonly parent: number; readonly ms: number };

/** Linux counts a process's time in hundredths of a second. */
const tickMs = 10;

function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may have anything in it; the numbers begin behind it.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, times] = [fields[1], fields.slice(11, 15)];
    return { pid, parent, ms: times.reduce((sum, time) => sum + time, 0) * tickMs };
  } catch {
    // It has ended since the folder was read.
    return undefined;
  }
}

/**
 * Milliseconds of CPU time, of user and kernel, that a process and all its children have used, those that have ended and
 * were waited for included. NaN where there is no /proc.
 */
export function cpuMsOf(root: number): number {
  const names = readNames();
  if (names === undefined) return Number.NaN;
  const processes = names.flatMap((name) => readProcess(Number(name)) ?? []);
  const family = new Set([root]);
  // Children may have lower numbers than their parents, so it takes as many looks as there are generations.
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return processes.filter(({ pid }) => family.has(pid)).reduce((sum, { ms }) => sum + ms, 0);
}

function readNames(): readonly string[] | undefined {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
}
