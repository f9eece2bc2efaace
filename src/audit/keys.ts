import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RatchetError } from '../domain/errors.ts';
import { decodePublicKey, encodePublicKey, type PublicKey, type SigningKey } from './checkpoint.ts';

/** The line with the public key lies beside the private one: verifying must not need what signs. */
export const publicKeyFile = (keyFile: string): string => `${keyFile}.pub`;

/**
 * The key that signs checkpoints. Where there is none yet it is made, for its owner alone; of several processes that
 * start at once, all get the key of the first. `name` is what signatures carry.
 *
 * @throws RatchetError AUDIT_KEY_INVALID when the file can't be read, is no Ed25519 key, or others may read it
 */
export function loadOrCreateSigningKey(keyFile: string, name: string): SigningKey {
  const pem = readIfPresent(keyFile) ?? createKey(keyFile);
  if ((statSync(keyFile).mode & 0o077) !== 0) throw invalid(keyFile, 'others than its owner may read it');
  const key = privateKeyOf(keyFile, pem);
  const line = `${encodePublicKey({ name, key: createPublicKey(key) })}\n`;
  if (readIfPresent(publicKeyFile(keyFile)) !== line) writeFileSync(publicKeyFile(keyFile), line);
  return { name, key };
}

/**
 * The public half, from its own file.
 *
 * @throws RatchetError AUDIT_KEY_INVALID
 */
export function loadPublicKey(keyFile: string): PublicKey {
  const file = publicKeyFile(keyFile);
  const publicKey = decodePublicKey(readIfPresent(file) ?? '');
  if (publicKey === undefined) throw invalid(file, 'it is not there, or not the line of a public key');
  return publicKey;
}

/** What checks the signatures of this key. */
export const publicKeyOf = ({ name, key }: SigningKey): PublicKey => ({ name, key: createPublicKey(key) });

function createKey(keyFile: string): string {
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = `${keyFile}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flush: true });
    // A link never replaces what is there, and shows a whole file or none.
    linkSync(draft, keyFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw invalid(keyFile, String(error));
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(keyFile, 'utf8');
}

function privateKeyOf(keyFile: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The error of the parser may quote what it read.
    throw invalid(keyFile, 'it is not a private key in PEM');
  }
  if (key.asymmetricKeyType !== 'ed25519') throw invalid(keyFile, `it is a key for ${key.asymmetricKeyType}`);
  return key;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(file, String(error));
  }
}

const invalid = (file: string, problem: string): RatchetError =>
  new RatchetError('AUDIT_KEY_INVALID', { file, problem });
