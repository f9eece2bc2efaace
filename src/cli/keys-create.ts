import { RatchetError } from '../contracts/schemas/error-body.ts';
import { createKey, newSecret, sha256OfSecret } from '../store/api-keys.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & { readonly name: string; readonly scope: readonly string[] };

/** `ratchet keys create`: prints the secret of the new key. It is kept nowhere, so nobody can print it again. */
export function run(options: Options): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    const keyId = options.name;
    const scopes = [...new Set(options.scope)];
    const secret = newSecret();
    const isCreated = await createKey(db, {
      keyId,
      sha256: sha256OfSecret(secret),
      label: keyId,
      scopes,
      actor: { type: 'user', id: actor },
      nowMs: Date.now(),
    });
    if (!isCreated) throw new RatchetError('API_KEY_NAME_TAKEN', { name: keyId });
    print(options, { keyId, scopes, secret }, [
      `${keyId}: may ${scopes.join(', ')}. Its secret is shown this once, and nobody can look it up:`,
      secret,
    ]);
    return exitCodes.done;
  });
}
