import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChildFault, type ChildSpec } from '../../src/stack/child.ts';
import { type DataFolder, openDataFolder } from '../../src/stack/data-folder.ts';
import { isAlive } from '../../src/stack/processes.ts';
import type { Report } from '../../src/stack/report.ts';
import { createSupervisor, type Supervisor } from '../../src/stack/supervisor.ts';
import { aFolder } from './a-folder.ts';
import { eventually } from './eventually.ts';

type Bench = { readonly folder: DataFolder; readonly supervisor: Supervisor; readonly said: string[] };

function aBench(onBack?: () => void): Bench {
  const folder = openDataFolder(aFolder());
  const said: string[] = [];
  const report: Report = {
    step: async (name, work) => {
      said.push(name);
      return work();
    },
    note: (text) => said.push(text),
    warn: (text) => said.push(text),
    result: () => {},
  };
  const supervisor = createSupervisor(folder, report, onBack);
  onTestFinished(() => supervisor.stop(['a', 'b', 'c']));
  return { folder, supervisor, said };
}

const ready = `console.log('{"ready":true,"port":17}');`;
const forever = 'setInterval(() => {}, 1000);';

const aChild = (name: string, code: string, changes: Partial<ChildSpec> = {}): ChildSpec => ({
  name,
  command: [process.execPath, '-e', code, `marker-${name}`],
  env: process.env,
  marker: `marker-${name}`,
  readyTimeoutMs: 20_000,
  stopTimeoutMs: 5_000,
  ...changes,
});

const pidOf = ({ supervisor }: Bench, name: string): number => supervisor.pids().get(name) ?? 0;

describe('keep', () => {
  test('resolves with what the child says when it is ready', async () => {
    const { supervisor } = aBench();
    expect(await supervisor.keep(aChild('a', ready + forever))).toEqual({ ready: true, port: 17 });
  });

  test('asks until a program of others answers', async () => {
    const { supervisor } = aBench();
    let asked = 0;
    await supervisor.keep(aChild('a', forever, { probe: async () => ++asked === 3 }));
    expect(asked).toBe(3);
  });

  test('starts a child again that dies, and tells', async () => {
    let back = 0;
    const bench = aBench(() => back++);
    await bench.supervisor.keep(aChild('a', ready + forever));
    const first = pidOf(bench, 'a');
    process.kill(first, 'SIGKILL');
    await eventually('it is back', () => back === 1);
    expect(pidOf(bench, 'a')).not.toBe(first);
    expect(isAlive(pidOf(bench, 'a'))).toBe(true);
    expect(bench.said).toEqual([expect.stringContaining('a died (SIGKILL); starting it again in 0.2 s'), 'a is back']);
  });

  test('waits longer each time for one that keeps dying', async () => {
    const bench = aBench();
    await bench.supervisor.keep(aChild('a', `${ready} setTimeout(() => process.exit(3), 10)`));
    await eventually('it has died three times', () => bench.said.filter((line) => line.includes('died')).length === 3);
    const pauses = bench.said.flatMap((line) => /exit code 3\); starting it again in ([\d.]+) s/.exec(line)?.[1] ?? []);
    expect(pauses).toEqual(['0.2', '0.4', '0.8']);
  });

  test('fails with the end of the log when the child ends before it is ready', async () => {
    const bench = aBench();
    const keeping = bench.supervisor.keep(
      aChild('a', `console.error('{"level":"error","msg":"the reason"}'); process.exitCode = 4`),
    );
    const fault = await keeping.catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ChildFault);
    expect(fault).toMatchObject({ message: 'a ended with exit code 4', exitCode: 4, logTail: 'the reason' });
    expect(bench.said).toEqual([]);
  });

  test('kills a child that does not get ready, and says so', async () => {
    const bench = aBench();
    const keeping = bench.supervisor.keep(aChild('a', forever, { readyTimeoutMs: 200 }));
    await expect(keeping).rejects.toThrow('a was not ready after 0.2 s');
    await eventually('it is gone', () => pidOf(bench, 'a') === 0);
  });

  test('names a program that is not there', async () => {
    const bench = aBench();
    const keeping = bench.supervisor.keep(aChild('a', '', { command: ['/no/such/program'] }));
    await expect(keeping).rejects.toMatchObject({ logTail: expect.stringContaining('/no/such/program') });
  });

  test('gives the child a group of its own, so that a Ctrl-C does not reach it', async () => {
    const bench = aBench();
    await bench.supervisor.keep(aChild('a', ready + forever));
    const pid = pidOf(bench, 'a');
    expect(() => process.kill(-pid, 0)).not.toThrow();
  });
});

describe('follow', () => {
  test('hands over each line and ends with the exit of the child', async () => {
    const { supervisor } = aBench();
    const lines: string[] = [];
    const onLine = (line: string) => void lines.push(line);
    const code = `console.log('one'); console.log('two'); process.exitCode = 3`;
    expect(await supervisor.follow(aChild('a', code, { onLine }), true)).toMatchObject({ code: 3, signal: null });
    expect(lines).toEqual(['one', 'two']);
  });

  test('lets a child run that never says that it is ready', async () => {
    const { supervisor, said } = aBench();
    const code = 'setTimeout(() => process.exit(0), 500);';
    const child = aChild('a', code, { readyTimeoutMs: Number.POSITIVE_INFINITY });
    expect(await supervisor.follow(child, true)).toMatchObject({ code: 0, signal: null });
    expect(said).toEqual([]);
  });

  test('starts a child again that was killed', async () => {
    const bench = aBench();
    const code = `
      const fs = require('node:fs');
      const file = ${JSON.stringify(join(bench.folder.path, 'was-here'))};
      if (fs.existsSync(file)) process.exit(0);
      fs.writeFileSync(file, '');
      process.kill(process.pid, 'SIGKILL');`;
    expect(await bench.supervisor.follow(aChild('a', code), true)).toMatchObject({ code: 0, signal: null });
    expect(bench.said[0]).toContain('a died (SIGKILL)');
  });
});

describe('stop', () => {
  test('stops the children one after the other, in the order given', async () => {
    const bench = aBench();
    const log = join(bench.folder.path, 'order');
    const code = (name: string) =>
      `process.on('SIGTERM', () => setTimeout(() => { require('node:fs').appendFileSync(${JSON.stringify(log)}, '${name}'); process.exit(0) }, 50)); ${ready}${forever}`;
    for (const name of ['a', 'b', 'c']) await bench.supervisor.keep(aChild(name, code(name)));
    await bench.supervisor.stop(['c', 'a', 'b']);
    expect(readFileSync(log, 'utf8')).toBe('cab');
    expect(bench.supervisor.pids().size).toBe(0);
  });

  test('kills one that does not stop, with everything it has started', async () => {
    const bench = aBench();
    const file = join(bench.folder.path, 'grandchild');
    const code = `
      const { spawn } = require('node:child_process');
      process.on('SIGTERM', () => {});
      const grandchild = spawn(process.execPath, ['-e', '${forever}']);
      require('node:fs').writeFileSync(${JSON.stringify(file)}, String(grandchild.pid));
      ${ready}${forever}`;
    await bench.supervisor.keep(aChild('a', code, { stopTimeoutMs: 200 }));
    const pids = [pidOf(bench, 'a'), Number(readFileSync(file, 'utf8'))];
    await bench.supervisor.stop(['a']);
    await eventually('both are gone', () => !pids.some(isAlive));
  });

  test('does not start anything again, nor anew', async () => {
    const bench = aBench();
    await bench.supervisor.keep(aChild('a', `${ready} setTimeout(() => process.exit(1), 10)`));
    await eventually('it has died', () => bench.said.length > 0);
    await bench.supervisor.stop(['a']);
    const said = bench.said.length;
    await expect(bench.supervisor.keep(aChild('b', ready))).rejects.toThrow('the stack is stopping');
    expect(bench.said).toHaveLength(said);
    expect(bench.supervisor.pids().size).toBe(0);
  });
});
