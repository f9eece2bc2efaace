import { readFileSync } from 'node:fs';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { findKeyBySha256, sha256OfSecret } from '../store/api-keys.ts';
import type { Db } from '../store/database.ts';
import type { Asker } from '../store/trading-state/approvals.ts';
import type { Site } from './site.ts';

export type KeyOptions = { readonly keyFile?: string };

/**
 * Who asks where more than one person is needed: whoever has the key. Without `--key-file` it is the key of this
 * machine's own tools. Undefined: there is none, which is enough where one person is.
 *
 * @throws RatchetError APPROVAL_KEY_REFUSED for a key that is named and is none of the API's.
 */
export async function askerOf(
  db: Db,
  { stack, actor }: Site,
  { keyFile }: KeyOptions,
  reason: string,
): Promise<Asker | undefined> {
  const file = keyFile ?? stack?.api.keyFile;
  const secret = file === undefined ? undefined : secretIn(file, keyFile !== undefined);
  if (secret === undefined) return undefined;
  const key = await findKeyBySha256(db, sha256OfSecret(secret));
  if (key !== undefined) return { keyId: key.keyId, person: actor, reason };
  if (keyFile === undefined) return undefined;
  throw new RatchetError('APPROVAL_KEY_REFUSED', { keyFile });
}

function secretIn(file: string, isNamed: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isNamed) throw new RatchetError('APPROVAL_KEY_REFUSED', { keyFile: file, problem: String(error) });
    return undefined;
  }
}
