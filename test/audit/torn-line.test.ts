import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SigningKey } from '../../src/audit/checkpoint.ts';
import { readNotes } from '../../src/audit/checkpoint-files.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { sealRecords } from '../../src/audit/log.ts';
import { signNext } from '../../src/audit/sign.ts';
import { checkTail } from '../../src/audit/tail.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aFolder, aKey } from './fixtures.ts';
import { recordTrade } from './recording.ts';

let database: TestDatabase;
let checkpointDir: string;
let key: SigningKey;
let notes: readonly string[];
beforeEach(async () => {
  database = await aDatabase();
  checkpointDir = join(aFolder(), 'checkpoints');
  key = aKey();
  for (const tradeId of ['t-1', 't-2', 't-3']) {
    await recordTrade(database.db, tradeId);
    await sealRecords(database.db, 1_000);
    await signNext({ db: database.db, key, checkpointDir, seenSize: 0 });
  }
  notes = await readNotes(checkpointDir);
});
afterEach(() => database.close());

const start = () => checkTail({ db: database.db, checkpointDir, publicKey: publicKeyOf(key) });

/** The file, and where its last line begins. */
function lastLine(): { readonly file: string; readonly from: number; readonly to: number } {
  const name = readdirSync(checkpointDir).find((each) => each.endsWith('.jsonl')) ?? '';
  const file = join(checkpointDir, name);
  const bytes = readFileSync(file);
  return { file, from: bytes.lastIndexOf('\n', bytes.length - 2) + 1, to: bytes.length };
}

/** Cuts the last line byte by byte, from its end, and says what a start makes of it each time. */
async function cutting(look: (cut: { readonly isWhole: boolean; readonly left: number }) => Promise<void>) {
  const { file, from, to } = lastLine();
  expect(to - from).toBeGreaterThan(200);
  for (let end = to; end >= from; end--) {
    truncateSync(file, end);
    // Without its line end alone nothing of the note is missing.
    await look({ isWhole: end >= to - 1, left: end - from });
  }
}

describe('F64: the last line of the checkpoints outside is torn', () => {
  test('at any byte, and the database never confirmed it: what is whole counts, and signing goes on', async () => {
    await database.asOwner('delete from audit_checkpoint where size = (select max(size) from audit_checkpoint)');
    await cutting(async ({ isWhole, left }) => {
      expect(await readNotes(checkpointDir), `${left} bytes left`).toEqual(isWhole ? notes : notes.slice(0, 2));
      await expect(start()).resolves.toBeUndefined();
    });
    await signNext({ db: database.db, key, checkpointDir, seenSize: 0 });
    expect(await readNotes(checkpointDir)).toHaveLength(3);
    await expect(start()).resolves.toBeUndefined();
  });

  test('at any byte, and it was confirmed: nothing starts, and the checkpoint is named', async () => {
    await cutting(async ({ isWhole, left }) => {
      const started = start();
      if (isWhole) return await expect(started).resolves.toBeUndefined();
      await expect(started, `${left} bytes left`).rejects.toMatchObject({
        code: 'AUDIT_CHECKPOINT_LOST',
        context: { folder: checkpointDir, size: 21 },
      });
    });
  });

  test('a folder that is begun anew, or of another machine, has promised nothing', async () => {
    const publicKey = publicKeyOf(key);
    await expect(checkTail({ db: database.db, checkpointDir: aFolder(), publicKey })).resolves.toBeUndefined();
  });
});
