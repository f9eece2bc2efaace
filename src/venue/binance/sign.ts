import { createHmac, createPrivateKey, sign as signWithKey } from 'node:crypto';
import { RatchetError } from '../../domain/errors.ts';

/** Parameters in the order in which they are sent. */
export type Parameters = Readonly<Record<string, string | number>>;

/** Signs the bytes of a payload: hex for a shared secret, base64 for a private key. */
export type Signer = (payload: string) => string;

/**
 * Makes a signer of an API secret: an Ed25519 private key in PEM (recommended by the venue), else a shared HMAC secret.
 * Throws `CONFIG_INVALID` for a PEM that is no such key; the error never shows the secret.
 */
export function createSigner(apiSecret: string): Signer {
  if (!apiSecret.includes('-----BEGIN')) {
    return (payload) => createHmac('sha256', apiSecret).update(payload).digest('hex');
  }
  const key = ed25519Key(apiSecret);
  return (payload) => signWithKey(null, Buffer.from(payload), key).toString('base64');
}

function ed25519Key(pem: string) {
  const fault = { setting: 'VENUE_API_SECRET', allowed: 'an HMAC secret, or an Ed25519 private key in PEM' };
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The parser's own error may quote the key, so it is not kept as the cause.
  }
  throw new RatchetError('CONFIG_INVALID', fault);
}

/** Percent-encoded `k=v` pairs: what is sent is what is signed. */
export const encode = (parameters: Parameters): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');

/** REST: the parameters as they are sent, with the signature of exactly these bytes at the end. */
export function signedQuery(parameters: Parameters, sign: Signer): string {
  const payload = encode(parameters);
  return `${payload}&signature=${encodeURIComponent(sign(payload))}`;
}

/** WebSocket API: signed over the parameters sorted by name, not encoded. */
export function signedParameters(parameters: Parameters, sign: Signer): Parameters {
  const payload = Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return { ...parameters, signature: sign(payload) };
}
