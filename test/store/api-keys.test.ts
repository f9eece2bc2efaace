import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureFirstApiKey } from '../../src/main/first-api-key.ts';
import {
  createKey,
  findKeyBySha256,
  listKeys,
  newSecret,
  replaceKey,
  revokeKey,
  sha256OfSecret,
} from '../../src/store/api-keys.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { nowMs } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());

const actor = { type: 'user', id: 'anna' } as const;
const aKey = (keyId: string, sha256: string) => ({ keyId, sha256, label: keyId, scopes: ['trade'], actor, nowMs });

const recorded = async (type: string, keyId: string) =>
  (await database.db.selectFrom('audit_event').select('body').where('event_type', '=', type).execute())
    .map(({ body }) => JSON.parse(body))
    .filter((body) => body.keyId === keyId);

describe('an API key', () => {
  test('is found by its hash until it is revoked, with a record of both', async () => {
    expect(await createKey(database.db, aKey('bot-1', 'aa'))).toBe(true);
    const found = { keyId: 'bot-1', sha256: 'aa', label: 'bot-1', scopes: ['trade'] };
    expect(await findKeyBySha256(database.db, 'aa')).toEqual(found);
    expect(await revokeKey(database.db, { keyId: 'bot-1', actor, nowMs })).toBe(true);
    expect(await revokeKey(database.db, { keyId: 'bot-1', actor, nowMs })).toBe(false);
    expect(await findKeyBySha256(database.db, 'aa')).toBeUndefined();
    expect(await recorded('ApiKeyCreated', 'bot-1')).toMatchObject([{ actor, scopes: ['trade'] }]);
    expect(await recorded('ApiKeyRevoked', 'bot-1')).toMatchObject([{ actor, label: 'bot-1' }]);
  });

  test('never has the id of another one, also not of one that was revoked', async () => {
    await createKey(database.db, aKey('bot-2', 'bb'));
    expect(await createKey(database.db, aKey('bot-2', 'cc'))).toBe(false);
    await revokeKey(database.db, { keyId: 'bot-2', actor, nowMs });
    expect(await createKey(database.db, aKey('bot-2', 'cc'))).toBe(false);
    expect(await findKeyBySha256(database.db, 'cc')).toBeUndefined();
    expect(await recorded('ApiKeyCreated', 'bot-2')).toHaveLength(1);
  });

  test('that replaces one ends it', async () => {
    await replaceKey(database.db, aKey('bot-3', 'dd'));
    await replaceKey(database.db, aKey('bot-3', 'ee'));
    expect(await findKeyBySha256(database.db, 'dd')).toBeUndefined();
    expect(await findKeyBySha256(database.db, 'ee')).toMatchObject({ keyId: 'bot-3' });
    expect(await recorded('ApiKeyCreated', 'bot-3')).toHaveLength(2);
  });

  test('is listed for ever, and without its hash', async () => {
    await createKey(database.db, { ...aKey('bot-4', 'ff'), nowMs: nowMs + 1 });
    await revokeKey(database.db, { keyId: 'bot-4', actor, nowMs: nowMs + 2 });
    expect((await listKeys(database.db)).at(-1)).toEqual({
      keyId: 'bot-4',
      label: 'bot-4',
      scopes: ['trade'],
      createdAtMs: nowMs + 1,
      revokedAtMs: nowMs + 2,
    });
  });

  test('has a secret that no other one has, and that a bearer token can carry', () => {
    const secrets = Array.from({ length: 100 }, newSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^rk_[A-Za-z0-9_-]{43}$/);
  });
});

describe('the first key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ratchet-first-key-'));
  const file = join(folder, 'secrets', 'api-key');
  const secret = () => readFileSync(file, 'utf8').trim();
  const keyOf = (text: string) => findKeyBySha256(database.db, sha256OfSecret(text));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is made once, for the eyes of its owner', async () => {
    await ensureFirstApiKey(database.db, folder, nowMs);
    const first = secret();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await keyOf(first)).toMatchObject({ keyId: 'first', scopes: ['trade', 'operate', 'read'] });
    await ensureFirstApiKey(database.db, folder, nowMs + 1);
    expect(secret()).toBe(first);
  });

  test('does not come back after it was revoked: another one takes its place', async () => {
    const revoked = secret();
    await revokeKey(database.db, { keyId: 'first', actor, nowMs: nowMs + 2 });
    await ensureFirstApiKey(database.db, folder, nowMs + 3);
    expect(secret()).not.toBe(revoked);
    expect(await keyOf(revoked)).toBeUndefined();
    expect(await keyOf(secret())).toMatchObject({ keyId: 'first' });
  });

  test('that is gone from the folder is replaced, and refused from then on', async () => {
    const lost = secret();
    rmSync(file);
    await ensureFirstApiKey(database.db, folder, nowMs + 4);
    expect(await keyOf(lost)).toBeUndefined();
    expect(await keyOf(secret())).toMatchObject({ keyId: 'first' });
  });
});
