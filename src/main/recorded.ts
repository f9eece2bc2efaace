import type { Logger } from 'pino';
import { loadOrCreateSigningKey, publicKeyOf } from '../audit/keys.ts';
import { createSealer, type Sealer } from '../audit/sealer.ts';
import { checkTail } from '../audit/tail.ts';
import type { Config } from '../config/config.ts';
import type { RatchetError } from '../domain/errors.ts';
import { crashPoint } from '../observability/crash-point.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Db } from '../store/database.ts';
import { raiseEventConflict } from '../store/event-conflict.ts';

/** For two different things under one event id: says so, and raises the alert beside the transaction that is lost. */
export const tellOfConflict =
  (db: () => Db, logger: Logger) =>
  (error: RatchetError): void => {
    logger.error({ error }, 'another event has this id');
    raiseEventConflict(db(), error, Date.now()).catch((failure: unknown) => {
      logger.error({ error: failure }, 'alert not raised');
    });
  };

/**
 * Checks that the database still has what the checkpoints outside of it cover, and starts this process's sealer. What
 * can't be sealed truthfully ends the process.
 */
export async function startSealing(config: Config, db: Db, logger: Logger, metrics: Metrics): Promise<Sealer> {
  const key = loadOrCreateSigningKey(config.RATCHET_CHECKPOINT_KEY_FILE, config.RATCHET_CHECKPOINT_ORIGIN);
  const checkpointDir = config.RATCHET_CHECKPOINT_DIR;
  await checkTail({ db, checkpointDir, publicKey: publicKeyOf(key) });
  const sealer = createSealer({
    db,
    checkpointKey: key,
    checkpointDir,
    logger,
    metrics,
    crashPoint,
    onFatal: (error) => {
      logger.fatal({ error }, 'the record can not be kept');
      process.exit(1);
    },
  });
  sealer.start();
  return sealer;
}
