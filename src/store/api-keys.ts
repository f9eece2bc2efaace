import type { Actor } from '../contracts/messages/events.ts';
import type { Db } from './database.ts';
import { record } from './record.ts';

/** A key is known by its hash only: whoever reads the database can't use it. */
export type ApiKey = {
  readonly keyId: string;
  /** Of the key, in hex. */
  readonly sha256: string;
  readonly label: string;
  readonly scopes: readonly string[];
};

/** Adds a key; with the id of one that exists and is not revoked, it takes that one's place. */
export function createKey(db: Db, created: ApiKey & { readonly actor: Actor; readonly nowMs: number }): Promise<void> {
  const { keyId, sha256, label, scopes, actor, nowMs } = created;
  return db.transaction().execute(async (tx) => {
    await tx
      .insertInto('api_key')
      .values({ key_id: keyId, key_sha256: sha256, label, scopes, created_at_ms: nowMs })
      .onConflict((conflict) =>
        conflict
          .column('key_id')
          .doUpdateSet({ key_sha256: sha256, label, scopes, created_at_ms: nowMs, revoked_at_ms: null }),
      )
      .execute();
    await record(tx, {
      type: 'ApiKeyCreated',
      key: [keyId, sha256, nowMs],
      atMs: nowMs,
      actor,
      data: { keyId, label, scopes },
    });
  });
}

/** The key with this hash, or undefined when there is none or it was revoked. */
export async function findKeyBySha256(db: Db, sha256: string): Promise<ApiKey | undefined> {
  return db
    .selectFrom('api_key')
    .select(['key_id as keyId', 'key_sha256 as sha256', 'label', 'scopes'])
    .where('key_sha256', '=', sha256)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
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
