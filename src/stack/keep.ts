/**
 * A process of its own that keeps a program which is not ours: `keep <file> <marker> <program> [arguments]`. The program ends with
 * its keeper (see end-with-parent.ts), its end is the keeper's end, and its process id is in `<file>`, so that the
 * next keeper can stop it if this one was killed. `<marker>` are words of the program's command line.
 */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { endRecorded, signalTo } from './processes.ts';

const patienceMs = 10_000;

const [file, marker, program, ...args] = process.argv.slice(2);
if (file === undefined || marker === undefined || program === undefined) {
  console.error('usage: keep <file> <marker> <program> [arguments]');
  process.exit(2);
}

if (await endRecorded(file, patienceMs)) console.error(`stopped a leftover of ${program}`);

// What the program writes is nobody else's business: its database has every trade in it.
process.umask(0o077);
const child = spawn(program, args, { stdio: ['ignore', 2, 2] });
if (child.pid !== undefined) writeFileSync(file, JSON.stringify({ pid: child.pid, marker }));

function end(): void {
  if (child.pid === undefined) return;
  const { pid } = child;
  signalTo(pid, 'SIGTERM');
  setTimeout(() => signalTo(pid, 'SIGKILL'), patienceMs).unref();
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);

child.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  rmSync(file, { force: true });
  console.error(`${program} ended: ${signal ?? `exit code ${code}`}`);
  process.exit(code ?? 1);
});
