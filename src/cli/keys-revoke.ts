import { RatchetError } from '../contracts/schemas/error-body.ts';
import { revokeKey } from '../store/api-keys.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet keys revoke <name>`: once this returns, the API refuses the key. */
export function run(options: GlobalOptions, keyId: string): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    const isRevoked = await revokeKey(db, { keyId, actor: { type: 'user', id: actor }, nowMs: Date.now() });
    if (!isRevoked) throw new RatchetError('API_KEY_UNKNOWN', { name: keyId });
    print(options, { keyId, outcome: 'revoked' }, [`${keyId}: revoked, the API refuses it from now on`]);
    return exitCodes.done;
  });
}
