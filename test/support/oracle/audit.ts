import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Chain, StoredRecord } from '../evidence.ts';
import { type Check, verdict } from './check.ts';

// A second verifier, written from the definition of the chain alone: nothing of src/audit is used.

const sha256 = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (body: string): Buffer => sha256(Buffer.from([0]), Buffer.from(body, 'utf8'));
const nodeOf = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.from([1]), left, right);

function linkOf(seq: number, prev: Buffer, leaf: Buffer): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(seq));
  return sha256(Buffer.from([2]), place, prev, leaf);
}

/**
 * The Merkle root (RFC 6962, 2.1) over each first part of the list that is asked for, in one walk: full subtrees of
 * falling height, joined from the right.
 */
function rootsOf(leaves: readonly Buffer[], sizes: ReadonlySet<number>): ReadonlyMap<number, string> {
  const roots = new Map<number, string>();
  const full: { height: number; hash: Buffer }[] = [];
  for (const [i, leaf] of leaves.entries()) {
    let subtree = { height: 0, hash: leaf };
    for (let last = full.at(-1); last?.height === subtree.height; last = full.at(-1)) {
      subtree = { height: subtree.height + 1, hash: nodeOf(last.hash, subtree.hash) };
      full.pop();
    }
    full.push(subtree);
    if (!sizes.has(i + 1)) continue;
    const root = full.map(({ hash }) => hash).reduceRight((right, left) => nodeOf(left, right));
    roots.set(i + 1, root.toString('base64'));
  }
  return roots;
}

/**
 * Audit chain, Merkle roots and signatures verify; acked ⊆ stored; `seq` contiguous; checkpoint(n) consistent with
 * checkpoint(m) for m < n: each is a root over the first records of the one log that is stored.
 */
export const I6: Check = ({ chain }) => {
  const sealed = chain.records.filter(isSealed).sort((a, b) => a.seq - b.seq);
  const leaves = sealed.map(({ body }) => leafOf(body));
  const notes = [...new Set([...chain.checkpoints.map(({ note }) => note), ...(chain.notes ?? [])])];
  const roots = rootsOf(leaves, new Set(notes.map((note) => Number(note.split('\n')[1]))));
  return verdict(
    sealed.length + notes.length,
    linkFaults(sealed, leaves),
    headFaults(chain, sealed),
    notes.flatMap((note) => noteFaults(note, sealed, roots, chain.publicKey)),
    chain.checkpoints.flatMap(({ size, note }) =>
      note.split('\n')[1] === String(size)
        ? []
        : [`the checkpoint of ${size} records has a note of ${note.split('\n')[1]}`],
    ),
    keptFaults(chain),
  );
};

type Sealed = StoredRecord & {
  readonly seq: number;
  readonly prev: string;
  readonly leaf: string;
  readonly hash: string;
};

const isSealed = (record: StoredRecord): record is Sealed => record.seq !== null;

function linkFaults(sealed: readonly Sealed[], leaves: readonly Buffer[]): readonly string[] {
  let prev: Buffer = Buffer.alloc(32);
  return sealed.flatMap((record, i) => {
    const leaf = leaves[i] ?? Buffer.alloc(0);
    const hash = linkOf(i + 1, prev, leaf);
    const faults = [
      ...(record.seq === i + 1 ? [] : [`record ${i + 1} is numbered ${record.seq}`]),
      ...(record.leaf === leaf.toString('hex') ? [] : [`record ${record.seq} has another content than its leaf`]),
      ...(record.prev === prev.toString('hex') && record.hash === hash.toString('hex')
        ? []
        : [`record ${record.seq} does not follow the one before`]),
    ];
    prev = hash;
    return faults;
  });
}

function headFaults({ head }: Chain, sealed: readonly Sealed[]): readonly string[] {
  const last = sealed.at(-1);
  if (head.seq === (last?.seq ?? 0) && (last === undefined || head.hash === last.hash)) return [];
  return [`the head is at ${head.seq}, the last record at ${last?.seq ?? 0}`];
}

function noteFaults(
  note: string,
  sealed: readonly Sealed[],
  roots: ReadonlyMap<number, string>,
  publicKey: string | null,
): readonly string[] {
  const [, size = '', root = '', chain = ''] = note.split('\n');
  const count = Number(size);
  const what = `checkpoint ${size}`;
  if (!Number.isSafeInteger(count) || count < 1) return [`a checkpoint can not be read: ${size}`];
  if (count > sealed.length) return [`${what} covers records that are not there: the log ends at ${sealed.length}`];
  const isRoot = root === roots.get(count);
  const isLast = chain === `chain=${Buffer.from(sealed[count - 1]?.hash ?? '', 'hex').toString('base64')}`;
  return [
    ...(isRoot ? [] : [`${what} has another root than its records`]),
    ...(isLast ? [] : [`${what} has another last hash than its records`]),
    ...(publicKey === null || isSigned(note, publicKey) ? [] : [`${what} is not signed by the log's key`]),
  ];
}

/** C2SP signed note: the text up to the blank line, and behind it `— name base64(4 bytes of key id ‖ signature)`. */
function isSigned(note: string, publicKey: string): boolean {
  // The key in base64 may contain the sign that separates the three parts.
  const [name = '', , ...encoded] = publicKey.trim().split('+');
  const key = ed25519(Buffer.from(encoded.join('+'), 'base64').subarray(1));
  const end = note.indexOf('\n\n') + 1;
  const body = Buffer.from(note.slice(0, end), 'utf8');
  return note
    .slice(end + 1)
    .split('\n')
    .filter((line) => line.startsWith(`— ${name} `))
    .some((line) => verify(null, body, key, Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4)));
}

const ed25519 = (raw: Buffer): KeyObject =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });

/** What the database confirms is kept outside too: the file has it first. */
function keptFaults({ checkpoints, notes }: Chain): readonly string[] {
  if (notes === null) return [];
  const kept = new Set(notes);
  return checkpoints
    .filter(({ note }) => !kept.has(note))
    .map(({ size }) => `checkpoint ${size} is in the database and in no file`);
}
