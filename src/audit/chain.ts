import { hash } from 'node:crypto';

/**
 * A SHA-256 digest as 64 lower-case hexadecimal digits. Text, because that is what Node hashes into and compares
 * fastest; bytes only exist inside the functions of this file.
 */
export type Digest = string;

/** What the first record of the chain has for a predecessor. */
export const origin: Digest = '0'.repeat(64);

/** The root of an empty tree (RFC 6962): the hash of nothing. */
const emptyRoot: Digest = hash('sha256', '', 'hex');

/** RFC 6962 leaf of a record: SHA256(0x00 ‖ body). The stored text is hashed, never a form of it that was read and written again. */
export const leafOf = (body: string): Digest => hash('sha256', `\0${body}`, 'hex');

const link = Buffer.alloc(1 + 8 + 32 + 32);
link.writeUInt8(0x02, 0);

/** A record's place in the chain: SHA256(0x02 ‖ seq as 8 bytes, big-endian ‖ prev ‖ leaf). */
export function linkOf(seq: number, prev: Digest, leaf: Digest): Digest {
  link.writeUInt32BE(Math.floor(seq / 2 ** 32), 1);
  link.writeUInt32BE(seq % 2 ** 32, 5);
  link.write(prev, 9, 'hex');
  link.write(leaf, 41, 'hex');
  return hash('sha256', link, 'hex');
}

const node = Buffer.alloc(1 + 32 + 32);
node.writeUInt8(0x01, 0);

/** RFC 6962 interior node: SHA256(0x01 ‖ left ‖ right). */
function nodeOf(left: Digest, right: Digest): Digest {
  node.write(left, 1, 'hex');
  node.write(right, 33, 'hex');
  return hash('sha256', node, 'hex');
}

/**
 * A Merkle tree over `size` leaves, as far as it takes to go on: the roots of its full subtrees, largest first (a
 * compact range). There are as many peaks as ones in the binary form of `size`.
 */
export type Tree = { readonly size: number; readonly peaks: readonly Digest[] };

export const emptyTree: Tree = { size: 0, peaks: [] };

/** The tree with more leaves at its end. */
export function grow({ size, peaks }: Tree, leaves: readonly Digest[]): Tree {
  const grown = [...peaks];
  let count = size;
  for (const leaf of leaves) {
    let peak = leaf;
    // Adding one carries through the ones at the end of the binary form: each is a full subtree of the same height.
    for (let rest = count; rest % 2 === 1; rest = (rest - 1) / 2) peak = nodeOf(grown.pop() ?? '', peak);
    grown.push(peak);
    count += 1;
  }
  return { size: count, peaks: grown };
}

/** RFC 6962 tree head: the peaks joined from the right. */
export function rootOf({ peaks }: Tree): Digest {
  return peaks.length === 0 ? emptyRoot : peaks.reduceRight((right, left) => nodeOf(left, right));
}
