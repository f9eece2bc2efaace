import { parseArgs } from 'node:util';
import { gather } from '../support/evidence.ts';
import { examine } from '../support/oracle.ts';
import { searchSecrets } from '../support/secret-search.ts';
import { casesNamed } from './cases.ts';
import { type CaseResult, playCase } from './play.ts';
import { closeBystanders, openBystanders, startCrashStack } from './stack.ts';

// `npm run crash`: the 128 cases, each on real processes: a worker that is killed or paused at a named point, the trade
// that it was working on, and the oracle's verdict over everything. `--only CP4`, `--only CP4-LIMIT-kill,CP5`.

const { values } = parseArgs({
  options: { only: { type: 'string' }, shards: { type: 'string' }, shard: { type: 'string' } },
});
const [shards, shard] = [Number(values.shards ?? 1), Number(values.shard ?? 1)];
const cases = casesNamed(values.only).filter((_, i) => i % shards === shard - 1);

// The stack ends with this process, however it ends.
const startedAtMs = Date.now();
const stack = await startCrashStack(cases);
const results: CaseResult[] = [];
const known = new Set<string>();
try {
  await openBystanders(stack);
  say('case                  result  phase      goes on after   took');
  for (const each of cases) {
    const result = await playCase(stack, each, known);
    results.push(result);
    say(lineOf(result));
    for (const fault of result.faults.slice(0, 8)) say(`    ${fault}`);
    if (result.faults.length > 0) await reset();
  }
  await closeBystanders(stack);
  await sayVerdicts();
} finally {
  await stack.stop();
}
saySummary();
process.exitCode = results.every(({ faults }) => faults.length === 0) && results.length > 0 ? 0 : 1;

/** One case that fails must not make the next one fail: its trade is closed, however far it came. */
async function reset(): Promise<void> {
  const open = await stack.sql<{ id: string }>(
    "select trade_id as id from trade where phase in ('placing', 'working', 'open') and trade_id not like 'bystander-%'",
  );
  for (const { id } of open)
    await stack.client.close(id, { actor: 'tester', reason: 'the case is over' }).catch(() => undefined);
}

function lineOf({ id, faults, phase, parked, goesOnAfterMs, tookMs }: CaseResult): string {
  const goesOn = goesOnAfterMs === null ? '' : `${(goesOnAfterMs / 1_000).toFixed(2)} s`;
  return [
    id.padEnd(22),
    (faults.length === 0 ? 'passed' : 'FAILED').padEnd(8),
    (parked ? `${phase}, parked` : phase).padEnd(18),
    goesOn.padStart(8),
    `${(tookMs / 1_000).toFixed(1)} s`.padStart(8),
  ].join('');
}

async function sayVerdicts(): Promise<void> {
  const verdicts = examine(await gather(stack, { secrets: await searchSecrets(stack) }));
  say('\ninvariant  judged  broken');
  for (const [name, { n, violations }] of Object.entries(verdicts)) {
    say(`${name.padEnd(11)}${String(n).padStart(6)}${String(violations.length).padStart(8)}`);
    for (const violation of violations.slice(0, 3)) say(`    ${violation}`);
  }
}

function saySummary(): void {
  const delays = results
    .flatMap(({ goesOnAfterMs, parked }) => (goesOnAfterMs === null || parked ? [] : [goesOnAfterMs]))
    .sort((a, b) => a - b);
  const at = (share: number) =>
    ((delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0) / 1_000).toFixed(2);
  const parked = results.filter((result) => result.parked).map(({ id }) => id);
  const failed = results.filter(({ faults }) => faults.length > 0);
  say(
    `\nafter a kill the trade went on, from a worker being back: p50 ${at(0.5)} s, p99 ${at(0.99)} s, max ${at(1)} s (n = ${delays.length})`,
  );
  say(`parked for a person: ${parked.length === 0 ? 'none' : parked.join(', ')}`);
  say(`took ${((Date.now() - startedAtMs) / 60_000).toFixed(1)} minutes`);
  if (failed.length > 0) say(`failed: ${failed.map(({ id }) => id).join(', ')}`);
  say(`${results.length - failed.length} passed, ${failed.length} failed`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
