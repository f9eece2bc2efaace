import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { crashPoint, crashPoints } from '../../src/observability/crash-point.ts';

const script = fileURLToPath(new URL('fixtures/pass-crash-points.ts', import.meta.url));

function start(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...process.env, ...environment },
    stdio: 'pipe',
  });
}

async function run(
  child: ChildProcess,
): Promise<{ output: string; errors: string; signal: string | null; code: number | null }> {
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (errors += chunk));
  const [code, signal] = await once(child, 'close');
  return { output, errors, signal, code };
}

describe('crashPoint', () => {
  test('does nothing when no crash is planned', async () => {
    expect(await run(start({}))).toMatchObject({ code: 0, output: expect.stringMatching(/end\n$/) });
    expect(() => crashPoints.forEach(crashPoint)).not.toThrow();
  });

  test('kills the process at the n-th hit of the point, not before and not later', async () => {
    const { output, signal } = await run(start({ CRASH_AT: 'afterAnswer#2' }));
    expect(signal).toBe('SIGKILL');
    expect(output).toBe('intent 1\nsend 1\nintent 2\nsend 2\n');
  });

  test('means the first hit when no number is given', async () => {
    expect(await run(start({ CRASH_AT: 'afterIntent' }))).toMatchObject({ signal: 'SIGKILL', output: 'intent 1\n' });
  });

  test('stops the process until it is told to go on', async () => {
    const child = start({ PAUSE_AT: 'afterIntent#1', CRASH_AT: 'afterIntent#3' });
    const ended = run(child);
    await once(child.stdout ?? child, 'data');
    // Sent until it counts: the process may not have stopped yet when its line arrives.
    const waking = setInterval(() => child.kill('SIGCONT'), 50);
    const { output, signal } = await ended;
    clearInterval(waking);
    expect(signal).toBe('SIGKILL');
    expect(output).toBe('intent 1\nsend 1\nintent 2\nsend 2\nintent 3\n');
  });

  test.each(['afterAnswerd#1', 'afterAnswer#0', 'afterAnswer#x', '#1'])(
    'ends a process that is told %s',
    async (plan) => {
      const { code, errors } = await run(start({ CRASH_AT: plan }));
      expect(code).not.toBe(0);
      expect(errors).toContain('CRASH_AT must be');
    },
  );

  test('names only places that somebody passes', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const sources = ['src', 'activities']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
      )
      .filter((file) => file.endsWith('.ts') && !file.endsWith('crash-point.ts'))
      .map((file) => readFileSync(file, 'utf8'));
    expect(crashPoints.filter((point) => !sources.some((source) => source.includes(`'${point}'`)))).toEqual([]);
  });

  test('strikes once over all restarts when it is told where to write that down', async () => {
    const folder = aFolder();
    const planned = { CRASH_AT: 'afterIntent,afterAnswer#2', CRASH_ONCE_DIR: folder };
    expect(await run(start(planned))).toMatchObject({ signal: 'SIGKILL', output: 'intent 1\n' });
    expect(await run(start(planned))).toMatchObject({ signal: 'SIGKILL', output: expect.stringMatching(/send 2\n$/) });
    expect(await run(start(planned))).toMatchObject({ code: 0, output: expect.stringMatching(/end\n$/) });
    expect(readdirSync(folder).sort()).toEqual(['SIGKILL-afterAnswer#2', 'SIGKILL-afterIntent#1']);
  });

  test('strikes at the next hit once the file is removed that kept it from striking', async () => {
    const folder = aFolder();
    const planned = { CRASH_AT: 'afterIntent', CRASH_ONCE_DIR: folder };
    await run(start(planned));
    expect(await run(start(planned))).toMatchObject({ code: 0 });
    rmSync(join(folder, 'SIGKILL-afterIntent#1'));
    expect(await run(start(planned))).toMatchObject({ signal: 'SIGKILL' });
  });
});

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ratchet-crash-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
