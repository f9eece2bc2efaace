import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SigningKey } from '../../src/audit/checkpoint.ts';
import { readNotes } from '../../src/audit/checkpoint-files.ts';
import { loadOrCreateSigningKey, publicKeyOf } from '../../src/audit/keys.ts';
import { sealRecords } from '../../src/audit/log.ts';
import { createSealer, type Sealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { checkTail } from '../../src/audit/tail.ts';
import { type AuditVerdict, verifyAudit } from '../../src/audit/verify.ts';
import type { RatchetError } from '../../src/domain/errors.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { openAlerts } from '../../src/store/alerts.ts';
import { createDatabase } from '../../src/store/database.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aFolder, aKey } from './fixtures.ts';
import { recordAtOnce, recordsOfATrade, recordTrade } from './recording.ts';

const script = fileURLToPath(new URL('processes/seal.ts', import.meta.url));

let database: TestDatabase;
let folder: string;
let checkpointDir: string;
let keyFile: string;
let key: SigningKey;
const sealers: Sealer[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await aDatabase();
  folder = aFolder();
  checkpointDir = join(folder, 'checkpoints');
  keyFile = join(folder, 'secrets', 'key.pem');
  key = loadOrCreateSigningKey(keyFile, 'ratchet/audit');
});

afterEach(async () => {
  await Promise.all(sealers.splice(0).map((sealer) => sealer.stop()));
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await database.close();
});

function aSealer(options: Partial<Parameters<typeof createSealer>[0]> = {}) {
  const fatal: RatchetError[] = [];
  const counts = { sealed: 0 };
  const sealer = createSealer({
    db: database.db,
    checkpointKey: key,
    checkpointDir,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: {
      recordsSealed: {
        inc: (count) => {
          counts.sealed += count;
        },
      },
      sealLag: { set: () => {} },
      checkpointAge: { set: () => {} },
    },
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  sealers.push(sealer);
  return { sealer, fatal, counts };
}

const verified = async (): Promise<AuditVerdict> =>
  await verifyAudit(await auditSourceOf({ db: database.db, checkpointDir }), publicKeyOf(key));

const tail = () => checkTail({ db: database.db, checkpointDir, publicKey: publicKeyOf(key) });

/** As somebody with every right on the database does it, who is not stopped by its triggers. */
const forge = async (statement: string) => {
  await database.asOwner('alter table audit_event disable trigger user');
  await database.asOwner(statement);
  await database.asOwner('alter table audit_event enable trigger user');
};

const processOf = (prefix: string, trades: number, environment: Record<string, string> = {}) => {
  const args = ['--import', 'tsx', script, database.appUrl, keyFile, checkpointDir, prefix, String(trades)];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const acknowledged: string[] = [];
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const done = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) =>
      line === 'done' ? resolve() : acknowledged.push(line),
    );
  });
  return { child, acknowledged, ended, done: Promise.race([done, ended]) };
};

const sealedTrades = async (): Promise<ReadonlyMap<string, number>> => {
  const rows = await database.asOwner(
    'select trade_id, count(*)::int as records from audit_event where seq is not null group by trade_id',
  );
  return new Map(rows.map(({ trade_id, records }) => [String(trade_id), Number(records)]));
};

describe('a sealer', () => {
  test('seals what was committed, signs it inside and outside of the database, and measures', async () => {
    const { sealer, counts } = aSealer();
    sealer.start();
    await recordTrade(database.db, 't-1');
    expect(await sealer.sealNow()).toBe(recordsOfATrade);
    await sealer.stop();
    expect(await verified()).toMatchObject({ exitCode: 0, records: recordsOfATrade, uncovered: 0, unsealed: 0 });
    expect(counts.sealed).toBe(recordsOfATrade);
    expect(await readNotes(checkpointDir)).toEqual(
      (await auditSourceOf({ db: database.db, checkpointDir })).storedCheckpoints.map(({ note }) => note),
    );
    await expect(tail()).resolves.toBeUndefined();
  });

  test('does it by itself, soon, without being asked', async () => {
    const { sealer } = aSealer();
    sealer.start();
    await recordTrade(database.db, 't-1');
    await vi.waitFor(
      async () => expect(await verified()).toMatchObject({ uncovered: 0, records: recordsOfATrade }),
      10_000,
    );
  });

  test('seals and signs the rest when it is stopped', async () => {
    const { sealer } = aSealer();
    await recordTrade(database.db, 't-1');
    await sealer.stop();
    expect(await verified()).toMatchObject({ exitCode: 0, records: recordsOfATrade, uncovered: 0, unsealed: 0 });
  });

  test('F22: seals in the order of insertion, whatever the clocks of the writers say', async () => {
    const hourMs = 3_600_000;
    const steps = [0, hourMs, -hourMs, 1, -1_000, hourMs, 0];
    for (const [i, stepMs] of steps.entries()) await recordTrade(database.db, `t-${i}`, stepMs);
    const { sealer } = aSealer();
    await sealer.sealNow();
    expect(await verified()).toMatchObject({ exitCode: 0, clockSteps: 0, records: steps.length * recordsOfATrade });
    const rows = await database.asOwner('select trade_id, insert_no, body::json from audit_event order by seq');
    const bodies = rows.map(({ body }) => body as { readonly _insertNo: number; readonly _recordedAt: string });
    expect(rows.map(({ trade_id }) => trade_id)).toEqual(
      steps.flatMap((_, i) => Array.from({ length: recordsOfATrade }, () => `t-${i}`)),
    );
    expect(bodies.map(({ _insertNo }) => _insertNo)).toEqual(rows.map(({ insert_no }) => Number(insert_no)));
    // The database's own clock stands beside the writer's: a step of either shows as the difference.
    expect(bodies.map(({ _recordedAt }) => _recordedAt)).toEqual(
      bodies.map(({ _recordedAt }) => _recordedAt).toSorted(),
    );
  });

  test('leaves out what is not committed, and seals it when it is', async () => {
    const { sealer } = aSealer();
    const other = database.another(1);
    const first = recordsOfATrade;
    await other.transaction().execute(async (tx) => {
      // As long as the test needs, however busy the machine is.
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
      await recordAtOnce(tx, 't-late');
      await recordTrade(database.db, 't-1');
      expect(await sealer.sealNow()).toBe(first);
    });
    expect(await sealer.sealNow()).toBe(2 * first);
    expect(await verified()).toMatchObject({ exitCode: 0, records: 2 * first });
  });

  test('signs several checkpoints over a log that is longer than one can cover', async () => {
    const bodies = `select record_event(gen_random_uuid(), 'AlertRaised', null, '{"n":' || n || ',"type":"AlertRaised"}')`;
    await database.asOwner(`${bodies} from generate_series(1, 12345) as n`);
    const { sealer } = aSealer();
    expect(await sealer.sealNow()).toBe(12_345);
    expect(await verified()).toMatchObject({ exitCode: 0, records: 12_345, checkpoints: 3, uncovered: 0 });

    // Many pages of them missing, in the middle and at the end.
    await forge('delete from audit_event where seq between 2500 and 11111');
    expect(await verified()).toMatchObject({ exitCode: 1, firstBadSeq: 2_500, records: 12_345 - 8_612 });
    await forge('delete from audit_event where seq > 11111');
    expect(await verified()).toMatchObject({ exitCode: 1, firstBadSeq: 2_500, records: 2_499 });
  });

  test('raises an alert while records have to wait, and resolves it after', async () => {
    const codes = async () => (await openAlerts(database.db)).map(({ code }) => code);
    const owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    await owner.query('begin; select * from audit_head for update');
    await recordTrade(database.db, 't-1');
    aSealer().sealer.start();
    await vi.waitFor(async () => expect(await codes()).toEqual(['AUDIT_SEALING_LATE']), 10_000);
    await owner.query('rollback');
    await vi.waitFor(async () => expect(await codes()).toEqual([]), 10_000);
    await owner.end();
  });
});

describe('sealing from four processes at once', () => {
  test('gives one chain without a gap, with every trade in its order and nothing lost', async () => {
    const processes = ['a', 'b', 'c', 'd'].map((prefix) => processOf(prefix, 25));
    await Promise.all(processes.map(({ done }) => done));
    for (const { child } of processes) child.stdin.end();
    await Promise.all(processes.map(({ ended }) => ended));
    expect(await verified()).toMatchObject({ exitCode: 0, records: 100 * recordsOfATrade, unsealed: 0, uncovered: 0 });
  });

  test('adds nothing when they all record the same', async () => {
    const processes = Array.from({ length: 4 }, () => processOf('same', 10));
    await Promise.all(processes.map(({ done }) => done));
    for (const { child } of processes) child.stdin.end();
    await Promise.all(processes.map(({ ended }) => ended));
    expect(await verified()).toMatchObject({ exitCode: 0, records: 10 * recordsOfATrade, unsealed: 0 });
  });

  test('loses nothing that was acknowledged when some are killed', async () => {
    const killed = ['a', 'b'].map((prefix) => processOf(prefix, 1_000));
    const other = processOf('c', 40);
    await vi.waitFor(() => expect(killed.every(({ acknowledged }) => acknowledged.length >= 15)).toBe(true), 20_000);
    for (const { child } of killed) child.kill('SIGKILL');
    await other.done;
    other.child.stdin.end();
    await Promise.all([...killed, other].map(({ ended }) => ended));

    // Whoever is left, or comes next, goes on with what they left behind.
    await aSealer().sealer.sealNow();
    expect(await verified()).toMatchObject({ exitCode: 0, unsealed: 0, uncovered: 0 });
    const sealed = await sealedTrades();
    const acknowledged = [...killed, other].flatMap((process) => process.acknowledged);
    expect(acknowledged.filter((id) => sealed.get(id) !== recordsOfATrade)).toEqual([]);
    await expect(tail()).resolves.toBeUndefined();
  });

  test.each(['afterSeal#1', 'afterSeal#3', 'afterCheckpointFile#1', 'afterCheckpointFile#2'])(
    'goes on after a kill at %s',
    async (point) => {
      const { child, ended, acknowledged } = processOf('a', 1_000, { CRASH_AT: point });
      expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
      child.stdin.destroy();
      await expect(tail()).resolves.toBeUndefined();
      await aSealer().sealer.sealNow();
      expect(await verified()).toMatchObject({ exitCode: 0, unsealed: 0, uncovered: 0 });
      const sealed = await sealedTrades();
      expect(acknowledged.filter((id) => sealed.get(id) !== recordsOfATrade)).toEqual([]);
    },
  );
});

describe('the record in the database', () => {
  beforeEach(async () => {
    const { sealer } = aSealer();
    for (const id of ['t-1', 't-2', 't-3']) {
      await recordTrade(database.db, id);
      await sealer.sealNow();
    }
  });

  test.each([
    { name: 'edited', statement: `update audit_event set body = replace(body, '0.5', '0.6') where seq = 4`, badSeq: 4 },
    { name: 'deleted', statement: 'delete from audit_event where seq = 9', badSeq: 9 },
    { name: 'unsealed', statement: 'update audit_event set seq = null where seq = 12', badSeq: 12 },
    { name: 'renamed', statement: `update audit_event set trade_id = 't-9' where seq = 13`, badSeq: 13 },
    { name: 'cut off', statement: 'delete from audit_event where seq > 17', badSeq: 18 },
    {
      name: 'cut off with its head and checkpoints',
      statement: `delete from audit_event where seq > 14; delete from audit_checkpoint where size > 14;
        update audit_head set seq = 14, hash = (select hash from audit_event where seq = 14)`,
      badSeq: 15,
    },
  ])('is found to be tampered with when a record was $name', async ({ statement, badSeq }) => {
    await forge(statement);
    expect(await verified()).toMatchObject({ outcome: 'tampered', exitCode: 1, firstBadSeq: badSeq });
  });

  test('stops the start when its tail is lost, and names what is missing', async () => {
    await forge('delete from audit_event where seq > 17');
    await expect(tail()).rejects.toMatchObject({
      code: 'AUDIT_TAIL_LOST',
      context: { firstMissingSeq: 18, lastMissingSeq: 3 * recordsOfATrade },
    });
  });

  test('stops the start when it is another one of the same length', async () => {
    await forge(`update audit_event set hash = sha256(hash) where seq = ${3 * recordsOfATrade}`);
    await expect(tail()).rejects.toMatchObject({ code: 'AUDIT_CHAIN_BROKEN' });
  });

  test('stops the start when the checkpoints outside are signed by another key', async () => {
    const publicKey = publicKeyOf(aKey());
    await expect(checkTail({ db: database.db, checkpointDir, publicKey })).rejects.toMatchObject({
      code: 'AUDIT_CHECKPOINT_UNTRUSTED',
    });
  });

  test('may start without a checkpoint outside', async () => {
    await expect(
      checkTail({ db: database.db, checkpointDir: aFolder(), publicKey: publicKeyOf(key) }),
    ).resolves.toBeUndefined();
  });
});

describe('a sealer that can not go on', () => {
  const cases: readonly {
    readonly name: string;
    readonly code: string;
    readonly prepare?: () => Promise<unknown>;
    readonly options?: () => Partial<Parameters<typeof createSealer>[0]>;
  }[] = [
    {
      name: 'a record that is not what was sealed',
      code: 'AUDIT_CHAIN_BROKEN',
      prepare: () =>
        forge(`update audit_event set body = replace(body, 't-2', 't-3') where seq = ${recordsOfATrade + 2}`),
    },
    {
      name: 'a database that fell behind what it has signed',
      code: 'AUDIT_TAIL_LOST',
      prepare: () => forge('delete from audit_checkpoint'),
    },
    {
      name: 'peaks that do not make the signed root',
      code: 'AUDIT_CHECKPOINT_UNTRUSTED',
      prepare: () => forge('update audit_checkpoint set peaks = array_prepend(sha256(root), peaks[2:])'),
    },
    {
      name: 'a last checkpoint that another key signed',
      code: 'AUDIT_CHECKPOINT_UNTRUSTED',
      options: () => ({ checkpointKey: aKey() }),
    },
    {
      name: 'a folder that can not be written',
      code: 'AUDIT_CHECKPOINT_NOT_WRITTEN',
      options: () => ({ checkpointDir: join(keyFile, 'below-a-file') }),
    },
  ];

  test.each(cases)('for $name signs nothing, says so once and raises an alert', async ({ code, prepare, options }) => {
    const first = aSealer();
    await recordTrade(database.db, 't-1');
    await first.sealer.sealNow();
    const before = await readNotes(checkpointDir);

    await recordTrade(database.db, 't-2');
    await sealRecords(database.db, 1_000);
    await prepare?.();
    const { sealer, fatal } = options === undefined ? first : aSealer(options());
    await expect(sealer.sealNow()).rejects.toMatchObject({ code });
    await expect(sealer.sealNow()).rejects.toMatchObject({ code });
    expect(fatal.map((error) => error.code)).toEqual([code]);
    expect((await openAlerts(database.db)).map((alert) => alert.code)).toEqual([code]);
    expect(await readNotes(checkpointDir)).toEqual(before);
  });

  test('as the database does not answer tries again, and calls nothing lost', async () => {
    const url = 'postgresql://nobody@127.0.0.1:9/nothing';
    const db = createDatabase({ url, applicationName: 'test', poolMax: 1, onError: () => {} });
    const { sealer, fatal } = aSealer({ db });
    await expect(sealer.sealNow()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await sealer.stop();
    expect(fatal).toEqual([]);
    await db.destroy();
  });
});
