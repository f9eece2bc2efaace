import type { Logger } from 'pino';
import { hasSpooledHalts, readSpool, removeSpooled, type SpooledHalt } from '../config/halt-spool.ts';
import { RatchetError } from '../domain/errors.ts';
import type { Db } from '../store/database.ts';
import { record } from '../store/record.ts';
import { applyHalt } from '../store/trading-state/halting.ts';
import { startRounds } from './rounds.ts';

/**
 * Writes halts that were made without the database into it, with what the venue said of the sweep meanwhile. Each is
 * imported once, by its event id, however many processes read it. One on an account that does not exist stays and blocks
 * entries, as one that can't be read does: it meant something, and only a person knows what. Returns how many were there;
 * throws when the database does not take them, and they stay.
 */
export async function importSpooledHalts(
  db: Db,
  { dataFolder, logger, now }: { readonly dataFolder: string; readonly logger: Logger; readonly now: () => number },
): Promise<number> {
  const entries = readSpool(dataFolder);
  for (const entry of entries) {
    if ('fault' in entry) {
      logger.error({ file: entry.file, fault: entry.fault }, 'a spooled halt can not be read; it blocks entries');
      continue;
    }
    try {
      await importOne(db, entry.halt, now());
    } catch (error) {
      if (!(error instanceof RatchetError && error.code === 'ACCOUNT_UNKNOWN')) throw error;
      logger.error(
        { file: entry.file, error },
        'a spooled halt is refused; it blocks entries until its file is removed',
      );
      continue;
    }
    removeSpooled(entry.file);
    logger.warn({ halt: entry.halt }, 'a halt that was made without the database is in force');
  }
  return entries.length;
}

const everyMs = 500;

/** Imports what comes into the spool while this process runs. */
export function startSpoolImport(
  db: Db,
  options: Parameters<typeof importSpooledHalts>[1],
): { readonly stop: () => Promise<void> } {
  return startRounds({
    everyMs,
    round: async () => hasSpooledHalts(options.dataFolder) && importSpooledHalts(db, options),
    onFault: (error) => options.logger.warn({ error }, 'a spooled halt is not imported yet'),
  });
}

async function importOne(db: Db, halt: SpooledHalt, nowMs: number): Promise<void> {
  const { eventId, scope, level, actor, reason, expiresAtMs, haltedAtMs, sweep } = halt;
  const commandId = `spool:${eventId}`;
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs };
  await applyHalt(db, { scope, level, actor, reason, ...expiry, commandId, haltedAtMs, nowMs });
  if (sweep === undefined) return;
  await db.transaction().execute((tx) =>
    record(tx, {
      type: 'CancelSweep',
      key: [eventId],
      atMs: sweep.endedAtMs,
      actor: { type: 'user', id: actor },
      data: { ...sweep, scope, level, haltedAtMs, withoutDatabase: true },
    }),
  );
}
