import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readStackFile } from '../../src/config/stack-file.ts';
import { isAlive } from '../../src/stack/processes.ts';
import { aFolder } from './a-folder.ts';
import { eventually } from './eventually.ts';

// The real command with real processes: what a person gets who types `npm start`.

const root = fileURLToPath(new URL('../..', import.meta.url));

type Line = Readonly<Record<string, unknown>>;
type Stack = {
  readonly process: ChildProcess;
  /** What was printed on standard output so far. */
  readonly lines: Line[];
  readonly said: () => string;
  readonly exited: Promise<number | null>;
  /** Waits for a line with this event. */
  readonly event: (name: string) => Promise<Line>;
};

function start(data: string, ...flags: string[]): Stack {
  const bootstrap = join(root, 'src/stack/bootstrap.mjs');
  const child = spawn(process.execPath, [bootstrap, 'start', '--json', '--data', data, ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The bot gives up on a trade after two seconds, so that nobody waits for the market.
    env: { ...process.env, BOT_TIME_STOP_MS: '2000' },
  });
  onTestFinished(async () => {
    child.kill('SIGINT');
    await exited;
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const event = async (name: string): Promise<Line> => {
    let found: Line | undefined;
    await eventually(`the event ${name}, after:\n${said}`, () => {
      found = lines.find((line) => line['event'] === name);
      return found !== undefined || child.exitCode !== null;
    });
    if (found === undefined) throw new Error(`ended without the event ${name}:\n${said}`);
    return found;
  };
  return { process: child, lines, said: () => said, exited, event };
}

function somePrices(folder: string): string {
  const rows = Array.from({ length: 40 }, (_, i) => `${1_700_000_000_000 + i * 100},${i + 1},buy,${100 + (i % 3)},1`);
  const file = join(folder, 'abc-usdt-trades-2026.csv');
  writeFileSync(file, ['timestamp_ms,trade_id,side,price,quantity', ...rows, ''].join('\n'));
  return file;
}

/** What the API answers, if it does. */
async function ask(data: string, path: string): Promise<Line | undefined> {
  const api = readStackFile(data)?.api;
  const key = readFileSync(api?.keyFile ?? '', 'utf8').trim();
  const answer = await fetch(`${api?.url}${path}`, { headers: { authorization: `Bearer ${key}` } }).catch(
    () => undefined,
  );
  return answer?.ok === true ? ((await answer.json()) as Line) : undefined;
}

const pidsOf = (data: string): readonly number[] =>
  Object.values(readStackFile(data)?.processes ?? {}).map(({ pid }) => pid);

describe('npm start', () => {
  test('ends after the wanted trades, with a summary, exit code 0 and nothing left running', async () => {
    const data = aFolder();
    const stack = start(data, '--trades', '1');
    await stack.event('ready');
    const pids = pidsOf(data);
    expect(pids).toHaveLength(5);
    expect(await stack.exited, stack.said()).toBe(0);
    expect(stack.lines.at(-1)).toMatchObject({ event: 'summary', closed: 1, wanted: 1 });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(stack.said()).toMatch(/stop api .*stop worker .*stop paper .*stop temporal .*stop postgres /s);
  });

  test('goes on with the open trade where it stood, and refuses other prices until it is closed', async () => {
    const data = aFolder();
    const first = start(data, '--trades', '1');
    const { tradeId } = await first.event('entered');
    first.process.kill('SIGINT');
    expect(await first.exited).toBe(130);

    const refused = start(data, '--prices', somePrices(aFolder()), '--no-bot');
    expect(await refused.exited, refused.said()).toBe(4);

    const second = start(data, '--no-bot');
    await second.event('ready');
    await eventually('the trade is closed', async () => {
      const trade = await ask(data, `/v1/trades/${String(tradeId)}`);
      return trade?.['phase'] === 'closed';
    });
  });

  test('ends with exit code 3 when the prices end before the trades are done', async () => {
    const stack = start(aFolder(), '--trades', '50', '--prices', somePrices(aFolder()), '--speed', '20');
    expect(await stack.exited, stack.said()).toBe(3);
    expect(stack.lines.at(-1)).toMatchObject({ event: 'summary', end: 'prices-ended' });
  });

  test('starts after a kill of its supervisor as if nothing had been, and refuses a second one beside it', async () => {
    const data = aFolder();
    const killed = start(data, '--no-bot');
    await killed.event('ready');
    const pids = pidsOf(data);
    killed.process.kill('SIGKILL');
    await killed.exited;

    const next = start(data, '--no-bot');
    await next.event('ready');
    expect(pids.filter((pid) => pidsOf(data).includes(pid))).toEqual([]);

    const beside = start(data, '--no-bot');
    expect(await beside.exited).toBe(1);
    expect(beside.said()).toContain(`under process ${next.process.pid}`);
  });

  test('starts each of its processes again that is killed, in its place', async () => {
    const data = aFolder();
    const stack = start(data, '--no-bot');
    await stack.event('ready');
    const before = readStackFile(data);
    for (const [name, { pid }] of Object.entries(before?.processes ?? {})) {
      process.kill(pid, 'SIGKILL');
      await eventually(`${name} is back`, () => stack.said().includes(`${name} is back`));
    }
    await eventually('the API answers', async () => (await ask(data, '/v1/status')) !== undefined);
    expect(readStackFile(data)).toMatchObject({ api: before?.api, temporal: before?.temporal, paper: before?.paper });
  });
});
