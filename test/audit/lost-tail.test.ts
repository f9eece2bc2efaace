import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { checkTail } from '../../src/audit/tail.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aFolder, aKey } from './fixtures.ts';
import { recordsOfATrade, recordTrade } from './recording.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await aDatabase();
});
afterEach(() => database.close());

test('F61 I6: a database that is back at an earlier state stops the start, although all in it fits together', async () => {
  const key = aKey();
  const checkpointDir = join(aFolder(), 'checkpoints');
  const sealer = createSealer({
    db: database.db,
    checkpointKey: key,
    checkpointDir,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: { recordsSealed: { inc: () => {} }, sealLag: { set: () => {} }, checkpointAge: { set: () => {} } },
    onFatal: () => {},
  });
  for (const tradeId of ['t-1', 't-2', 't-3']) {
    await recordTrade(database.db, tradeId);
    await sealer.sealNow();
  }
  await sealer.stop();
  const start = () => checkTail({ db: database.db, checkpointDir, publicKey: publicKeyOf(key) });
  await expect(start()).resolves.toBeUndefined();

  // As a backup or a replica that is behind has it: records, head and checkpoints of one moment.
  const kept = 2 * recordsOfATrade;
  await database.asOwner('alter table audit_event disable trigger user');
  await database.asOwner(`delete from audit_event where seq > ${kept}`);
  await database.asOwner(`delete from audit_checkpoint where size > ${kept}`);
  await database.asOwner(
    `update audit_head set seq = ${kept}, hash = (select hash from audit_event where seq = ${kept})`,
  );
  const stopped = await start().catch(({ code, context }) => ({ code, context }));
  expect(stopped).toEqual({
    code: 'AUDIT_TAIL_LOST',
    context: { firstMissingSeq: kept + 1, lastMissingSeq: 3 * recordsOfATrade },
  });
});
