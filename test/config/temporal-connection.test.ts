import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTemporalConnection } from '../../src/config/temporal-connection.ts';

const aProfile = (text: string): { TEMPORAL_CONFIG_FILE: string } => {
  const file = join(mkdtempSync(join(tmpdir(), 'ratchet-temporal-')), 'temporal.toml');
  writeFileSync(file, text);
  return { TEMPORAL_CONFIG_FILE: file };
};
const noFile = aProfile('[profile.default]\n');

describe('loadTemporalConnection', () => {
  test('finds the local server when nothing is said', () => {
    expect(loadTemporalConnection(noFile)).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
      secrets: [],
    });
  });

  test('takes the fallback for what the environment does not name', () => {
    const stack = { address: '127.0.0.1:9999', namespace: 'stack' };
    expect(loadTemporalConnection({ ...noFile, TEMPORAL_NAMESPACE: 'mine' }, stack)).toMatchObject({
      address: '127.0.0.1:9999',
      namespace: 'mine',
      connectionOptions: { address: '127.0.0.1:9999' },
    });
  });

  test('reads the profile, and lets the environment win', () => {
    const profile = aProfile('[profile.default]\naddress = "file:7233"\nnamespace = "from-file"\n');
    expect(loadTemporalConnection({ ...profile, TEMPORAL_ADDRESS: 'env:7233' })).toMatchObject({
      address: 'env:7233',
      namespace: 'from-file',
    });
  });

  test('an API key turns TLS on and is named as a secret', () => {
    const connection = loadTemporalConnection({ ...noFile, TEMPORAL_API_KEY: 'cloud-key' });
    expect(connection.connectionOptions.tls).toBe(true);
    expect(connection.secrets).toEqual(['cloud-key']);
  });

  test.each([
    { name: 'a file that is not TOML', environment: aProfile('[profile.') },
    {
      name: 'a certificate that is not there',
      environment: { ...noFile, TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere.pem' },
    },
  ])('refuses $name by its code', ({ environment }) => {
    expect(() => loadTemporalConnection(environment)).toThrow(
      expect.objectContaining({ code: 'TEMPORAL_CONFIG_INVALID' }),
    );
  });
});
