import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProxy, type TcpProxy } from './proxy.ts';
import { ownEnvironment, type Stack } from './stack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const preload = pathToFileURL(join(root, 'dist/src/stack/end-with-parent.js')).href;

/** What every process of the stack loads first, so that a test can have a word with its worker. */
export const workerEnvironment = {
  NODE_OPTIONS: `--import ${new URL('./worker-environment.mjs', import.meta.url).href}`,
};

export type Link = 'temporal' | 'database' | 'venue';
export type Links = Readonly<Record<Link, TcpProxy>>;

/** Puts a proxy between the stack's worker and each of those it talks to, and starts the worker again behind them. */
export async function proxyWorker(stack: Stack): Promise<Links> {
  const { temporal, database, paper } = stack.file();
  const behind = async (url: string): Promise<TcpProxy> => {
    const { hostname, port } = new URL(url);
    return startProxy({ host: hostname, port: Number(port) });
  };
  const links: Links = {
    temporal: await behind(`http://${temporal.address}`),
    database: await behind(database.url),
    venue: await behind(paper?.url ?? ''),
  };
  const throughProxy = new URL(database.url);
  throughProxy.port = String(links.database.port);
  const settings = {
    TEMPORAL_ADDRESS: links.temporal.address,
    DATABASE_URL: throughProxy.href,
    RATCHET_VENUE_REST_URL: `http://${links.venue.address}`,
    RATCHET_VENUE_STREAM_URL: `ws://${links.venue.address}`,
    RATCHET_VENUE_WS_API_URL: `ws://${links.venue.address}/ws-api/v3`,
  };
  writeFileSync(join(stack.data, 'worker-environment.json'), JSON.stringify(settings), { mode: 0o600 });
  await stack.kill('worker');
  return links;
}

/** Lets the worker talk to everybody directly again. */
export async function unproxyWorker(stack: Stack, links: Links): Promise<void> {
  rmSync(join(stack.data, 'worker-environment.json'));
  for (const proxy of Object.values(links)) proxy.heal();
  await stack.kill('worker');
  for (const proxy of Object.values(links)) await proxy.close();
}

/** A second worker beside the stack's own, ready to work. It ends with the test, or when it is told to. */
export async function startSecondWorker(stack: Stack): Promise<{ stop(): Promise<void> }> {
  const { temporal, database, paper } = stack.file();
  const socketUrl = paper?.url.replace(/^http/, 'ws') ?? '';
  const secret = (name: string) => readFileSync(join(stack.data, 'secrets', name), 'utf8').trim();
  const worker = spawn(process.execPath, ['--import', preload, 'dist/src/main/worker.js'], {
    cwd: root,
    env: {
      ...ownEnvironment(),
      ...stack.settings,
      CRASH_AT: '',
      PAUSE_AT: '',
      RATCHET_DATA: stack.data,
      RATCHET_VENUE: 'paper',
      RATCHET_VENUE_REST_URL: paper?.url ?? '',
      RATCHET_VENUE_STREAM_URL: socketUrl,
      RATCHET_VENUE_WS_API_URL: `${socketUrl}/ws-api/v3`,
      VENUE_API_KEY: secret('paper-api-key'),
      VENUE_API_SECRET: secret('paper-api-secret'),
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  await untilReady(worker, join(stack.data, 'second-worker.log'));
  return {
    async stop() {
      if (worker.exitCode !== null || worker.signalCode !== null) return;
      const exited = once(worker, 'exit');
      worker.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilReady(worker: ChildProcess, log: string): Promise<void> {
  worker.stderr?.on('data', (chunk: Buffer) => appendFileSync(log, chunk));
  await new Promise<void>((resolve, reject) => {
    worker.once('exit', (code) => reject(new Error(`the second worker ended with ${code}: ${log}`)));
    if (worker.stdout === null) return;
    createInterface({ input: worker.stdout }).on('line', (line) => {
      appendFileSync(log, `${line}\n`);
      if (line.includes('"ready":true')) resolve();
    });
  });
}
