import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPayloadCodec } from '../../src/contracts/payloads/payload-codec.ts';
import { parsePayloadKeys } from '../../src/contracts/payloads/payload-keys.ts';

const secrets = { a: randomBytes(32).toString('base64'), b: randomBytes(32).toString('base64') };
const codecWith = (ids: readonly (keyof typeof secrets)[], encryptedOnly = false) => {
  const keys = parsePayloadKeys(ids.map((id) => `${id}:${secrets[id]}`).join(','));
  return createPayloadCodec({ keys, encryptedOnly });
};
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const plainOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload as Payload);
const keyIdOf = (payload: Payload | undefined): string =>
  Buffer.from(payload?.metadata?.['encryption-key-id'] ?? []).toString();

describe('F84: the payload codec', () => {
  test('gives back whatever it was given, its metadata with it', async () => {
    const codec = codecWith(['a']);
    const content = fc.record({
      data: fc.uint8Array({ maxLength: 4_000 }),
      metadata: fc.dictionary(fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), {
        noNullPrototype: true,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 4 }), async (payloads) => {
        const decoded = await codec.decode(await codec.encode(payloads));
        const plain = decoded.map(({ data, metadata }) => ({
          data: [...(data ?? [])],
          metadata: Object.entries(metadata ?? {}).map(([name, bytes]) => [name, ...bytes]),
        }));
        expect(plain).toEqual(
          payloads.map(({ data, metadata }) => ({
            data: [...data],
            metadata: Object.entries(metadata).map(([name, bytes]) => [name, ...bytes]),
          })),
        );
      }),
    );
  });

  test('shows nothing of a value, and never the same bytes twice', async () => {
    const payloads = [payloadOf({ symbol: 'BTC/USDT' }), payloadOf({ symbol: 'BTC/USDT' })];
    const [one, other] = await codecWith(['a']).encode(payloads);
    expect(Buffer.from(one?.data ?? []).includes('BTC')).toBe(false);
    expect(Object.keys(one?.metadata ?? {}).sort()).toEqual(['encoding', 'encryption-cipher', 'encryption-key-id']);
    expect(one?.data).not.toEqual(other?.data);
  });

  test('after a rotation writes with the new key, and reads what the old one wrote', async () => {
    const old = await codecWith(['a']).encode([payloadOf('before')]);
    const rotated = codecWith(['b', 'a']);
    const [fresh] = await rotated.encode([payloadOf('after')]);
    expect([keyIdOf(old[0]), keyIdOf(fresh)]).toEqual(['a', 'b']);
    const decoded = await rotated.decode([...old, fresh as Payload]);
    expect(decoded.map(plainOf)).toEqual(['before', 'after']);
  });

  test('names the key that it lacks', async () => {
    const old = await codecWith(['a']).encode([payloadOf('before')]);
    await expect(codecWith(['b']).decode(old)).rejects.toMatchObject({
      code: 'PAYLOAD_KEY_UNKNOWN',
      context: { keyId: 'a', known: 'b' },
    });
  });

  test('refuses a payload of which any bit was changed, or that names another key, without a word of it', async () => {
    const codec = codecWith(['a', 'b']);
    const [payload] = await codec.encode([payloadOf('canary')]);
    const data = Buffer.from(payload?.data ?? []);
    for (let bit = 0; bit < data.length * 8; bit += 1) {
      const changed = Buffer.from(data);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(codec.decode([{ ...payload, data: changed }])).rejects.toMatchObject({ code: 'PAYLOAD_DAMAGED' });
    }
    const metadata = { ...payload?.metadata, 'encryption-key-id': Buffer.from('b') };
    await expect(codec.decode([{ metadata, data }])).rejects.toThrow(/^PAYLOAD_DAMAGED(?!.*canary)/);
    await expect(codec.decode([{ ...payload, data: data.subarray(0, 5) }])).rejects.toMatchObject({
      code: 'PAYLOAD_DAMAGED',
    });
  });

  test('reads plain payloads from before there were keys, unless only encrypted ones are read', async () => {
    const plain = [payloadOf('old')];
    expect((await codecWith(['a']).decode(plain)).map(plainOf)).toEqual(['old']);
    await expect(codecWith(['a'], true).decode(plain)).rejects.toMatchObject({
      code: 'PAYLOAD_UNENCRYPTED',
      context: { encoding: 'json/plain' },
    });
  });

  test('refuses a payload of more than 2 MB before anything is sent', async () => {
    const codec = codecWith(['a']);
    const most = { metadata: {}, data: new Uint8Array(2 * 1024 * 1024 - 2_048) };
    const [encoded] = await codec.encode([most]);
    expect(encoded?.data?.length).toBeLessThan(2 * 1024 * 1024);
    const more = { metadata: {}, data: new Uint8Array(2 * 1024 * 1024) };
    await expect(codec.encode([more])).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});
