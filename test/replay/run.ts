import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, type ReplayHistoriesIterable, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../support/workflow-bundle.ts';

// `npm run replay`: every history that runs of stacks have left behind (RATCHET_KEEP_HISTORIES, under
// .ratchet/histories/) and every recorded one (test/histories) runs again on the workflows of today.

const root = fileURLToPath(new URL('../../', import.meta.url));

type Kept = {
  readonly file: string;
  readonly workflowId: string;
  readonly type: string;
  readonly history: { readonly events: readonly StartedEvent[] };
};
type StartedEvent = {
  readonly workflowExecutionStartedEventAttributes?: { readonly workflowType?: { readonly name?: string } };
};

const kept = ['.ratchet/histories', 'test/histories'].flatMap((folder) => histories(join(root, folder)));

Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
const failures = new Map<string, string>();
const counts = new Map<string, { replayed: number; failed: number }>();
let i = 0;
for await (const { error } of Worker.runReplayHistories(
  { workflowBundle: await workflowBundle() },
  kept as unknown as ReplayHistoriesIterable,
)) {
  const { file, type } = kept[i] as Kept;
  i += 1;
  const count = counts.get(type) ?? { replayed: 0, failed: 0 };
  count.replayed += 1;
  if (error !== undefined) {
    count.failed += 1;
    failures.set(file, error.message);
  }
  counts.set(type, count);
}

say(`${'workflow'.padEnd(24)}${'histories'.padStart(10)}${'failed'.padStart(8)}`);
for (const [type, { replayed, failed }] of [...counts].sort()) {
  say(`${type.padEnd(24)}${String(replayed).padStart(10)}${String(failed).padStart(8)}`);
}
for (const [file, message] of failures) say(`${file}: ${message}`);
say(`\n${i - failures.size} passed, ${failures.size} failed`);
process.exitCode = failures.size === 0 && i > 0 ? 0 : 1;

function histories(folder: string): readonly Kept[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const file = join(folder, name);
      const { workflowId, events } = JSON.parse(readFileSync(file, 'utf8')) as Kept & Kept['history'];
      const type = events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '?';
      return { file, workflowId, type, history: { events } };
    });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
