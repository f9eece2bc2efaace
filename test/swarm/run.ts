import { execFileSync, fork } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { TestProject } from 'vitest/node';
import { setup } from '../support/postgres-setup.ts';
import { type LayerName, layerNames } from './layers.ts';
import type { Job, JobDone } from './player.ts';
import { keptSeeds } from './seeds.ts';

// `npm run swarm`: seed after seed, each with faults and rates of its own. `--seeds N` (100) of each layer, or as many as fit in
// `--minutes M`; `--seed S` is the first; `--benches K` processes side by side; `--layer pure,orders,processes`.
// A seed of real processes is a round that takes a minute: of those there is one for 25 of the others.

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    benches: { type: 'string', default: String(availableParallelism()) },
    layer: { type: 'string', default: layerNames.join(',') },
  },
});
const layers = values.layer.split(',') as LayerName[];
const unknown = layers.filter((layer) => !layerNames.includes(layer));
if (unknown.length > 0)
  throw new Error(`--layer is one or more of ${layerNames.join(', ')}, not ${unknown.join(', ')}`);
const endsAtMs = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;
const seedsMax = Number(values.seeds ?? (values.minutes === undefined ? 100 : Infinity));
const firstSeed = Number(values.seed);
const benches = Number(values.benches);
/** A round of real processes takes so much longer than a seed of the other layers. */
const seedsPerRound = 25;
const saidEvery: Readonly<Record<LayerName, number>> = { pure: 1_000, orders: 50, processes: 1 };
const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();

type Tally = { seeds: number; failed: number; submissions: number; armed: number; struck: number; tookMs: number };
const none: Tally = { seeds: 0, failed: 0, submissions: 0, armed: 0, struck: 0, tookMs: 0 };

let serverUrl = '';
const provide = (_: string, url: string) => {
  serverUrl = url;
};
// What the stacks run is the built product.
if (layers.includes('processes'))
  execFileSync(process.execPath, ['src/stack/bootstrap.mjs', 'build'], { stdio: 'inherit' });
const stopPostgres = await setup({ provide } as unknown as TestProject);
const kept = keptSeeds().filter(({ plan: { layer } }) => layer !== 'processes' || layers.includes(layer));
const keptJobs = kept.map(({ name, plan }): Job => ({ name, plan }));
const tallies = new Map<LayerName | 'kept', Tally>();
let brokenOff: unknown;
// Whoever has left it running for long enough gets the table, too, once what is being played has ended.
let isStopped = false;
process.once('SIGINT', () => {
  isStopped = true;
});
try {
  await playAll('kept', keptJobs[Symbol.iterator](), kept.some(({ plan }) => plan.layer === 'processes') ? 1 : benches);
  for (const [i, layer] of layers.entries())
    await playAll(layer, jobsOf(layer, i), layer === 'processes' ? 1 : benches);
} catch (error) {
  brokenOff = error;
} finally {
  await stopPostgres();
}
saySummary();

/** Of the time that is left each layer has its share: the models a tenth, as they take the least. */
function* jobsOf(layer: LayerName, index: number): Generator<Job> {
  const share = layers.length - index === 1 ? 1 : layer === 'pure' ? 0.1 : 0.5;
  const untilMs = Date.now() + (endsAtMs - Date.now()) * share;
  const count = layer === 'processes' ? Math.ceil(seedsMax / seedsPerRound) : seedsMax;
  for (let i = 0; i < count && Date.now() < untilMs && !isStopped; i += 1) yield { layer, seed: firstSeed + i, commit };
}

/** Each process takes the next job when it has done its last. */
async function playAll(name: LayerName | 'kept', jobs: Iterator<Job>, sideBySide: number): Promise<void> {
  const startedAtMs = Date.now();
  const tally = { ...none };
  tallies.set(name, tally);
  try {
    await Promise.all(Array.from({ length: sideBySide }, () => playInProcess(jobs, tally)));
  } finally {
    tally.tookMs = Date.now() - startedAtMs;
  }
}

function playInProcess(jobs: Iterator<Job>, tally: Tally): Promise<void> {
  const player = fork(fileURLToPath(new URL('./player.ts', import.meta.url)), [serverUrl], {
    execArgv: ['--import', 'tsx'],
  });
  return new Promise((resolve, reject) => {
    player.on('message', (message: JobDone | 'ready') => {
      if (message !== 'ready') count(tally, message);
      const next = jobs.next();
      if (next.done === true) player.disconnect();
      else player.send(next.value);
    });
    player.on('error', reject);
    player.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a player ended with ${code}`))));
  });
}

function count(tally: Tally, { name, layer, played, kept }: JobDone): void {
  tally.seeds += 1;
  tally.submissions += played.submissions;
  tally.armed += played.armed;
  tally.struck += played.struck;
  if (tally.seeds % saidEvery[layer] === 0) say(`  ${name}: ${tally.seeds} seeds, ${tally.armed} faulted submissions`);
  for (const remark of played.remarks ?? []) say(`    ${remark}`);
  if (played.faults.length === 0) return;
  tally.failed += 1;
  say(`${name} FAILED${kept === undefined ? '' : `, kept as test/seeds/${kept.file}`}`);
  for (const fault of (kept?.broke ?? played.faults).slice(0, 8)) say(`    ${fault}`);
}

function saySummary(): void {
  const columns = ['layer', 'seeds', 'failed', 'submissions', 'faulted', 'struck', 'faulted/s', 'took'];
  say(`\n${columns.map((column, i) => (i === 0 ? column.padEnd(8) : column.padStart(13))).join('')}`);
  for (const [name, tally] of tallies) {
    const { seeds, failed, submissions, armed, struck, tookMs } = tally;
    const numbers = [seeds, failed, submissions, armed, struck, ((armed / tookMs) * 1_000).toFixed(1)];
    const cells = [...numbers.map(String), `${(tookMs / 1_000).toFixed(1)} s`];
    say(`${name.padEnd(8)}${cells.map((cell) => cell.padStart(13)).join('')}`);
  }
  for (const layer of layers) {
    const tally = tallies.get(layer);
    if (tally !== undefined && tally.armed > 0 && tally.failed === 0) sayBound(layer, tally);
  }
  say(
    `first seed ${firstSeed}, commit ${commit}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`,
  );
  const all = [...tallies.values()];
  const [seeds, failed] = [
    all.reduce((sum, each) => sum + each.seeds, 0),
    all.reduce((sum, each) => sum + each.failed, 0),
  ];
  if (brokenOff !== undefined) say(`broken off: ${String(brokenOff)}`);
  say(`${seeds - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && seeds > 0 && brokenOff === undefined ? 0 : 1;
}

/** No failure in n: the chance of one is below 3/n, with 95 % confidence. */
function sayBound(name: string, { seeds, armed, tookMs }: Tally): void {
  const minutes = ((tookMs / armed) * 1_000_000) / 60_000;
  const time = minutes < 120 ? `${minutes.toFixed(1)} minutes` : `${(minutes / 60).toFixed(1)} hours`;
  say(
    `${name}: 0 failures in n = ${armed} faulted submissions: below ${(3 / armed).toExponential(1)} each (95 %), and below ` +
      `${(3 / seeds).toExponential(1)} a seed; 1,000,000 take ${time} at this rate`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
