import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import pg from 'pg';
import { connectRatchet, type RatchetClient, readStack } from '../../src/client/index.ts';
import type { StackFile } from '../../src/contracts/schemas/stack.ts';
import type { CrashPoint } from '../../src/observability/crash-point.ts';
import type { Outage } from './evidence.ts';
import { keepHistories } from './histories.ts';
import { type PaperControl, paperControl } from './paper-control.ts';
import { type Strike, type StrikePoints, strikes, wakeUp, watchDeath } from './strikes.ts';
import { until } from './until.ts';

/** The processes that a test may kill; of PostgreSQL and Temporal the servers themselves, not their keepers. */
export type ProcessName = 'worker' | 'api' | 'paper' | 'postgres' | 'temporal';

export type Row = Readonly<Record<string, unknown>>;

/** Asks the database. */
export type Sql = <R extends Row>(statement: string, parameters?: readonly unknown[]) => Promise<readonly R[]>;

export type Stack = {
  readonly data: string;
  /** What was set for it beyond its defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly file: () => StackFile;
  readonly client: RatchetClient;
  readonly temporal: Client;
  readonly venue: PaperControl;
  /** Asks the database as the owner of its tables, on a connection of its own. */
  readonly sql: Sql;
  /** The same for many statements, which all see the database as it was at one moment. */
  atOneMoment<Result>(read: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** Runs `ratchet <arguments>` as a person would, and gives its exit code and what it said. */
  ratchet(...args: readonly string[]): { readonly code: number | null; readonly output: string };
  /** The same, without waiting: for what a process answers that is about to die. */
  ratchetSoon(...args: readonly string[]): Promise<number | null>;
  /** From now on, the first process that gets to the point dies there, or is stopped there. */
  plan(point: CrashPoint, signal?: Strike): void;
  /** From now on, nothing dies or is stopped there. */
  unplan(point: CrashPoint, signal?: Strike): void;
  /** Waits until that has happened. */
  struck(point: CrashPoint, signal?: Strike): Promise<void>;
  isStruck(point: CrashPoint, signal?: Strike): boolean;
  pidOf(name: ProcessName): number;
  /** Ends the process with SIGKILL and waits until the supervisor has another one that works. */
  kill(name: ProcessName): Promise<void>;
  /** Runs something that ends the process, and waits until the supervisor has another one that works. */
  restarted(name: ProcessName, ending: () => Promise<unknown>): Promise<void>;
  /** When no worker lived or was awake, as far as this test has brought it about. */
  outages(): readonly Outage[];
  /** Stops a process that is not to be killed, until `wake` is called. */
  pause(name: ProcessName): { readonly wake: () => void };
  /** The supervisor's own process, and what it has said. */
  readonly supervisor: ChildProcess;
  readonly said: () => string;
  /** Asks the supervisor for the end of everything, as Ctrl-C does, and gives its exit code. */
  interrupt(): Promise<number | null>;
  /** Ends the test's own connections: what is started in the same folder afterwards is another stack. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
};

export type StackSettings = {
  /** An existing folder, to start again what was stopped there. */
  readonly data?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Markets whose prices are generated, instead of the one that stands still. */
  readonly symbols?: readonly string[];
} & StrikePoints;

const root = fileURLToPath(new URL('../..', import.meta.url));
const preload = pathToFileURL(join(root, 'dist/src/stack/end-with-parent.js')).href;
const startWithinMs = 90_000;
const stopWithinMs = 45_000;

/** A market that stands still at 100 with steps of 0.01 and 0.001: from then on its prices come from the tests. */
const stillPrices = [
  'timestamp_ms,trade_id,side,price,quantity',
  '1700000000000,1,buy,100.01,10.001',
  '1700000000001,2,sell,100,10',
];

/** Starts the whole stack without the bot, by `npm start`'s own entry point, and waits until it is ready. */
export async function startStack(settings: StackSettings = {}): Promise<Stack> {
  const data = settings.data ?? aDataFolder();
  const { markOf, planned } = strikes(data, settings);
  const { supervisor, said } = await launch(data, { ...settings.environment, ...planned }, settings.symbols);
  const file = () => JSON.parse(readFileSync(join(data, 'stack.json'), 'utf8')) as StackFile;
  const { api, temporal } = readStack(data);
  const connection = await Connection.connect({ address: temporal.address });
  const client = await connectRatchet({ temporal: { connection, namespace: 'default' }, api });
  const dataConverter = { payloadCodecs: [sealedUnread] };
  const temporalClient = new Client({ connection, namespace: 'default', dataConverter });
  const pidOf = (name: ProcessName) => processIdOf(data, file(), name);
  // Whatever is unknown denies, so the first trade comes only once somebody has read the account.
  await until('the equity is known', async () => (await client.state()).equity.amount !== null);

  const outages: { fromMs: number; toMs: number }[] = [];
  const outageOf = (name: ProcessName) => {
    const outage = { fromMs: Date.now(), toMs: Infinity };
    if (name === 'worker') outages.push(outage);
    return {
      end() {
        outage.toMs = Date.now();
      },
    };
  };
  const restarted: Stack['restarted'] = async (name, ending) => {
    const before = file().processes[name]?.pid;
    const watch = watchDeath(pidOf(name), () => outageOf(name));
    try {
      await ending();
      await until(`${name} is back`, async () => file().processes[name]?.pid !== before);
    } finally {
      watch.end();
    }
  };
  const interrupt = async () => {
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) return supervisor.exitCode;
    const exited = once(supervisor, 'exit');
    supervisor.kill('SIGINT');
    const [code] = await exited;
    return code as number | null;
  };
  return {
    data,
    settings: settings.environment ?? {},
    file,
    client,
    temporal: temporalClient,
    venue: paperControl(file().paper?.controlUrl ?? ''),
    sql: (statement, parameters) => withClient(file().database.ownerUrl ?? '', (sql) => sql(statement, parameters)),
    atOneMoment: (read) =>
      withClient(file().database.ownerUrl ?? '', async (sql) => {
        await sql('begin isolation level repeatable read read only');
        return read(sql);
      }),
    ratchet: (...args) => runRatchet(data, args),
    async ratchetSoon(...args) {
      const [code] = await once(spawn(process.execPath, [cli, '--data', data, ...args], ratchetOptions), 'exit');
      return code as number | null;
    },
    plan: (point, signal = 'SIGKILL') => rmSync(markOf(point, signal), { force: true }),
    unplan: (point, signal = 'SIGKILL') => writeFileSync(markOf(point, signal), ''),
    struck: async (point, signal = 'SIGKILL') =>
      void (await until(`a process gets ${signal} at ${point}`, async () => existsSync(markOf(point, signal)))),
    isStruck: (point, signal = 'SIGKILL') => existsSync(markOf(point, signal)),
    pidOf,
    outages: () => outages,
    pause(name) {
      const pid = pidOf(name);
      process.kill(pid, 'SIGSTOP');
      const outage = outageOf(name);
      return {
        wake() {
          wakeUp(pid);
          outage.end();
        },
      };
    },
    restarted,
    kill: (name) => restarted(name, async () => process.kill(pidOf(name), 'SIGKILL')),
    supervisor,
    said,
    interrupt,
    disconnect: () => connection.close(),
    async stop() {
      const keep = process.env['RATCHET_KEEP_HISTORIES'];
      if (keep) await keepHistories(temporalClient, join(root, '.ratchet', 'histories', basename(data)));
      await connection.close();
      // Whatever a test has left behind: nothing of it may go on. The children end with their supervisor.
      supervisor.kill('SIGCONT');
      const force = setTimeout(() => supervisor.kill('SIGKILL'), stopWithinMs);
      await interrupt();
      clearTimeout(force);
      if (!process.env['KEEP_STACKS']) rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// Memos come with every description: what is encrypted is nothing to whoever has no key, and no reason to fail.
const sealedUnread: PayloadCodec = {
  encode: async (payloads) => payloads,
  decode: async (payloads) =>
    payloads.map((payload) => {
      const encoding = Buffer.from(payload.metadata?.['encoding'] ?? []).toString();
      return encoding === 'binary/encrypted' ? { metadata: { encoding: Buffer.from('binary/null') } } : payload;
    }),
};

/** A folder of its own, which the database's own user may enter, with the prices in it. */
export function aDataFolder(): string {
  const data = mkdtempSync(join(tmpdir(), 'ratchet-whole-'));
  chmodSync(data, 0o755);
  writeFileSync(join(data, 'btc-usdt-still.csv'), `${stillPrices.join('\n')}\n`);
  return data;
}

/** Starts a supervisor in the folder, and resolves with it once everything is ready, or it has ended. */
export async function launch(
  data: string,
  environment: Readonly<Record<string, string>> = {},
  symbols: readonly string[] = [],
): Promise<{ readonly supervisor: ChildProcess; readonly said: () => string }> {
  const prices = symbols.length > 0 ? ['--symbol', symbols.join()] : ['--prices', join(data, 'btc-usdt-still.csv')];
  const args = ['start', '--data', data, ...prices, '--no-bot', '--json'];
  // Its pipe closes when the tests die, however they do, and then it stops everything.
  const supervisor = spawn(process.execPath, ['--import', preload, 'src/stack/bootstrap.mjs', ...args], {
    cwd: root,
    env: { ...ownEnvironment(), ...environment },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log = join(data, 'supervisor.log');
  let text = '';
  supervisor.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    appendFileSync(log, chunk);
  });
  const ready = new Promise<void>((resolve) => {
    if (supervisor.stdout === null) return;
    createInterface({ input: supervisor.stdout }).on('line', (line) => line.includes('"ready"') && resolve());
  });
  const late = AbortSignal.timeout(startWithinMs);
  await Promise.race([
    ready,
    once(supervisor, 'exit'),
    once(late, 'abort').then(() => Promise.reject(new Error(`the stack does not get ready:\n${text}`))),
  ]);
  return { supervisor, said: () => text };
}

/** What of the environment belongs to whoever runs the tests is not for the stack. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(RATCHET_(?!TEMPORAL_CLI$|BIN_DIR$)|TEMPORAL_|DATABASE_|VENUE_|CRASH_|PAUSE_|VITEST|NODE_ENV$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

function processIdOf(data: string, file: StackFile, name: ProcessName): number {
  const pid = ownProcessId(data, file, name);
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`no process id of ${name}: ${pid}`);
  return pid;
}

function ownProcessId(data: string, file: StackFile, name: ProcessName): number {
  if (name === 'postgres') return Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  if (name === 'temporal') {
    const { pid } = JSON.parse(readFileSync(join(data, 'run', 'temporal-server.pid'), 'utf8')) as { pid: number };
    return pid;
  }
  return file.processes[name]?.pid ?? 0;
}

async function withClient<Result>(url: string, work: (sql: Sql) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 10_000 });
  // A server that is killed says so outside of any query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(async (statement, parameters = []) => (await client.query(statement, [...parameters])).rows);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const cli = join(root, 'dist/src/cli/main.js');
const ratchetOptions = { cwd: root, env: ownEnvironment(), stdio: 'ignore' } as const;

function runRatchet(data: string, args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, '--data', data, ...args], {
    cwd: root,
    env: ownEnvironment(),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, output: `${stdout}${stderr}` };
}
