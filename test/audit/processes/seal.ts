import { loadOrCreateSigningKey } from '../../../src/audit/keys.ts';
import { createSealer } from '../../../src/audit/sealer.ts';
import { crashPoint } from '../../../src/observability/crash-point.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { createDatabase } from '../../../src/store/database.ts';
import { recordTrade } from '../recording.ts';

// A process as a worker is one: it records trades, seals and signs until its input closes. Each trade whose last
// record is committed is said on a line.
const [url = '', keyFile = '', checkpointDir = '', prefix = '', trades = '0'] = process.argv.slice(2);
const logger = createLogger({ name: 'seal', level: 'error' });
const db = createDatabase({ url, applicationName: 'seal', poolMax: 6, onError: () => {} });
const nothing = { inc: () => {}, set: () => {} };
const sealer = createSealer({
  db,
  checkpointKey: loadOrCreateSigningKey(keyFile, 'ratchet/audit'),
  checkpointDir,
  logger,
  metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
  onFatal: () => process.exit(70),
  crashPoint,
});
sealer.start();

const waiting = Array.from({ length: Number(trades) }, (_, i) => `${prefix}-${i}`);
const producer = async (): Promise<void> => {
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    await recordTrade(db, id);
    process.stdout.write(`${id}\n`);
  }
};
await Promise.all(Array.from({ length: 4 }, producer));
process.stdout.write('done\n');

process.stdin.resume();
process.stdin.on('end', async () => {
  await sealer.stop();
  await db.destroy();
});
