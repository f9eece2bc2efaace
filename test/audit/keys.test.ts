import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadOrCreateSigningKey, loadPublicKey, publicKeyFile, publicKeyOf } from '../../src/audit/keys.ts';
import { aFolder } from './fixtures.ts';

const aKeyFile = (): string => join(aFolder(), 'secrets', 'checkpoint-key.pem');
const pemOf = (type: 'ed25519' | 'x25519'): string => {
  const { privateKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
};

describe('the signing key', () => {
  test('is made once, for its owner alone, and found again', () => {
    const file = aKeyFile();
    const first = loadOrCreateSigningKey(file, 'ratchet/audit');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(loadOrCreateSigningKey(file, 'ratchet/audit').key.equals(first.key)).toBe(true);
  });

  test('has its public half beside it, which is enough to verify', () => {
    const file = aKeyFile();
    const key = loadOrCreateSigningKey(file, 'ratchet/audit');
    expect(loadPublicKey(file).key.equals(publicKeyOf(key).key)).toBe(true);
    expect(readFileSync(publicKeyFile(file), 'utf8')).toMatch(/^ratchet\/audit\+[0-9a-f]{8}\+\S+\n$/);
  });

  test('is the same for all processes that start at once', async () => {
    const file = aKeyFile();
    const script = fileURLToPath(new URL('processes/load-key.ts', import.meta.url));
    const keys = await Promise.all(
      Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ['--import', 'tsx', script, file])),
    );
    expect(new Set(keys.map(({ stdout }) => stdout)).size).toBe(1);
  });

  test.each([
    {
      name: 'that others may read',
      write: (file: string) => {
        writeFileSync(file, pemOf('ed25519'));
        chmodSync(file, 0o640);
      },
    },
    { name: 'for another algorithm', write: (file: string) => writeFileSync(file, pemOf('x25519'), { mode: 0o600 }) },
    { name: 'that is none', write: (file: string) => writeFileSync(file, 'canary-7f3a9b2c', { mode: 0o600 }) },
  ])('$name is refused, without a word of it', ({ write }) => {
    const file = join(aFolder(), 'key.pem');
    write(file);
    const load = () => loadOrCreateSigningKey(file, 'ratchet/audit');
    expect(load).toThrow(expect.objectContaining({ code: 'AUDIT_KEY_INVALID' }));
    expect(load).not.toThrow(/canary|BEGIN/);
  });

  test('a public key that is not there is refused', () => {
    expect(() => loadPublicKey(aKeyFile())).toThrow(expect.objectContaining({ code: 'AUDIT_KEY_INVALID' }));
  });
});
