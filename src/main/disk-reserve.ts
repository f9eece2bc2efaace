import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { EntryBrake } from '../domain/limits/snapshot.ts';
import type { Metrics } from '../observability/metrics.ts';
import { raiseAlert, resolveAlert } from '../store/alerts.ts';
import type { Db } from '../store/database.ts';
import { startRounds } from './rounds.ts';

const everyMs = 1_000;
const megabyte = 1_048_576;

type DiskReserve = {
  readonly db: Db;
  /** What has to stay writable: the data folder, with the embedded databases in it, and the one of checkpoints. */
  readonly folders: readonly string[];
  /** What entries leave free for exits and their records; 0 keeps nothing. */
  readonly reserveMb: number;
  readonly metrics: Pick<Metrics, 'diskFree'>;
  readonly logger: Logger;
  readonly now: () => number;
};

/** The disk with the least room, in bytes. */
type Room = { readonly folder: string; readonly free: number };

/**
 * Stops entries of this machine while one of its disks is nearly full, so that what is left is for exits: nothing can be
 * closed in a book that can't be written. Raises the alert of it, and resolves it once there is room again.
 */
export async function keepDiskReserve(
  reserve: DiskReserve,
): Promise<{ readonly entryBrake: () => EntryBrake | null; readonly stop: () => Promise<void> }> {
  const { folders, reserveMb, metrics, logger } = reserve;
  let room: Room = { folder: folders[0] ?? '', free: 0 };
  let isTold: boolean | undefined;
  const isShort = (): boolean => room.free < reserveMb * megabyte;

  const look = async (): Promise<void> => {
    room = await leastRoom(folders);
    metrics.diskFree.set(room.free);
    if (isTold === isShort()) return;
    const told = isShort();
    if (told) logger.error(contextOf(room, reserveMb), 'the disk is nearly full: no entries');
    await tell(reserve, told ? contextOf(room, reserveMb) : undefined);
    // Only now: what the database could not take is told again at the next look.
    isTold = told;
  };

  const complain = (error: unknown): void => logger.error({ error }, 'the room on the disk is not told');
  await look().catch(complain);
  const rounds = startRounds({ everyMs, round: look, onFault: complain });
  return {
    entryBrake: () => (isShort() ? { code: 'DISK_SHORT', note: noteOf(room, reserveMb) } : null),
    stop: rounds.stop,
  };
}

/** A disk that can't be asked has no room: the unknown refuses what adds risk. */
async function leastRoom(folders: readonly string[]): Promise<Room> {
  const rooms = await Promise.all(
    folders.map(async (folder) => ({ folder, free: await freeBytes(folder).catch(() => 0) })),
  );
  return rooms.reduce((least, each) => (each.free < least.free ? each : least));
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    // It is made with its first file; until then the disk is that of the folder it will be in.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(folder) !== folder) {
      return freeBytes(dirname(folder));
    }
    throw error;
  }
}

async function tell({ db, now }: DiskReserve, short: ReturnType<typeof contextOf> | undefined): Promise<void> {
  const alert = { condition: `disk-short:${hostname()}`, nowMs: now() };
  if (short === undefined) await resolveAlert(db, alert);
  else await raiseAlert(db, { ...alert, code: 'DISK_SHORT', severity: 'CRITICAL', context: short });
}

const contextOf = ({ folder, free }: Room, reserveMb: number) => ({
  folder,
  freeMb: Math.floor(free / megabyte),
  reserveMb,
});

const noteOf = ({ folder, free }: Room, reserveMb: number): string =>
  `${Math.floor(free / megabyte)} MB are free on the disk of ${folder}, and ${reserveMb} MB are kept for exits`;
