import { verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePublicKey, encodePublicKey, readCheckpoint, signCheckpoint } from '../../src/audit/checkpoint.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import { aKey } from './fixtures.ts';

const key = aKey();
const publicKey = publicKeyOf(key);
const checkpoint = { origin: key.name, size: 42, root: 'ab'.repeat(32), chain: 'cd'.repeat(32) };
const note = signCheckpoint(checkpoint, key);

describe('a checkpoint', () => {
  test('is a signed note with origin, size, root and the chain as an extension line', () => {
    const root = Buffer.from(checkpoint.root, 'hex').toString('base64');
    const chain = Buffer.from(checkpoint.chain, 'hex').toString('base64');
    expect(note.slice(0, note.indexOf('—'))).toBe(`ratchet/audit\n42\n${root}\nchain=${chain}\n\n`);
    expect(note).toMatch(/\n— ratchet\/audit [A-Za-z0-9+/]+=*\n$/);
  });

  test('is read back as it was signed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.stringMatching(/^[0-9a-f]{64}$/), (size, digest) => {
        const signed = { ...checkpoint, size, root: digest };
        expect(readCheckpoint(signCheckpoint(signed, key), publicKey)).toEqual({
          outcome: 'trusted',
          checkpoint: signed,
        });
      }),
    );
  });

  test('is not trusted, or not even read, once any of its characters is another', () => {
    for (let i = 0; i < note.length; i++) {
      for (const other of ['0', 'A', 'B', ' ', '\n', '—']) {
        if (note[i] === other) continue;
        const forged = note.slice(0, i) + other + note.slice(i + 1);
        expect(readCheckpoint(forged, publicKey).outcome, `${i}: ${JSON.stringify(other)}`).not.toBe('trusted');
      }
    }
  });

  test('is not trusted with its signature written in another way that has the same bytes', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const same = note.replace(/(.)=\n$/, (_, last: string) => `${alphabet[alphabet.indexOf(last) + 1]}=\n`);
    const bytesIn = (text: string) => Buffer.from(text.trim().split(' ').at(-1) ?? '', 'base64');
    expect(same).not.toBe(note);
    expect(bytesIn(same)).toEqual(bytesIn(note));
    expect(readCheckpoint(same, publicKey).outcome).toBe('untrusted');
  });

  test.each([
    { name: 'cut off', text: note.slice(0, -1) },
    { name: 'with something before it', text: `\n${note}` },
    { name: 'with something after it', text: `${note}\n` },
    { name: 'without its chain', text: note.replace(/chain=.*\n/, '') },
    { name: 'empty', text: '' },
  ])('$name is unreadable', ({ text }) => {
    expect(readCheckpoint(text, publicKey).outcome).toBe('unreadable');
  });

  test('of another key is not trusted, even under the same name', () => {
    expect(readCheckpoint(note, publicKeyOf(aKey()))).toMatchObject({ outcome: 'untrusted', checkpoint });
  });

  test('may carry signatures of witnesses beside ours', () => {
    const witness = signCheckpoint(checkpoint, aKey('witness.example')).split('\n\n')[1] ?? '';
    expect(readCheckpoint(note + witness, publicKey).outcome).toBe('trusted');
    expect(readCheckpoint(note.replace(/— .*\n$/, '') + witness, publicKey).outcome).toBe('untrusted');
  });
});

describe('a public key', () => {
  // The example of the signed-note format itself: key, text and signature.
  const published = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const signature = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=';

  test('has the form and the hash that the format prescribes', () => {
    const decoded = decodePublicKey(published);
    expect(decoded?.name).toBe('PeterNeumann');
    expect(decoded && encodePublicKey(decoded)).toBe(published);
    const bytes = Buffer.from(signature, 'base64');
    expect(bytes.subarray(0, 4).toString('hex')).toBe('c74f20a3');
    expect(decoded && verify(null, Buffer.from(text), decoded.key, bytes.subarray(4))).toBe(true);
  });

  test('is read back as it was written', () => {
    const decoded = decodePublicKey(`${encodePublicKey(publicKey)}\n`);
    expect(decoded?.name).toBe(publicKey.name);
    expect(decoded?.key.equals(publicKey.key)).toBe(true);
  });

  test.each([
    { name: 'another hash', line: published.replace('c74f20a3', 'c74f20a4') },
    { name: 'another algorithm', line: published.replace('+AR', '+BR') },
    { name: 'too few bytes', line: published.slice(0, -4) },
    { name: 'nothing', line: '' },
  ])('with $name is none', ({ line }) => {
    expect(decodePublicKey(line)).toBeUndefined();
  });
});
