import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FaultRow, faultTable } from './table.ts';

// `npm run faults`: every test whose name carries the number of a row of the fault table, over all layers, and the table
// of 86 rows that comes of it. `--only F07,F08` runs some rows; `--from report.json` reads a report of vitest
// instead of running anything. A row without a test fails.

const root = fileURLToPath(new URL('../../', import.meta.url));
const table = join(root, 'test/faults/table.ts');
const { values } = parseArgs({ options: { only: { type: 'string' }, from: { type: 'string' } } });
const wanted =
  values.only === undefined ? faultTable : faultTable.filter(({ id }) => values.only?.split(',').includes(id));

type Assertion = { readonly fullName: string; readonly status: string };
type TestFile = { readonly name: string; readonly assertionResults: readonly Assertion[] };
type Shown = { readonly file: string; readonly layer: string; readonly passed: boolean };

const files = values.from === undefined ? runTests() : read(values.from);
const rows = wanted.map((row) => ({ row, shown: shownBy(row) }));
const passed = rows.filter(({ shown }) => shown.length > 0 && shown.every((test) => test.passed));
say(
  `${'row'.padEnd(5)}${'result'.padEnd(9)}${'tests'.padStart(5)}  ${'strike'.padEnd(7)}${'invariants'.padEnd(20)}${'layer'.padEnd(22)}fault`,
);
for (const { row, shown } of rows) sayRow(row, shown);
say(`\n${passed.length} passed, ${rows.length - passed.length} failed`);
process.exitCode = passed.length === rows.length ? 0 : 1;

/** The report of all tests that carry one of the numbers. */
function runTests(): readonly TestFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'ratchet-faults-'));
  const report = join(folder, 'report.json');
  const pattern = `(^|[^A-Za-z0-9])(${wanted.map(({ id }) => id).join('|')})([^0-9]|$)`;
  // The way of `npm test`, which compiles, and gets the Temporal binaries. Files without a number need not be loaded.
  const args = [
    'src/stack/bootstrap.mjs',
    'test',
    ...filesNaming(new RegExp(pattern)).map((file) => relative(root, file)),
    '-t',
    pattern,
  ];
  args.push('--reporter=json', `--outputFile=${report}`);
  const env = { ...process.env, FULL_LENGTH: '1' };
  spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env });
  const tests = read(report);
  rmSync(folder, { recursive: true });
  return tests;
}

/** Test files that name a row, or have a name from what they import. */
function filesNaming(pattern: RegExp): readonly string[] {
  const modules = new Map(
    readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [join(root, 'test', name), readFileSync(join(root, 'test', name), 'utf8')]),
  );
  const names = (file: string, seen: Set<string>): boolean => {
    const text = modules.get(file);
    if (text === undefined || seen.has(file)) return false;
    seen.add(file);
    const imported = [...text.matchAll(/ from '(\.[^']+)'/g)].map(([, path = '']) => join(dirname(file), path));
    return pattern.test(text) || imported.some((path) => path !== table && names(path, seen));
  };
  return [...modules.keys()].filter((file) => file.endsWith('.test.ts') && names(file, new Set()));
}

function read(report: string): readonly TestFile[] {
  return (JSON.parse(readFileSync(report, 'utf8')) as { testResults: readonly TestFile[] }).testResults;
}

function shownBy({ id }: FaultRow): readonly Shown[] {
  const carries = new RegExp(`(^|[^A-Za-z0-9])${id}([^0-9]|$)`);
  return files.flatMap(({ name, assertionResults }) => {
    const file = relative(root, name);
    return assertionResults
      .filter(({ fullName, status }) => carries.test(fullName) && status !== 'skipped' && status !== 'pending')
      .map(({ status }) => ({ file, layer: layerOf(file), passed: status === 'passed' }));
  });
}

/** The cheapest layer that shows a row honestly is where its test stands. */
function layerOf(file: string): string {
  const [, folder = ''] = file.split('/');
  if (folder === 'stack') return 'real processes';
  if (folder === 'workflows') return 'workflows';
  if (/^(activities|store|audit|api|cli|main)$/.test(folder)) return 'database';
  return /^(simulator|venue|prices)$/.test(folder) ? 'venue' : 'pure';
}

function sayRow({ id, fault, strike, invariants }: FaultRow, shown: readonly Shown[]): void {
  const result = shown.length === 0 ? 'NO TEST' : shown.every((test) => test.passed) ? 'passed' : 'FAILED';
  const layers = [...new Set(shown.map(({ layer }) => layer))].join(', ');
  const short = fault.length > 70 ? `${fault.slice(0, 67)}…` : fault;
  say(
    `${id.padEnd(5)}${result.padEnd(9)}${String(shown.length).padStart(5)}  ${strike.padEnd(7)}${invariants.slice(0, 18).padEnd(20)}${layers.padEnd(22)}${short}`,
  );
  for (const file of new Set(shown.map((test) => test.file))) say(`${''.padEnd(21)}${file}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
