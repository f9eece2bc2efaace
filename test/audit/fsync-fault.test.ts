import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readNotes } from '../../src/audit/checkpoint-files.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import { anApiProcess } from './api-process.ts';
import { anAppender } from './appending.ts';
import { aFolder } from './fixtures.ts';
import { anOwnPostgres } from './own-postgres.ts';
import { recordTrade } from './recording.ts';

const source = fileURLToPath(new URL('processes/failing-fsync.c', import.meta.url));
// Without a compiler, or elsewhere than on Linux, nothing of this can be shown: said here, and counted as skipped.
const canPlay = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
if (!canPlay) process.stderr.write('F63 is skipped: it needs Linux and a C compiler (cc)\n');

describe.skipIf(!canPlay)('F63: a sync fails with EIO', () => {
  let library = '';
  beforeAll(() => {
    const folder = aFolder();
    chmodSync(folder, 0o755);
    library = join(folder, 'failing-fsync.so');
    const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' });
    expect(compiled.stderr).toBe('');
  });

  const aFault = (path: string) => {
    const folder = aFolder();
    chmodSync(folder, 0o777);
    const [arm, log] = [join(folder, 'arm'), join(folder, 'log')];
    return {
      environment: { LD_PRELOAD: library, FSYNC_FAULT_PATH: path, FSYNC_FAULT_ARM: arm, FSYNC_FAULT_LOG: log },
      strike: () => writeFileSync(arm, ''),
      hasStruck: () => existsSync(log),
      log: () => readFileSync(log, 'utf8'),
    };
  };

  test.each([
    { name: 'the file of checkpoints', path: '/checkpoints/checkpoints-', isArmedFirst: false },
    { name: 'the folder of checkpoints', path: '/checkpoints', isArmedFirst: true },
  ])(
    'of $name: the process says so, alerts and ends; no sync is tried again',
    async ({ path, isArmedFirst }) => {
      const postgres = await anOwnPostgres();
      try {
        const dataFolder = aFolder();
        const fault = aFault(path);
        if (isArmedFirst) fault.strike();
        const { environment } = fault;
        const api = anApiProcess({ databaseUrl: postgres.appUrl, dataFolder, environment });
        const db = postgres.pool();
        if (!isArmedFirst) {
          await api.ready;
          await recordTrade(db, 't-1');
          await vi.waitFor(
            async () => expect(await readNotes(join(dataFolder, 'checkpoints'))).not.toEqual([]),
            10_000,
          );
          fault.strike();
        }
        await recordTrade(db, 't-2');
        expect(await api.ended).toBe(1);
        expect(fault.log()).toBe('x');
        expect(api.output()).toContain('AUDIT_CHECKPOINT_NOT_WRITTEN');
        expect((await openAlerts(db)).map(({ code, severity }) => [code, severity])).toEqual([
          ['AUDIT_CHECKPOINT_NOT_WRITTEN', 'CRITICAL'],
        ]);
        // The database never claims what the outside may not have.
        const [{ newest } = {}] = await postgres.asOwner('select max(note) as newest from audit_checkpoint');
        if (isArmedFirst) expect(newest).toBeNull();
      } finally {
        await postgres.close();
      }
    },
    90_000,
  );

  test('of the log of PostgreSQL: it ends and recovers, and no record that was confirmed is lost', async () => {
    const fault = aFault('/pg_wal/');
    const postgres = await anOwnPostgres({ environment: fault.environment });
    try {
      const [producers, calls] = [4, 300];
      const appender = await anAppender({ url: postgres.appUrl, prefix: 'a', producers, calls });
      appender.start();
      await vi.waitFor(() => expect(appender.confirmed.length).toBeGreaterThan(200), 20_000);
      fault.strike();
      const { records, failures } = await appender.result;
      expect(fault.hasStruck()).toBe(true);
      expect(failures).toBeGreaterThan(0);
      expect(records).toBe(producers * calls);
      const [{ count } = {}] = await postgres.asOwner('select count(*)::int as count from audit_event');
      expect(count).toBe(producers * calls);
    } finally {
      await postgres.close();
    }
  }, 90_000);
});
