import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readStackFile, type StackFile } from '../../src/config/stack-file.ts';
import { cpuMsOf } from './cpu.ts';

export type BenchStack = {
  readonly file: StackFile;
  /** A command to the paper venue's control port; answers with its body. */
  control(method: 'GET' | 'POST', path: string, body?: object): Promise<Record<string, unknown>>;
  /** What each part of it has used of the CPU since it was started. */
  cpuMs(): CpuMs;
  stop(): Promise<void>;
};

export type CpuMs = Readonly<Record<'worker' | 'Temporal' | 'PostgreSQL' | 'paper venue' | 'API', number>>;

/** The whole stack as `npm start -- --no-bot` runs it, in a folder of its own. */
export async function startBenchStack(): Promise<BenchStack> {
  const data = mkdtempSync(join(tmpdir(), 'ratchet-bench-'));
  // PostgreSQL has a user of its own where this runs as root.
  chmodSync(data, 0o755);
  const supervisor = spawn(process.execPath, ['src/stack/bootstrap.mjs', 'start', '--no-bot', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // The venue's own limits would be what is measured; the product's budget learns them from the venue.
    env: {
      ...process.env,
      RATCHET_LIMITS_FILE: 'test/bench/limits.yaml',
      RATCHET_PAPER_ORDERS_PER_10S: '100000',
      RATCHET_PAPER_WEIGHT_PER_MINUTE: '10000000',
    },
  });
  await untilReady(supervisor);
  const file = readStackFile(data);
  if (file?.paper === undefined) throw new Error('the stack has not said where it is');
  const { controlUrl } = file.paper;
  return {
    file,
    async control(method, path, body) {
      const response = await fetch(`${controlUrl}${path}`, {
        method,
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return (await response.json()) as Record<string, unknown>;
    },
    cpuMs: () => cpuMsIn(data, file),
    async stop() {
      supervisor.kill('SIGINT');
      await once(supervisor, 'exit');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function cpuMsIn(data: string, { processes }: StackFile): CpuMs {
  const { pid: temporal } = JSON.parse(readFileSync(join(data, 'run', 'temporal-server.pid'), 'utf8')) as StackProcess;
  const [postgres] = readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  return {
    worker: cpuMsOf(processes['worker']?.pid ?? 0),
    Temporal: cpuMsOf(temporal),
    PostgreSQL: cpuMsOf(Number(postgres)),
    'paper venue': cpuMsOf(processes['paper']?.pid ?? 0),
    API: cpuMsOf(processes['api']?.pid ?? 0),
  };
}

type StackProcess = StackFile['processes'][string];

async function untilReady(supervisor: ChildProcess): Promise<void> {
  if (supervisor.stdout === null) throw new Error('the supervisor has no output');
  for await (const line of createInterface({ input: supervisor.stdout })) if (line.includes('Ready in')) return;
  throw new Error(`the stack did not start: exit code ${supervisor.exitCode}`);
}
