import type { Logger } from 'pino';
import type { EntryBrake } from '../domain/limits/snapshot.ts';
import { watchLoopLag } from '../observability/loop-lag.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Db } from '../store/database.ts';
import { createEntryBrake } from './entry-brake.ts';
import { importSpooledHalts, startSpoolImport } from './spooled-halts.ts';

/** RTS 6 asks for alerts within five seconds; a quarter of a second leaves room for everything behind it. */
const lagMaxMs = 250;
const calmMs = 1_000;

/**
 * What a worker does for halts beside its activities: imports those that were made without the database, before it takes
 * on any work and from then on, and says when it takes on no risk itself.
 */
export async function keepHalts(options: {
  readonly db: Db;
  readonly dataFolder: string;
  readonly metrics: Pick<Metrics, 'loopLag'>;
  readonly logger: Logger;
  readonly now: () => number;
}): Promise<{ readonly entryBrake: () => EntryBrake | null; readonly stop: () => Promise<void> }> {
  const { db, dataFolder, metrics, logger } = options;
  await importSpooledHalts(db, options).catch((error) => {
    logger.warn({ error }, 'spooled halts are not imported yet, and no entry passes');
  });
  const spool = startSpoolImport(db, options);
  const loopLag = watchLoopLag({
    limitMs: lagMaxMs,
    calmMs,
    monotonicMs: () => performance.now(),
    onLook: (lagMs) => metrics.loopLag.set(lagMs / 1_000),
  });
  return {
    entryBrake: createEntryBrake({ dataFolder, loopLag }),
    stop: async () => {
      loopLag.stop();
      await spool.stop();
    },
  };
}
