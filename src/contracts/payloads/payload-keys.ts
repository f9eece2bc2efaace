import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { invariant } from '../../domain/invariant.ts';

/** The keys that payloads are encrypted with. The first one writes; all of them read. */
export type PayloadKeys = {
  readonly writes: string;
  readonly byId: ReadonlyMap<string, KeyObject>;
};

const oneKey = '[A-Za-z0-9._-]{1,32}:[A-Za-z0-9+/]{43}=';

/** `id:key,id:key`, each key 32 bytes in base64; the first one writes. */
export const payloadKeysPattern = new RegExp(`^${oneKey}(,${oneKey})*$`);

/** Reads what fits `payloadKeysPattern`. An id that comes twice is the first one's. */
export function parsePayloadKeys(text: string): PayloadKeys {
  invariant(payloadKeysPattern.test(text), 'the list of payload keys was checked');
  const pairs = text.split(',').map((pair): readonly [string, KeyObject] => {
    const [id = '', key = ''] = pair.split(':');
    return [id, createSecretKey(key, 'base64')];
  });
  return { writes: pairs[0]?.[0] ?? '', byId: new Map(pairs.toReversed()) };
}

/** What tells a key from another one under the same id, and nothing of it: `id:digest`. The one that writes comes first. */
export function fingerprintsOf({ writes, byId }: PayloadKeys): readonly string[] {
  const ids = [writes, ...[...byId.keys()].filter((id) => id !== writes)];
  return ids.map((id) => {
    const key = byId.get(id);
    invariant(key !== undefined, 'the key that writes is one of them');
    const digest = createHash('sha256').update('ratchet payload key').update(key.export()).digest('hex');
    return `${id}:${digest.slice(0, 16)}`;
  });
}
