import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeStackFile } from '../../src/config/stack-file.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'ratchet-sim-'));
const paper = join(root, 'paper');
const live = join(root, 'live');
const ended = join(root, 'ended');
let venue: Simulator;

beforeAll(async () => {
  venue = await startSimulator({ replay: 'manual' });
  const stackAt = (mode: 'paper' | 'live', controlUrl: string) => ({
    version: 1 as const,
    mode,
    account: 'main',
    venue: mode === 'paper' ? 'paper' : 'binance',
    startedAtMs: 1,
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    database: { url: 'postgresql://x:x@127.0.0.1:1/x' },
    api: { url: 'http://127.0.0.1:1', keyFile: '/nowhere' },
    paper: { url: venue.url, controlUrl },
    processes: {},
  });
  writeStackFile(paper, stackAt('paper', venue.controlUrl));
  writeStackFile(live, stackAt('live', venue.controlUrl));
  writeStackFile(ended, stackAt('paper', 'http://127.0.0.1:1'));
});
afterAll(async () => {
  await venue.close();
  rmSync(root, { recursive: true });
});

type Result = { readonly code: number; readonly out: string; readonly err: string };

function sim(data: string, ...args: readonly string[]): Promise<Result> {
  const env = { PATH: process.env['PATH'], RATCHET_DATA: data, HOME: root };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, 'sim', ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

describe('ratchet sim', () => {
  test('lists every scenario with what to expect and its parameters', async () => {
    const { code, out } = await sim(paper, 'list');
    expect(code).toBe(0);
    expect(out).toContain('flash-crash\n  at the venue: The market trades far below the last price in one tick');
    expect(out).toContain(
      '  --hold-ms  how long the prices stand there, in ms: a whole number from 0 to 600000 (5000)',
    );
  });

  test('plays one, shows it, and clears it', async () => {
    const played = await sim(paper, 'trigger', 'response-lost', '--times', '2', '--for-ms=60000');
    expect(played).toMatchObject({ code: 0, out: expect.stringMatching(/At Ratchet: .*\nresponse-lost until 20/) });
    const plan = await fetch(`${venue.controlUrl}/__sim/plan`).then((answer) => answer.json());
    expect(plan).toMatchObject({ rules: [{ id: 'response-lost-1', times: 2, do: { action: 'drop' } }] });
    expect((await sim(paper, 'show')).out).toContain('rule response-lost-1: drop at after_match; struck 0 of 0');
    expect(await sim(paper, 'clear')).toMatchObject({ code: 0, out: 'The paper venue is well again.\n' });
    expect(await sim(paper, 'show')).toMatchObject({ code: 0, out: 'Nothing is wrong at the paper venue.\n' });
  });

  test('takes numbers below zero, and prints one document with --json', async () => {
    const { code, out } = await sim(paper, 'trigger', 'clock-skew', '--skew-ms', '-5000', '--json');
    expect({ code, body: JSON.parse(out) }).toMatchObject({
      code: 0,
      body: { name: 'clock-skew', troubles: [{ name: 'clock-skew' }] },
    });
    await sim(paper, 'clear');
  });

  test.each([
    { name: 'a scenario that there is not', args: ['trigger', 'earthquake'], says: /SCENARIO_INVALID.*no scenario/ },
    { name: 'a parameter that it has not', args: ['trigger', 'ban', '--ms', '5'], says: /ban has no ms: it has forMs/ },
    {
      name: 'a value that is not allowed',
      args: ['trigger', 'ban', '--for-ms', 'long'],
      says: /a whole number from 1/,
    },
    { name: 'a parameter without a value', args: ['trigger', 'ban', '--for-ms'], says: /given as --key value/ },
    { name: 'a verb that there is not', args: ['explode'], says: /unknown command/ },
  ])('refuses $name as wrong usage', async ({ args, says }) => {
    const { code, err } = await sim(paper, ...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(says) });
  });

  test.each([
    { name: 'a stack that trades live', data: live, code: 1, says: /VENUE_NOT_PAPER.*mode=live/ },
    { name: 'a venue that does not answer', data: ended, code: 3, says: /PAPER_VENUE_UNAVAILABLE/ },
    { name: 'a folder without a stack', data: join(root, 'nothing'), code: 2, says: /STACK_NOT_FOUND/ },
  ])('refuses $name', async ({ data, code, says }) => {
    const result = await sim(data, 'trigger', 'ban');
    expect(result).toMatchObject({ code, err: expect.stringMatching(says) });
  });
});
