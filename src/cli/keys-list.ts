import Table from 'cli-table3';
import { type ListedKey, listKeys } from '../store/api-keys.ts';
import { exitCodes, print, tableStyle, utc } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet keys list`: also those that were revoked. The secrets are nowhere. */
export function run(options: GlobalOptions): Promise<number> {
  return withDatabase(options, async (db) => {
    const keys = await listKeys(db);
    print(options, keys, tableOf(keys));
    return exitCodes.done;
  });
}

function tableOf(keys: readonly ListedKey[]): readonly string[] {
  if (keys.length === 0) return ['No keys.'];
  const table = new Table({ head: ['key', 'scopes', 'created (UTC)', 'revoked (UTC)'], ...tableStyle });
  for (const { keyId, scopes, createdAtMs, revokedAtMs } of keys) {
    table.push([keyId, scopes.join(', '), utc(createdAtMs), revokedAtMs === null ? '' : utc(revokedAtMs)]);
  }
  return [table.toString()];
}
