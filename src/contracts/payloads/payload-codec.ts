import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import protobuf from 'protobufjs/light.js';
import { RatchetError } from '../../domain/errors.ts';
import type { PayloadKeys } from './payload-keys.ts';

export type PayloadCodecOptions = {
  readonly keys: PayloadKeys;
  /** Whether payloads that are not encrypted are refused, instead of read as those from before there were keys. */
  readonly encryptedOnly: boolean;
};

const encoding = 'binary/encrypted';
const cipherName = 'AES-256-GCM';
const nonceBytes = 12;
const tagBytes = 16;

/** What Temporal takes in one payload, less what encryption adds to it. */
const payloadBytesMax = 2 * 1024 * 1024 - 1024;

/**
 * Encrypts every payload whole, its own metadata with it, by AES-256-GCM: 12 bytes of nonce, the ciphertext, 16 bytes of
 * tag. The key's id is in the metadata and in the authenticated data, so that old histories are read with the key
 * they were written with. The same layout as Temporal's samples, and like no sample it shows nothing of what it reads.
 *
 * @throws RatchetError PAYLOAD_KEY_UNKNOWN, PAYLOAD_DAMAGED, PAYLOAD_UNENCRYPTED from `decode`; PAYLOAD_TOO_LARGE from
 * `encode`, before anything is sent.
 */
export function createPayloadCodec({ keys, encryptedOnly }: PayloadCodecOptions): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, keys)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys, encryptedOnly)),
  };
}

// temporal.api.common.v1.Payload, which is small and will stay as it is.
const message = new protobuf.Type('Payload')
  .add(new protobuf.MapField('metadata', 1, 'string', 'bytes'))
  .add(new protobuf.Field('data', 2, 'bytes'));

function encrypt(payload: Payload, { writes, byId }: PayloadKeys): Payload {
  const plain = message.encode({ metadata: payload.metadata ?? {}, data: payload.data ?? new Uint8Array() }).finish();
  if (plain.length > payloadBytesMax) {
    throw new RatchetError('PAYLOAD_TOO_LARGE', { bytes: plain.length, bytesMax: payloadBytesMax });
  }
  const key = byId.get(writes);
  if (key === undefined) throw new RatchetError('PAYLOAD_KEY_UNKNOWN', { keyId: writes });
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(writes));
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-cipher': Buffer.from(cipherName),
      'encryption-key-id': Buffer.from(writes),
    },
    data,
  };
}

function decrypt(payload: Payload, { byId }: PayloadKeys, encryptedOnly: boolean): Payload {
  const found = textOf(payload, 'encoding');
  if (found !== encoding) {
    if (encryptedOnly) throw new RatchetError('PAYLOAD_UNENCRYPTED', { encoding: found });
    return payload;
  }
  const keyId = textOf(payload, 'encryption-key-id');
  const key = byId.get(keyId);
  if (key === undefined) throw new RatchetError('PAYLOAD_KEY_UNKNOWN', { keyId, known: [...byId.keys()].join(' ') });
  const data = Buffer.from(payload.data ?? []);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(keyId)).setAuthTag(data.subarray(-tagBytes));
    const plain = Buffer.concat([decipher.update(data.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return message.toObject(message.decode(plain), { defaults: true }) as Payload;
  } catch {
    // The cipher's own words would say nothing more, and must say nothing of the content.
    throw new RatchetError('PAYLOAD_DAMAGED', { keyId });
  }
}

const textOf = ({ metadata }: Payload, name: string): string => Buffer.from(metadata?.[name] ?? []).toString('utf8');
