import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { connectRatchet, readStack } from '../../src/client/index.ts';
import { scrubbed } from './scrub.ts';
import { type Site, stories } from './stories.ts';

// Records the histories that test/workflows/replay.test.ts replays: `npm run record-histories`. It runs the whole stack
// in a folder of its own, moves the paper venue's prices through every story, and writes what Temporal has kept.
// Run it when a lifecycle is new or may do other things than before; what was recorded before must still replay, unless
// no such workflow runs anywhere.

const here = fileURLToPath(new URL('.', import.meta.url));
const bootstrap = fileURLToPath(new URL('../../src/stack/bootstrap.mjs', import.meta.url));

const dataFolder = mkdtempSync(join(tmpdir(), 'ratchet-histories-'));
// Where this runs as root, PostgreSQL runs as another user and must get in.
chmodSync(dataFolder, 0o755);
const stack = spawn(process.execPath, [bootstrap, 'start', '--json', '--no-bot', '--data', dataFolder], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  await record(await untilReady());
} finally {
  stack.kill('SIGTERM');
  if (stack.exitCode === null) await once(stack, 'exit');
  rmSync(dataFolder, { recursive: true, force: true });
}

type Ready = {
  readonly event?: string;
  readonly paper?: { readonly controlUrl: string; readonly symbols: readonly string[] };
};

async function untilReady(): Promise<NonNullable<Ready['paper']>> {
  for await (const line of createInterface({ input: stack.stdout })) {
    const { event, paper } = JSON.parse(line) as Ready;
    if (event === 'ready' && paper) return paper;
  }
  throw new Error('the stack did not start; what it says is above');
}

async function record({ controlUrl, symbols }: NonNullable<Ready['paper']>): Promise<void> {
  const [symbol = ''] = symbols;
  const site = await openSite(controlUrl, symbol);
  const recorded = [];
  for (const story of stories) {
    say(story.name);
    recorded.push(...(await story(site)));
  }
  for (const { name, workflowId } of recorded) {
    const history = await site.temporal.workflow.getHandle(workflowId).fetchHistory();
    const { events } = scrubbed(JSON.parse(historyToJSON(history))) as { events: readonly unknown[] };
    const lines = events.map((event) => JSON.stringify(event)).join(',\n');
    writeFileSync(join(here, `${name}.json`), `{"workflowId":"${workflowId}","events":[\n${lines}\n]}\n`);
    say(`  ${name}: ${events.length} events`);
  }
  await site.ratchet.disconnect();
  await site.temporal.connection.close();
}

async function openSite(controlUrl: string, symbol: string): Promise<Site> {
  const { temporal: where, api } = readStack(dataFolder);
  const temporal = new Client({ connection: await Connection.connect({ address: where.address }) });
  const ratchet = await connectRatchet({ temporal: { address: where.address }, api });
  const control = async (command: string, body: object): Promise<void> => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${controlUrl}/__sim/${command}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the paper venue refuses ${command}: ${await response.text()}`);
  };
  await control('replay', { action: 'pause' });
  const { last } = await ratchet.market(symbol);
  if (last === null) throw new Error(`${symbol} has no price`);
  const tick: Site['tick'] = (price, quantity) => control('tick', { price, ...(quantity && { quantity }) });
  const move: Site['move'] = (asset, change) => control('external', { type: 'balance', asset, change });
  return { ratchet, temporal, symbol, home: last, tick, move };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
