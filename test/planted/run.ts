import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Edit, type PlantedBug, plantedBugs } from './bugs.ts';
import { type Caught, type Report, type Verdict, verdictOf } from './judge.ts';

// `npm run planted`: the test of the tests. Each of 13 bugs is put into a copy of the sources, alone, and the tests that
// are there for it must fail, each for the reason that it is there for; without a bug the same tests must pass.
// `--only PB4,PB7` tries some of them.

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = plantedBugs.filter(({ id }) => values.only?.split(',').includes(id) ?? true);

/** What was compared is in the message as a whole: it tells one failure from another. */
const wholeMessages: Edit = {
  file: 'vitest.config.ts',
  find: '    testTimeout: 30_000,\n    hookTimeout',
  put: '    chaiConfig: { truncateThreshold: 0 },\n    testTimeout: 30_000,\n    hookTimeout',
};

const copy = mkdtempSync(join(tmpdir(), 'ratchet-planted-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
copySources();
const { url, server } = await startPostgres();

const sound = runTests(wanted, 'sound.json');
say(`${'bug'.padEnd(6)}${'result'.padEnd(10)}${'seconds'.padStart(7)}  ${'shown by'.padEnd(20)}planted`);
let passed = 0;
for (const bug of wanted) {
  const startedAtMs = Date.now();
  const verdict = tryOut(bug);
  if (verdict.outcome === 'caught') passed += 1;
  sayVerdict(bug, verdict, (Date.now() - startedAtMs) / 1_000);
}
server.stdin?.end();
say(`\n${passed} passed, ${wanted.length - passed} failed`);
process.exitCode = passed === wanted.length && wanted.length > 0 ? 0 : 1;

function copySources(): void {
  const names = ['src', 'workflows', 'activities', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
  for (const name of names) cpSync(join(root, name), join(copy, name), { recursive: true });
  plant(wholeMessages);
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** One server for all runs: each makes the database that its tests copy anew, by the migrations as they are then. */
async function startPostgres(): Promise<{ readonly url: string; readonly server: ChildProcess }> {
  const child = spawn(process.execPath, [join(root, 'test/support/postgres-server.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('the test database did not start')));
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
  failed.catch(() => undefined);
  return { url: (JSON.parse(line) as { url: string }).url, server: child };
}

function tryOut(bug: PlantedBug): Verdict {
  const moved = bug.edits.find(({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2);
  if (moved) return { outcome: 'failed', why: `${moved.file} does not hold the text to replace exactly once` };
  for (const edit of bug.edits) plant(edit);
  try {
    const compiled = node('node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json');
    if (compiled.status !== 0) return { outcome: 'failed', why: `it does not compile: ${compiled.stdout.trim()}` };
    return verdictOf(bug, sound, runTests([bug], `${bug.id}.json`));
  } finally {
    for (const { file } of bug.edits) cpSync(join(root, file), join(copy, file));
  }
}

function plant({ file, find, put }: Edit): void {
  const path = join(copy, file);
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(find, () => put),
  );
}

function runTests(bugs: readonly PlantedBug[], name: string): Report {
  const output = join(copy, name);
  const files = [...new Set(bugs.flatMap((bug) => bug.files))];
  const named = bugs.map((bug) => bug.named.source).join('|');
  const ran = node(
    'node_modules/vitest/vitest.mjs',
    'run',
    ...files,
    '-t',
    named,
    '--reporter=json',
    `--outputFile=${output}`,
  );
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    throw new Error(`vitest has left no report:\n${ran.stdout}${ran.stderr}`);
  }
}

function node(...args: readonly string[]) {
  const env = { ...process.env, RATCHET_TEST_DATABASE_URL: url };
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', env, maxBuffer: 100 * 1024 * 1024 });
}

function sayVerdict({ id, name, marks }: PlantedBug, verdict: Verdict, seconds: number): void {
  const result = verdict.outcome === 'caught' ? 'caught' : 'FAILED';
  say(`${id.padEnd(6)}${result.padEnd(10)}${seconds.toFixed(1).padStart(7)}  ${marks.join(' ').padEnd(20)}${name}`);
  if (verdict.outcome === 'failed') say(`      ${verdict.why}`);
  else for (const each of verdict.tests) sayTest(each);
}

function sayTest({ file, name, more }: Caught): void {
  say(`      ${file}: ${name}${more === 0 ? '' : ` (and ${more} more)`}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
