import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Digest } from './chain.ts';

/** What a checkpoint claims about the log: this many records, this Merkle root, and this hash of the last record. */
export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  readonly root: Digest;
  readonly chain: Digest;
};

/** An Ed25519 key under the name that its signatures carry (C2SP signed-note). The name has no blanks and no `+`. */
export type PublicKey = { readonly name: string; readonly key: KeyObject };
export type SigningKey = { readonly name: string; readonly key: KeyObject };

/**
 * The checkpoint as a C2SP signed note (tlog-checkpoint) with the extension line `chain=`: a text that stands for
 * itself, wherever it is kept.
 */
export function signCheckpoint(checkpoint: Checkpoint, { name, key }: SigningKey): string {
  const body = bodyOf(checkpoint);
  const signature = sign(null, Buffer.from(body), key);
  const signed = Buffer.concat([keyHash({ name, key: createPublicKey(key) }), signature]);
  return `${body}\n— ${name} ${signed.toString('base64')}\n`;
}

export type ReadNote =
  | { readonly outcome: 'trusted'; readonly checkpoint: Checkpoint }
  /** It says something, but not in the name of this key. */
  | { readonly outcome: 'untrusted'; readonly checkpoint: Checkpoint; readonly problem: string }
  | { readonly outcome: 'unreadable'; readonly problem: string };

/** Reads a note and checks its signature. Signatures of other keys are ignored, as witnesses may add theirs. */
export function readCheckpoint(note: string, publicKey: PublicKey): ReadNote {
  const parts = notePattern.exec(note);
  if (parts?.groups === undefined)
    return { outcome: 'unreadable', problem: 'it has not the form of a signed checkpoint' };
  const { body = '', origin = '', size = '', root = '', chain = '', signatures = '' } = parts.groups;
  const checkpoint = { origin, size: Number(size), root: hexOf(root), chain: hexOf(chain) };
  // One form only: bytes that say the same in another way would be another text under the same claim.
  if (bodyOf(checkpoint) !== body) return { outcome: 'unreadable', problem: 'its numbers are not in their one form' };

  const id = keyHash(publicKey);
  const ours = signatures
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, name]) => name === publicKey.name)
    .map(([, , value = '']) => bytesOf(value))
    .filter((signed) => signed?.subarray(0, 4).equals(id));
  if (ours.length === 0) return { outcome: 'untrusted', checkpoint, problem: `it is not signed by ${publicKey.name}` };
  const isGenuine = ours.some(
    (signed) => signed !== undefined && verify(null, Buffer.from(body), publicKey.key, signed.subarray(4)),
  );
  return isGenuine
    ? { outcome: 'trusted', checkpoint }
    : { outcome: 'untrusted', checkpoint, problem: `its signature by ${publicKey.name} is wrong` };
}

/** The public key as one line for keeping and handing on, in the form of C2SP verifier keys: `name+hash+key`. */
export function encodePublicKey(publicKey: PublicKey): string {
  const encoded = Buffer.concat([algorithm, rawOf(publicKey.key)]).toString('base64');
  return `${publicKey.name}+${keyHash(publicKey).toString('hex')}+${encoded}`;
}

/** Reads a public key from its line, or undefined if it is none. */
export function decodePublicKey(line: string): PublicKey | undefined {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line.trim()) ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const bytes = bytesOf(encoded);
  if (bytes?.length !== 33 || !bytes.subarray(0, 1).equals(algorithm)) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, bytes.subarray(1)]), format: 'der', type: 'spki' });
  return keyHash({ name, key }).toString('hex') === id ? { name, key } : undefined;
}

const notePattern =
  /^(?<body>(?<origin>\S+)\n(?<size>0|[1-9]\d{0,15})\n(?<root>[A-Za-z0-9+/]{43}=)\nchain=(?<chain>[A-Za-z0-9+/]{43}=)\n)\n(?<signatures>(?:— \S+ [A-Za-z0-9+/]+=*\n)+)$/;

const bodyOf = ({ origin, size, root, chain }: Checkpoint): string =>
  `${origin}\n${size}\n${base64Of(root)}\nchain=${base64Of(chain)}\n`;

const base64Of = (digest: Digest): string => Buffer.from(digest, 'hex').toString('base64');

/** The bytes of a base64 text in its one form: the last character has bits to spare, which others could set. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const hexOf = (text: string): Digest => Buffer.from(text, 'base64').toString('hex');

/** Ed25519, as signed notes number their algorithms. */
const algorithm = Buffer.from([0x01]);
/** What DER puts before the 32 bytes of an Ed25519 public key (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

const rawOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length);

function keyHash({ name, key }: PublicKey): Buffer {
  return createHash('sha256').update(`${name}\n`).update(algorithm).update(rawOf(key)).digest().subarray(0, 4);
}
