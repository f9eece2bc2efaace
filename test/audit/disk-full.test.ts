import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readNotes } from '../../src/audit/checkpoint-files.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { keepDiskReserve } from '../../src/main/disk-reserve.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import type { Db } from '../../src/store/database.ts';
import { requestExit } from '../../src/store/exits/exit-requests.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { aRequest, d, enter, exitIntent, openAccount, typesOf } from '../store/fixtures.ts';
import { aDatabase } from '../support/postgres.ts';
import { aFolder, aKey } from './fixtures.ts';
import { anOwnPostgres } from './own-postgres.ts';
import { recordsOfATrade, recordTrade } from './recording.ts';

const megabyte = 1_048_576;

/** A disk of its own that a test can fill; undefined where this user may not mount one. */
function aDisk(sizeMb: number): string | undefined {
  const folder = aFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder]);
  if (mounted.status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

function aFolderIn(disk: string): string {
  const folder = join(disk, 'postgres');
  mkdirSync(folder);
  return folder;
}

const canMount = ((): boolean => {
  const folder = aFolder();
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (isMounted) spawnSync('umount', [folder]);
  return isMounted;
})();
if (!canMount) process.stderr.write('F62 is skipped: this user may not mount a tmpfs\n');

const freeMb = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / megabyte;
};

/** Leaves so much room on the disk, by a file that is in the way. */
function fill(folder: string, leaveMb: number): { readonly free: () => void } {
  const file = join(folder, 'in-the-way');
  const descriptor = openSync(file, 'a');
  const block = Buffer.alloc(65_536);
  try {
    while (freeMb(folder) > leaveMb) writeSync(descriptor, block);
    // To the last byte.
    if (leaveMb === 0) for (;;) if (writeSync(descriptor, block) === 0) break;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(descriptor);
  }
  return { free: () => rmSync(file) };
}

const logger = createLogger({ name: 'test', level: 'silent' });
const aReserve = (db: Db, folder: string, reserveMb: number) =>
  keepDiskReserve({ db, folders: [folder], reserveMb, metrics: createMetrics(new Registry()), logger, now: Date.now });
const codesOf = async (db: Db): Promise<readonly string[]> => (await openAlerts(db)).map(({ code }) => code);

function aSealer(db: Db, checkpointDir: string) {
  const nothing = { inc: () => {}, set: () => {} };
  const fatal: unknown[] = [];
  const key = aKey();
  const sealer = createSealer({
    db,
    checkpointKey: key,
    checkpointDir,
    logger,
    metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
    onFatal: (error) => fatal.push(error),
  });
  const verdict = async () => verifyAudit(await auditSourceOf({ db, checkpointDir }), publicKeyOf(key));
  return { sealer, fatal, verdict };
}

describe.skipIf(!canMount)('F62: the disk of the database is full (64 MB)', () => {
  test('entries stop before it is, exits go on; nothing that was confirmed is lost when it is', async () => {
    const folder = aDisk(64) ?? '';
    // Small segments, so that the room is for data and not for the log's next segment.
    const postgres = await anOwnPostgres({ folder: aFolderIn(folder), initdbFlags: ['--wal-segsize=1'] });
    onTestFinished(postgres.close);
    const db = postgres.pool();
    const checkpointDir = join(aFolder(), 'checkpoints');
    const { sealer, fatal, verdict } = aSealer(db, checkpointDir);
    sealer.start();
    await openAccount(db);
    const trades = ['held-1', 'held-2'].map((tradeId) => aRequest({ tradeId }));
    for (const trade of trades) await enter(db, trade);
    const [first, second] = trades as [(typeof trades)[0], (typeof trades)[0]];

    const reserveMb = Math.floor(freeMb(folder)) - 4;
    const reserve = await aReserve(db, folder, reserveMb);
    expect(reserve.entryBrake()).toBeNull();
    const nearly = fill(folder, reserveMb - 1);
    await vi.waitFor(() => expect(reserve.entryBrake()).toMatchObject({ code: 'DISK_SHORT' }), 20_000);
    await vi.waitFor(async () => expect(await codesOf(db)).toEqual(['DISK_SHORT']), 20_000);
    await exits(first);

    // What other programs write may fill it all the same: then nothing is believed that is not on the disk.
    fill(folder, 0);
    const confirmed: string[] = [];
    const refusal = await recordUntilRefused(db, confirmed);
    expect(refusal).toMatchObject({ retryable: true });
    expect(['DATABASE_FULL', 'DATABASE_UNAVAILABLE']).toContain(refusal.code);
    expect(reserve.entryBrake()).toMatchObject({ code: 'DISK_SHORT' });

    // Its keeper starts it again where it could not go on.
    nearly.free();
    if (!postgres.isRunning()) {
      await postgres.stop('immediate');
      await postgres.start();
    }
    await vi.waitFor(() => exits(second), 20_000);
    await vi.waitFor(async () => expect(await codesOf(db)).toEqual([]), 30_000);
    expect(reserve.entryBrake()).toBeNull();
    await reserve.stop();
    await sealer.sealNow();
    await sealer.stop();
    expect(fatal).toEqual([]);
    expect(await verdict()).toMatchObject({ exitCode: 0, unsealed: 0, uncovered: 0 });
    const counts = await Promise.all(confirmed.map((tradeId) => typesOf(db, tradeId)));
    expect(counts.filter((types) => types.length !== recordsOfATrade)).toEqual([]);

    /** As the product does it: the exit is asked for, and its intent committed, which is when it may be sent. */
    async function exits(trade: (typeof trades)[0]): Promise<void> {
      await requestExit(db, {
        tradeId: trade.tradeId,
        reason: 'operator',
        source: 'operator',
        actor: 'anna',
        nowMs: Date.now(),
      });
      expect(await commitIntent(db, exitIntent(trade, d('1')))).toMatchObject({ outcome: 'committed' });
    }
  }, 180_000);

  /** Records trades until the database takes no more; it may have room of its own for a while. */
  async function recordUntilRefused(db: Db, confirmed: string[]): Promise<{ readonly code: string }> {
    for (let n = 0; n < 20_000; n++) {
      try {
        await recordTrade(db, `full-${n}`);
        confirmed.push(`full-${n}`);
      } catch (error) {
        return error as { readonly code: string };
      }
    }
    throw new Error('the disk is never full');
  }
});

describe.skipIf(!canMount)('F62: the disk of the checkpoints is full (1 MB)', () => {
  test('records are committed and sealed all the same, people are told, and it goes on once there is room', async () => {
    const database = await aDatabase();
    onTestFinished(database.close);
    const { db } = database;
    const disk = aDisk(1) ?? '';
    const checkpointDir = join(disk, 'checkpoints');
    const { sealer, fatal, verdict } = aSealer(db, checkpointDir);
    sealer.start();
    await recordTrade(db, 't-1');
    await sealer.sealNow();
    const { free } = fill(disk, 0);
    const reserve = await aReserve(db, disk, 1);
    expect(reserve.entryBrake()).toMatchObject({ code: 'DISK_SHORT' });
    // Until the last page of the file is used up there is room for a few more lines.
    let trades = 1;
    const recorded = async (): Promise<void> => {
      trades += 1;
      await recordTrade(db, `t-${trades}`);
      expect(await codesOf(db)).toContain('AUDIT_CHECKPOINT_NO_SPACE');
    };
    await vi.waitFor(recorded, { timeout: 60_000, interval: 500 });
    const before = await readNotes(checkpointDir);
    await recordTrade(db, 't-last');
    await vi.waitFor(async () => expect((await verdict()).unsealed).toBe(0), 30_000);
    // What waits for a checkpoint, such as a resume, is refused, and may ask again.
    await expect(sealer.sealNow()).rejects.toMatchObject({ code: 'AUDIT_CHECKPOINT_NO_SPACE', retryable: true });
    const { exitCode, records, uncovered } = await verdict();
    expect(exitCode).toBe(0);
    // Those of the alerts too.
    expect(records).toBeGreaterThan((trades + 1) * recordsOfATrade);
    expect(uncovered).toBeGreaterThanOrEqual(recordsOfATrade);
    expect(fatal).toEqual([]);

    free();
    await vi.waitFor(async () => expect(await codesOf(db)).toEqual(['DISK_SHORT']), 30_000);
    await reserve.stop();
    await sealer.stop();
    expect(await verdict()).toMatchObject({ exitCode: 0, uncovered: 0 });
    expect((await readNotes(checkpointDir)).length).toBeGreaterThan(before.length);
  }, 120_000);
});
