import { createHash, randomBytes } from 'node:crypto';
import type { Actor } from '../contracts/messages/events.ts';
import type { Db, Tx } from './database.ts';
import { record } from './record.ts';

/** A key is known by its hash only: whoever reads the database can't use it. */
export type ApiKey = {
  readonly keyId: string;
  /** Of the secret, in hex: see `sha256OfSecret`. */
  readonly sha256: string;
  readonly label: string;
  readonly scopes: readonly string[];
};

type NewKey = ApiKey & { readonly actor: Actor; readonly nowMs: number };

/** What a caller sends as its bearer token. Nobody can guess it, so a plain hash of it keeps it. */
export const newSecret = (): string => `rk_${randomBytes(32).toString('base64url')}`;

export const sha256OfSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/**
 * Adds a key. False when its id is taken: an id is never used again, also not that of a key that was revoked, because
 * the record calls a key by it.
 */
export function createKey(db: Db, created: NewKey): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('api_key')
      .values(rowOf(created))
      .onConflict((conflict) => conflict.column('key_id').doNothing())
      .returning('key_id')
      .executeTakeFirst();
    if (row === undefined) return false;
    await recordCreated(tx, created);
    return true;
  });
}

/** Adds a key; one that has its id is refused from then on. */
export function replaceKey(db: Db, created: NewKey): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const row = rowOf(created);
    await tx
      .insertInto('api_key')
      .values(row)
      .onConflict((conflict) => conflict.column('key_id').doUpdateSet({ ...row, revoked_at_ms: null }))
      .execute();
    await recordCreated(tx, created);
  });
}

const rowOf = ({ keyId, sha256, label, scopes, nowMs }: NewKey) => ({
  key_id: keyId,
  key_sha256: sha256,
  label,
  scopes,
  created_at_ms: nowMs,
});

const recordCreated = (tx: Tx, { keyId, sha256, label, scopes, actor, nowMs }: NewKey): Promise<void> =>
  record(tx, {
    type: 'ApiKeyCreated',
    key: [keyId, sha256, nowMs],
    atMs: nowMs,
    actor,
    data: { keyId, label, scopes },
  });

/** The key with this hash, or undefined when there is none or it was revoked. */
export async function findKeyBySha256(db: Db, sha256: string): Promise<ApiKey | undefined> {
  return db
    .selectFrom('api_key')
    .select(['key_id as keyId', 'key_sha256 as sha256', 'label', 'scopes'])
    .where('key_sha256', '=', sha256)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
}

/** Every key, also those that were revoked, the oldest first. Nothing in it lets anybody in. */
export type ListedKey = Omit<ApiKey, 'sha256'> & {
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
};

export const listKeys = (db: Db): Promise<readonly ListedKey[]> =>
  db
    .selectFrom('api_key')
    .select(['key_id as keyId', 'label', 'scopes', 'created_at_ms as createdAtMs', 'revoked_at_ms as revokedAtMs'])
    .orderBy('created_at_ms')
    .orderBy('key_id')
    .execute();

/** Whether there is a key with this hash that was revoked. */
export async function isKeyRevoked(db: Db, sha256: string): Promise<boolean> {
  const row = await db
    .selectFrom('api_key')
    .select('key_id')
    .where('key_sha256', '=', sha256)
    .where('revoked_at_ms', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** From the commit on the key is refused. Returns whether there was one to revoke. */
export function revokeKey(
  db: Db,
  revoked: { readonly keyId: string; readonly actor: Actor; readonly nowMs: number },
): Promise<boolean> {
  const { keyId, actor, nowMs } = revoked;
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('api_key')
      .set({ revoked_at_ms: nowMs })
      .where('key_id', '=', keyId)
      .where('revoked_at_ms', 'is', null)
      .returning('label')
      .executeTakeFirst();
    if (row === undefined) return false;
    await record(tx, {
      type: 'ApiKeyRevoked',
      key: [keyId, nowMs],
      atMs: nowMs,
      actor,
      data: { keyId, label: row.label },
    });
    return true;
  });
}
