import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createKey, findKeyBySha256 } from '../store/api-keys.ts';
import type { Db } from '../store/database.ts';

/**
 * A key with every scope for this machine's own tools, in a file that only its owner may read. A key that is there
 * already stays; the database knows its hash only.
 */
export async function ensureFirstApiKey(db: Db, dataFolder: string, nowMs: number): Promise<void> {
  const file = join(dataFolder, 'secrets', 'api-key');
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `rk_${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  }
  const sha256 = createHash('sha256').update(readFileSync(file, 'utf8').trim()).digest('hex');
  if (await findKeyBySha256(db, sha256)) return;
  await createKey(db, {
    keyId: 'first',
    sha256,
    label: 'first key',
    scopes: ['trade', 'operate', 'read'],
    actor: { type: 'system', id: 'setup' },
    nowMs,
  });
}
