import { spawn } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkRoom, keptSecret, lockDataFolder, openDataFolder, stopLeftovers } from '../../src/stack/data-folder.ts';
import { isAlive } from '../../src/stack/processes.ts';
import { aFolder } from './a-folder.ts';
import { eventually } from './eventually.ts';

/** A process that runs until the test ends, with a word in its command line. It ignores SIGTERM if it is stubborn. */
async function aProcess(marker: string, stubborn = false): Promise<number> {
  const code = `${stubborn ? "process.on('SIGTERM', () => {});" : ''} console.log('up'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', code, marker], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child.pid ?? 0;
}

const aDeadProcess = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
};

const record = (file: string, pid: number, marker: string) => writeFileSync(file, JSON.stringify({ pid, marker }));

describe('lockDataFolder', () => {
  test('refuses a second supervisor and names the first one', async () => {
    const folder = openDataFolder(aFolder());
    const pid = await aProcess('bootstrap.mjs');
    record(join(folder.run, 'supervisor.lock'), pid, 'bootstrap.mjs');
    expect(() => lockDataFolder(folder)).toThrow(`under process ${pid}`);
  });

  test('lets the next one in once it is released', () => {
    const folder = openDataFolder(aFolder());
    lockDataFolder(folder)();
    expect(() => lockDataFolder(folder)()).not.toThrow();
  });

  test('takes over from a process that is gone', async () => {
    const folder = openDataFolder(aFolder());
    record(join(folder.run, 'supervisor.lock'), await aDeadProcess(), 'bootstrap.mjs');
    expect(() => lockDataFolder(folder)()).not.toThrow();
  });

  test('takes over where the process id belongs to another program by now, or to itself', async () => {
    const folder = openDataFolder(aFolder());
    const lock = join(folder.run, 'supervisor.lock');
    record(lock, await aProcess('something-else'), 'bootstrap.mjs');
    lockDataFolder(folder)();
    record(lock, process.pid, basename(process.argv[1] ?? ''));
    expect(() => lockDataFolder(folder)()).not.toThrow();
  });

  test('takes over a lock that is unreadable', () => {
    const folder = openDataFolder(aFolder());
    writeFileSync(join(folder.run, 'supervisor.lock'), '');
    expect(() => lockDataFolder(folder)()).not.toThrow();
  });
});

describe('stopLeftovers', () => {
  test('ends what a killed supervisor has left, also what does not want to', async () => {
    const folder = openDataFolder(aFolder());
    const willing = await aProcess('child=worker');
    const stubborn = await aProcess('child=api', true);
    record(join(folder.run, 'worker.pid'), willing, 'child=worker');
    record(join(folder.run, 'api.pid'), stubborn, 'child=api');
    expect((await stopLeftovers(folder, 300)).toSorted()).toEqual(['api', 'worker']);
    await eventually('both are gone', () => !isAlive(willing) && !isAlive(stubborn));
    expect(await stopLeftovers(folder)).toEqual([]);
  });

  test('leaves a stranger alone who has got the process id', async () => {
    const folder = openDataFolder(aFolder());
    const stranger = await aProcess('somebody-else');
    record(join(folder.run, 'worker.pid'), stranger, 'child=worker');
    expect(await stopLeftovers(folder, 300)).toEqual([]);
    expect(isAlive(stranger)).toBe(true);
  });
});

describe('keptSecret', () => {
  test('is made once, and only its owner can read it', () => {
    const folder = openDataFolder(aFolder());
    const { value, file } = keptSecret(folder, 'password');
    expect(value).toMatch(/^[0-9a-f]{48}$/);
    expect(keptSecret(folder, 'password').value).toBe(value);
    expect(keptSecret(folder, 'other').value).not.toBe(value);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder.secrets).mode & 0o777).toBe(0o700);
  });
});

describe('checkRoom', () => {
  test('refuses a full disk with the numbers', () => {
    const disk = (freeMb: number) => () => ({ bavail: freeMb * 256, bsize: 4096 });
    expect(() => checkRoom('/x', disk(299))).toThrow('299 MB left, and 300 MB are needed');
    expect(() => checkRoom('/x', disk(300))).not.toThrow();
  });
});
