import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { checkTail } from '../../src/audit/tail.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { aRequest, decide, entryIntent, openAccount } from '../store/fixtures.ts';
import { anAppender } from './appending.ts';
import { aFolder, aKey } from './fixtures.ts';
import { anOwnPostgres, type OwnPostgres } from './own-postgres.ts';

let postgres: OwnPostgres;
beforeEach(async () => {
  postgres = await anOwnPostgres();
});
afterEach(() => postgres.close());

const stops = 3;
const [producers, calls, batch] = [4, 150, 10];
const expected = 4 * producers * calls * batch;

describe('F60: PostgreSQL is stopped (immediate) three times while four processes record', () => {
  test('0 records are lost, 0 are moved, the chain is whole; an entry meanwhile fails closed', async () => {
    const checkpointDir = join(aFolder(), 'checkpoints');
    const key = aKey();
    const db = postgres.pool();
    await openAccount(db);
    const request = aRequest();
    await decide(db, request);
    const nothing = { inc: () => {}, set: () => {} };
    const fatal: unknown[] = [];
    const sealer = createSealer({
      db,
      checkpointKey: key,
      checkpointDir,
      logger: createLogger({ name: 'test', level: 'silent' }),
      metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
      onFatal: (error) => fatal.push(error),
    });
    sealer.start();

    const url = postgres.appUrl;
    const appenders = await Promise.all(
      ['a', 'b', 'c', 'd'].map((prefix) => anAppender({ url, prefix, producers, calls, batch })),
    );
    for (const { start } of appenders) start();
    const confirmed = (): number => appenders.reduce((sum, each) => sum + each.confirmed.length, 0);
    const seen = new Map<string, number>();
    for (let stop = 1; stop <= stops; stop += 1) {
      await vi.waitFor(() => expect(confirmed()).toBeGreaterThan((stop * 4 * producers * calls) / (stops + 2)), 60_000);
      for (const [eventId, seq] of await sealedRecords()) seen.set(eventId, seq);
      await postgres.stop('immediate');
      const sent = commitIntent(db, entryIntent(request));
      await expect(sent).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
      await postgres.start();
    }
    const results = await Promise.all(appenders.map(({ result }) => result));
    await sealer.sealNow();
    await sealer.stop();

    expect(fatal).toEqual([]);
    expect(results.reduce((sum, { records }) => sum + records, 0)).toBe(expected);
    // They did meet the stops, and what was ambiguous was recorded again without being there twice.
    for (const { failures } of results) expect(failures).toBeGreaterThan(0);
    expect(await countRecorded()).toBe(expected);
    const after = await sealedRecords();
    expect(seen.size).toBeGreaterThan(0);
    expect([...seen].filter(([eventId, seq]) => after.get(eventId) !== seq)).toEqual([]);
    const publicKey = publicKeyOf(key);
    const verdict = await verifyAudit(await auditSourceOf({ db, checkpointDir }), publicKey);
    expect(verdict).toMatchObject({ exitCode: 0, unsealed: 0, uncovered: 0 });
    await expect(checkTail({ db, checkpointDir, publicKey })).resolves.toBeUndefined();
    // Nothing was ever meant that could have been sent.
    expect(await postgres.asOwner('select * from orders')).toEqual([]);
    await expect(commitIntent(db, entryIntent(request))).resolves.toMatchObject({ outcome: 'committed' });

    /** Without what the sealer says of itself, such as that it was late. */
    async function countRecorded(): Promise<number> {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from audit_event where event_type = 'StopMoved'`.execute(db);
      return rows[0]?.count ?? 0;
    }
    async function sealedRecords(): Promise<ReadonlyMap<string, number>> {
      const rows = await postgres.asOwner('select event_id, seq::int from audit_event where seq is not null');
      return new Map(rows.map(({ event_id, seq }) => [String(event_id), Number(seq)]));
    }
  }, 180_000);
});
