import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChildLog, logFileOf, openLog, unlessFull } from './child-log.ts';
import type { DataFolder } from './data-folder.ts';
import { signalTo } from './processes.ts';

/** How one process of the stack is started, and how one knows that it works. */
export type ChildSpec = {
  /** Also the name of its log and of the file with its process id. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Words that are in the command line of this child and of no other process. */
  readonly marker: string;
  /** For programs of others: whether it works. Ours say so by themselves, with a line of JSON. */
  readonly probe?: () => Promise<boolean>;
  /** Infinite for a child that never says that it is ready: it may run for as long as it likes. */
  readonly readyTimeoutMs: number;
  /** How long it may take to stop after SIGTERM before it is killed. */
  readonly stopTimeoutMs: number;
  /** Gets each line of standard output; without it, the lines go to the log. */
  readonly onLine?: (line: string) => void;
};

export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it said before. */
  readonly logTail: string;
};

/** What a child says on standard output when it is ready: `{"ready":true, …}`. */
export type ReadyLine = Readonly<Record<string, unknown>>;

/** One run of a child. */
export type Run = {
  readonly pid: number | undefined;
  /** Rejects with a ChildFault when the child ends first, or takes too long. */
  readonly ready: Promise<ReadyLine>;
  readonly exited: Promise<Exit>;
  readonly stop: () => Promise<void>;
};

/** A child that did not get ready: how it ended, and the last lines of its log. */
export class ChildFault extends Error {
  override readonly name = 'ChildFault';
  readonly exitCode: number | undefined;
  readonly logTail: string;

  constructor(spec: ChildSpec, end: Exit | { readonly logTail: string }) {
    const exit = 'code' in end ? end : undefined;
    super(
      exit === undefined
        ? `${spec.name} was not ready after ${spec.readyTimeoutMs / 1000} s`
        : `${spec.name} ended with ${describeExit(exit)}`,
    );
    this.exitCode = exit?.code ?? undefined;
    this.logTail = end.logTail;
  }
}

export const describeExit = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`;

const probeEveryMs = 50;
/** How long the rest of a dead child's output is waited for. */
const outputPatienceMs = 500;

/**
 * Starts a child in a process group of its own, so that a Ctrl-C in the terminal reaches only the supervisor, with a
 * pipe as standard input, by which it learns of the supervisor's end.
 */
export function runChild(spec: ChildSpec, folder: DataFolder): Run {
  const log = openLog(logFileOf(folder, spec.name));
  const [program, ...args] = spec.command;
  const child = spawn(program, args, { env: spec.env, detached: true, stdio: ['pipe', 'pipe', log.fd] });
  const pidFile = join(folder.run, `${spec.name}.pid`);
  const record = JSON.stringify({ pid: child.pid, marker: spec.marker });
  if (child.pid !== undefined) unlessFull(() => writeFileSync(pidFile, record));
  // A child that is gone has no use for its pipe; nothing is ever written to it.
  child.stdin?.on('error', () => {});
  const exited = exitOf(child, log);
  const said = readOutput(spec, child, log);
  void exited.then(() => {
    rmSync(pidFile, { force: true });
    log.close();
  });
  return {
    pid: child.pid,
    ready: readiness(spec, child, said, exited, log),
    exited,
    stop: () => stop(spec, child, exited),
  };
}

/** Resolves once the process is gone and has been read to its end, or its output is held open by somebody else. */
async function exitOf(child: ChildProcess, log: ChildLog): Promise<Exit> {
  const exit = await new Promise<Omit<Exit, 'logTail'>>((resolve) => {
    child.once('error', (error) => {
      log.write(error.message);
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.stdout !== null && !child.stdout.closed) {
    await Promise.race([once(child.stdout, 'close'), delay(outputPatienceMs)]);
  }
  return { ...exit, logTail: log.tail() };
}

function readOutput(spec: ChildSpec, child: ChildProcess, log: ChildLog): Promise<ReadyLine> {
  const onLine = spec.onLine ?? log.write;
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = readyLine(line);
      if (said === undefined) onLine(line);
      else resolve(said);
    });
  });
}

function readyLine(line: string): ReadyLine | undefined {
  if (!line.startsWith('{"ready":true')) return undefined;
  try {
    return JSON.parse(line) as ReadyLine;
  } catch {
    return undefined;
  }
}

async function readiness(
  spec: ChildSpec,
  child: ChildProcess,
  said: Promise<ReadyLine>,
  exited: Promise<Exit>,
  log: ChildLog,
): Promise<ReadyLine> {
  const decided = new AbortController();
  const ready = spec.probe === undefined ? said : untilTrue(spec.probe, decided.signal);
  const timer = afterMs(spec.readyTimeoutMs, decided.signal);
  try {
    return await Promise.race([
      ready,
      exited.then((exit) => Promise.reject(new ChildFault(spec, exit))),
      timer.then(() => {
        if (child.pid !== undefined) signalTo(-child.pid, 'SIGKILL');
        return Promise.reject(new ChildFault(spec, { logTail: log.tail() }));
      }),
    ]);
  } finally {
    timer.catch(() => {});
    decided.abort();
  }
}

/** Node takes an infinite delay for none at all. */
const afterMs = (ms: number, signal: AbortSignal): Promise<void> =>
  Number.isFinite(ms) ? delay(ms, undefined, { signal }) : new Promise(() => {});

async function untilTrue(probe: () => Promise<boolean>, given: AbortSignal): Promise<ReadyLine> {
  while (!given.aborted && !(await probe())) await delay(probeEveryMs);
  return {};
}

async function stop(spec: ChildSpec, child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  // Its own group, so that nothing which the child started outlives it.
  const force = setTimeout(() => signalTo(-pid, 'SIGKILL'), spec.stopTimeoutMs);
  if (child.exitCode === null && child.signalCode === null) signalTo(pid, 'SIGTERM');
  await exited;
  clearTimeout(force);
}
