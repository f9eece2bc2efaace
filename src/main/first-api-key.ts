import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findKeyBySha256, isKeyRevoked, newSecret, replaceKey, sha256OfSecret } from '../store/api-keys.ts';
import type { Db } from '../store/database.ts';

/**
 * A key with every scope for this machine's own tools, in a file that only its owner may read. A key that is there
 * already stays, unless it was revoked: then another one takes its place. The database knows its hash only.
 */
export async function ensureFirstApiKey(db: Db, dataFolder: string, nowMs: number): Promise<void> {
  const file = join(dataFolder, 'secrets', 'api-key');
  const hashOfFile = () => sha256OfSecret(readFileSync(file, 'utf8').trim());
  if (!existsSync(file) || (await isKeyRevoked(db, hashOfFile()))) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${newSecret()}\n`, { mode: 0o600 });
  }
  const sha256 = hashOfFile();
  if (await findKeyBySha256(db, sha256)) return;
  await replaceKey(db, {
    keyId: 'first',
    sha256,
    label: 'first key',
    scopes: ['trade', 'operate', 'read'],
    actor: { type: 'system', id: 'setup' },
    nowMs,
  });
}
