import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRecorded, signalTo, stillRuns } from '../../src/stack/processes.ts';
import { aFolder } from './a-folder.ts';
import { eventually } from './eventually.ts';

const root = new URL('../..', import.meta.url);
const preload = new URL('../../src/stack/end-with-parent.ts', import.meta.url).href;

/** A keeper with a program in plain Node; `folder` is in the program's command line. */
function keep(folder: string, program: string): { keeper: ChildProcess; pid: () => number } {
  const file = join(folder, 'program.pid');
  const args = ['src/stack/keep.ts', file, folder, process.execPath, '-e', program, folder];
  const keeper = spawn(process.execPath, ['--import', 'tsx', '--import', preload, ...args], {
    cwd: root,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const pid = () => readRecorded(file)?.pid ?? 0;
  onTestFinished(() => {
    const program = pid();
    keeper.kill('SIGKILL');
    if (program > 0) signalTo(program, 'SIGKILL');
  });
  return { keeper, pid };
}

const endOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)));

const forever = 'setInterval(() => {}, 1000)';

describe('keep', () => {
  test('ends its program when the pipe to the supervisor closes', async () => {
    const folder = aFolder();
    const { keeper, pid } = keep(folder, forever);
    await eventually('the program runs', () => pid() > 0);
    const program = pid();
    const end = endOf(keeper);
    keeper.stdin?.destroy();
    await end;
    expect(stillRuns({ pid: program, marker: folder })).toBe(false);
  });

  test('passes the end of its program on', async () => {
    expect(await endOf(keep(aFolder(), 'process.exit(7)').keeper)).toBe(7);
    expect(await endOf(keep(aFolder(), "process.kill(process.pid, 'SIGKILL')").keeper)).toBe(1);
  });

  test('stops the program that a killed keeper has left, before it starts its own', async () => {
    const folder = aFolder();
    const first = keep(folder, forever);
    await eventually('the program runs', () => first.pid() > 0);
    const leftover = first.pid();
    const killed = endOf(first.keeper);
    first.keeper.kill('SIGKILL');
    await killed;
    expect(stillRuns({ pid: leftover, marker: folder })).toBe(true);

    const second = keep(folder, forever);
    await eventually('the next program runs', () => second.pid() > 0 && second.pid() !== leftover);
    expect(stillRuns({ pid: leftover, marker: folder })).toBe(false);
    const end = endOf(second.keeper);
    second.keeper.kill('SIGTERM');
    await end;
    expect(existsSync(join(folder, 'program.pid'))).toBe(false);
  });
});
