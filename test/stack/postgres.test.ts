import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isFree } from '../../src/stack/ports.ts';
import { signalTo, stillRuns } from '../../src/stack/processes.ts';
import { aFolder } from './a-folder.ts';
import { eventually } from './eventually.ts';

const root = new URL('../..', import.meta.url);
const preload = new URL('../../src/stack/end-with-parent.ts', import.meta.url).href;
const port = 24_432;
const password = 'a password with \'quotes" and $';

type Postgres = {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly exited: Promise<number | null>;
};

/** The process as the supervisor starts it; its server goes away with the test. */
function start(folder: string): Postgres & { readonly errors: () => string } {
  const file = join(folder, 'password');
  writeFileSync(file, `${password}\n`);
  const args = ['--data', join(folder, 'postgres'), '--port', String(port), '--password-file', file];
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', preload, 'src/stack/postgres.ts', ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    const server = serverPid(folder);
    child.kill('SIGKILL');
    if (server !== undefined) signalTo(server, 'SIGKILL');
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return {
    child,
    errors: () => errors,
    ready: new Promise((resolve) => child.stdout.once('data', () => resolve())),
    exited: new Promise((resolve) => child.once('exit', (code) => resolve(code))),
  };
}

function serverPid(folder: string): number | undefined {
  const file = join(folder, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
}

async function query(text: string): Promise<unknown[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'ratchet' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('postgres', () => {
  test('makes the database once, keeps it, and shuts down when the pipe closes', async () => {
    const folder = aFolder();
    const first = start(folder);
    await first.ready;
    await query('create table kept (n int); insert into kept values (7)');
    first.child.stdin?.destroy();
    await first.exited;
    expect(await isFree(port)).toBe(true);
    expect(serverPid(folder)).toBeUndefined();

    const second = start(folder);
    await second.ready;
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
    expect(await query('show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
    second.child.kill('SIGTERM');
    await second.exited;
    expect(await isFree(port)).toBe(true);
  });

  test('stops the server that a killed process has left, and goes on with its data', async () => {
    const folder = aFolder();
    const first = start(folder);
    await first.ready;
    await query('create table kept (n int); insert into kept values (7)');
    const leftover = serverPid(folder) ?? 0;
    first.child.kill('SIGKILL');
    await first.exited;
    expect(stillRuns({ pid: leftover, marker: folder })).toBe(true);

    const second = start(folder);
    await second.ready;
    expect(stillRuns({ pid: leftover, marker: folder })).toBe(false);
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  });

  test('ends when its server is killed, and recovers with the next start', async () => {
    const folder = aFolder();
    const first = start(folder);
    await first.ready;
    await query('create table kept (n int); insert into kept values (7)');
    process.kill(serverPid(folder) ?? 0, 'SIGKILL');
    expect(await first.exited).toBe(1);

    await eventually('the next one gets ready', async () => {
      const next = start(folder);
      return Promise.race([next.ready.then(() => true), next.exited.then(() => false)]);
    });
    expect(await query('select n from kept')).toEqual([{ n: 7 }]);
  });

  test('makes the cluster anew where an earlier start was broken off', async () => {
    const folder = aFolder();
    mkdirSync(join(folder, 'postgres.new'));
    writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '18\n');
    const { ready } = start(folder);
    await ready;
    expect(await query('select 1 as n')).toEqual([{ n: 1 }]);
  });

  test.runIf(process.getuid?.() === 0)('names the folder that its user may not enter, with a remedy', async () => {
    const folder = aFolder();
    const closed = join(folder, 'closed');
    mkdirSync(join(closed, 'data'), { recursive: true });
    chmodSync(closed, 0o700);
    const { exited, errors } = start(join(closed, 'data'));
    expect(await exited).toBe(1);
    expect(errors()).toContain(`cannot enter ${closed}.`);
    expect(errors()).toContain(`chmod o+x ${closed}`);
    expect(errors()).toContain('--data DIR');
  });
});
