import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('processes/append.ts', import.meta.url));

export type Appended = {
  /** Calls whose commit was confirmed, and the records in them. */
  readonly acknowledged: number;
  readonly records: number;
  /** Calls that the database did not answer, and that were made again. */
  readonly failures: number;
  readonly seconds: number;
};

export type Appender = {
  /** Confirmed so far: `producer call`. */
  readonly confirmed: readonly string[];
  start(): void;
  readonly result: Promise<Appended>;
  kill(): void;
};

/** A process that records `calls` times from each of `producers`, `batch` records at a time. Begins at `start`. */
export async function anAppender(options: {
  readonly url: string;
  readonly prefix: string;
  readonly producers: number;
  readonly calls: number;
  readonly batch?: number;
}): Promise<Appender> {
  const { url, prefix, producers, calls, batch = 1 } = options;
  const arguments_ = [url, prefix, producers, calls, batch].map(String);
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, ...arguments_], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const confirmed: string[] = [];
  let last = '';
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ready = once(lines, 'line');
  lines.on('line', (line) => {
    if (line.startsWith('{')) last = line;
    else if (line !== 'ready') confirmed.push(line);
  });
  const result = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`the process that records ended with ${code}`);
    return JSON.parse(last) as Appended;
  });
  result.catch(() => undefined);
  await Promise.race([ready, result]);
  return { confirmed, result, start: () => child.stdin?.write('go\n'), kill: () => child.kill('SIGKILL') };
}
