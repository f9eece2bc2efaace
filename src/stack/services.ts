import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildSpec } from './child.ts';
import type { DataFolder } from './data-folder.ts';
import type { Flags } from './flags.ts';

/** What every child is made from: where things are, and what it inherits of the environment. */
export type Site = { readonly root: string; readonly folder: DataFolder; readonly environment: NodeJS.ProcessEnv };

/** The order in which a stack stops: first who sends, last what keeps. */
export const stopOrder = ['bot', 'api', 'worker', 'setup', 'paper', 'temporal', 'postgres'] as const;
type Name = (typeof stopOrder)[number];

/** In milliseconds: getting ready includes the recovery of a database that was killed. A bot never says that it is. */
const limits: Readonly<Record<Name, { readonly ready: number; readonly stop: number }>> = {
  bot: { ready: Number.POSITIVE_INFINITY, stop: 5_000 },
  api: { ready: 30_000, stop: 8_000 },
  worker: { ready: 60_000, stop: 15_000 },
  setup: { ready: 60_000, stop: 5_000 },
  paper: { ready: 60_000, stop: 8_000 },
  temporal: { ready: 30_000, stop: 12_000 },
  postgres: { ready: 120_000, stop: 20_000 },
};

/** Types of the search attributes that the workflows set. */
const searchAttributes = ['RatchetSymbol', 'RatchetStrategy', 'RatchetState', 'RatchetAccount'].map(
  (name) => `${name}=Keyword`,
);

export function postgresChild(site: Site, port: number, passwordFile: string): ChildSpec {
  const args = ['--data', join(site.folder.path, 'postgres'), '--port', String(port), '--password-file', passwordFile];
  return nodeChild(site, 'postgres', stackScript('postgres'), {}, args);
}

/** The Temporal CLI's dev server with a database file: WAL and synchronous=normal are twice as fast and survive a kill. */
export function temporalChild(
  site: Site,
  cli: string,
  ports: { readonly temporal: number; readonly ui: number },
): ChildSpec {
  const database = join(site.folder.path, 'temporal.db');
  const server = [
    [cli, 'server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
    ['--port', String(ports.temporal), '--ui-port', String(ports.ui)],
    ['--db-filename', database],
    ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    searchAttributes.flatMap((attribute) => ['--search-attribute', attribute]),
  ].flat();
  const pidFile = join(site.folder.run, 'temporal-server.pid');
  const child = nodeChild(site, 'temporal', stackScript('keep'), {}, [pidFile, database, ...server]);
  return { ...child, probe: () => temporalAnswers(site, cli, ports.temporal) };
}

export type PaperPorts = { readonly venue: number; readonly control: number };

export function paperChild(site: Site, flags: Flags, ports: PaperPorts, keys: VenueKeys): ChildSpec {
  const options = { prices: flags.prices, symbol: flags.symbol, speed: flags.speed, seed: flags.seed };
  const args = [
    ['--host', '127.0.0.1', '--port', String(ports.venue), '--control-port', String(ports.control)],
    ['--data', join(site.folder.path, 'venue')],
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
  ].flat();
  const env = { RATCHET_PAPER_API_KEY: keys.key, RATCHET_PAPER_API_SECRET: keys.secret };
  return nodeChild(site, 'paper', mainScript(site, 'main/simulator'), env, args);
}

export type VenueKeys = { readonly key: string; readonly secret: string };

/** Runs once: migrations, search attributes, retention, keys, limits. */
export const setupChild = (site: Site, settings: NodeJS.ProcessEnv): ChildSpec =>
  nodeChild(site, 'setup', mainScript(site, 'main/setup'), settings);

export const workerChild = (site: Site, settings: NodeJS.ProcessEnv): ChildSpec =>
  nodeChild(site, 'worker', mainScript(site, 'main/worker'), settings);

export const apiChild = (site: Site, settings: NodeJS.ProcessEnv): ChildSpec =>
  nodeChild(site, 'api', mainScript(site, 'main/api'), settings);

export const botChild = (site: Site, settings: NodeJS.ProcessEnv, onLine: (line: string) => void): ChildSpec => ({
  ...nodeChild(site, 'bot', mainScript(site, 'bot/main'), settings),
  onLine,
});

/** A process of Node that ends with the supervisor (see end-with-parent.ts). */
function nodeChild(
  { folder, environment }: Site,
  name: Name,
  script: string,
  settings: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): ChildSpec {
  // Two stacks of one clone run the same scripts; the data folder is what tells their command lines apart.
  const marker = `child=${name}&data=${encodeURIComponent(folder.path)}`;
  const preload = `${new URL('./end-with-parent.js', import.meta.url).href}?${marker}`;
  return {
    name,
    command: [process.execPath, '--import', preload, script, ...args],
    env: { ...environment, ...settings },
    marker,
    readyTimeoutMs: limits[name].ready,
    stopTimeoutMs: limits[name].stop,
  };
}

const stackScript = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const mainScript = ({ root }: Site, name: string): string => join(root, 'dist', 'src', `${name}.js`);

/** The server listens before it has its namespace, so that is what is asked for. */
function temporalAnswers({ environment }: Site, cli: string, port: number): Promise<boolean> {
  const args = ['operator', 'namespace', 'describe', '--namespace', 'default', '--address', `127.0.0.1:${port}`];
  const options = { env: environment, timeout: 5_000 };
  return new Promise((resolve) => execFile(cli, args, options, (error) => resolve(error === null)));
}
