import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startOutboxRelay } from '../../activities/relay-outbox.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { notesInTemporal } from '../../src/cli/audit-verify.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { requestExit } from '../../src/store/exits/exit-requests.ts';
import { aRequest, enter, openAccount } from '../store/fixtures.ts';
import { aDatabase } from '../support/postgres.ts';
import { aFolder, aKey } from './fixtures.ts';

/** As much of Temporal as is needed: it keeps the memo of what is started, and lists it. */
function aTemporal() {
  const started: { readonly memo?: Record<string, unknown> }[] = [];
  const keep = async (_type: string, options: { readonly memo?: Record<string, unknown> }): Promise<void> => {
    started.push({ ...(options.memo && { memo: options.memo }) });
  };
  const workflow = {
    start: keep,
    signalWithStart: keep,
    getHandle: () => ({ signal: async () => undefined }),
    async *list() {
      yield* [...started, {}, { memo: { other: 'thing' } }];
    },
  };
  return { client: { workflow } as unknown as Client, started };
}

const logger = createLogger({ name: 'test', level: 'silent' });
const nothing = { inc: () => {}, set: () => {} };

test('F65: a record that was cut with all its checkpoints, inside and outside, is found by those in Temporal', async () => {
  const database = await aDatabase();
  onTestFinished(database.close);
  const { db } = database;
  const checkpointDir = join(aFolder(), 'checkpoints');
  const key = aKey();
  const sealer = createSealer({
    db,
    checkpointKey: key,
    checkpointDir,
    logger,
    metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
    onFatal: () => undefined,
  });
  await openAccount(db);
  await enter(db, aRequest());
  const size = await sealer.sealNow();
  const temporal = aTemporal();
  const relay = startOutboxRelay({
    db,
    client: temporal.client,
    logger,
    now: Date.now,
    onAnnounced: () => () => undefined,
    newestNote: sealer.newestNote,
    planExit: async () => ({ step: 'settle' }),
  });
  await requestExit(db, { tradeId: 'trade-1', reason: 'operator', source: 'test', nowMs: Date.now() });
  await vi.waitFor(() => expect(temporal.started.length).toBeGreaterThan(1), 10_000);
  await relay.stop();

  const verified = async (otherNotes: readonly string[]) =>
    verifyAudit(await auditSourceOf({ db, checkpointDir, otherNotes }), publicKeyOf(key));
  const otherNotes = await notesInTemporal(temporal.client);
  expect(otherNotes).toEqual([sealer.newestNote()]);
  expect(await verified(otherNotes)).toMatchObject({ exitCode: 0 });

  // Somebody with every right on the machine of the database: back to the first record, and every trace of more removed.
  await database.asOwner(`alter table audit_event disable trigger user;
    delete from audit_event where seq is null or seq > 1; delete from audit_checkpoint;
    update audit_head set seq = 1, hash = (select hash from audit_event where seq = 1)`);
  rmSync(checkpointDir, { recursive: true });
  expect(await verified([])).toMatchObject({ outcome: 'incomplete', records: 1 });
  expect(await verified(otherNotes)).toMatchObject({ outcome: 'tampered', exitCode: 1, firstBadSeq: 2 });
  expect(size).toBeGreaterThan(1);
}, 60_000);
