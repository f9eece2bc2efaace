import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyTree, grow, leafOf, linkOf, origin, rootOf } from '../../src/audit/chain.ts';

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** RFC 6962, section 2.1, word for word: the definition that the compact form must agree with. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256(Buffer.alloc(0));
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.from([0]), only]));
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const halves = [leaves.slice(0, half), leaves.slice(half)].map(rootByDefinition);
  return sha256(Buffer.concat([Buffer.from([1]), ...halves]));
}

// The vectors of Certificate Transparency's reference implementation.
const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const texts = inputs.map((hex) => Buffer.from(hex, 'hex').toString('latin1'));

describe('the Merkle tree', () => {
  test.each(roots.map((root, size) => ({ size, root })))(
    'has the root of RFC 6962 for $size leaves',
    ({ size, root }) => {
      expect(rootOf(grow(emptyTree, texts.slice(0, size).map(leafOf)))).toBe(root);
    },
  );

  test('has the root of the definition, however the leaves come in', () => {
    const texts = fc.array(fc.string({ maxLength: 8 }), { maxLength: 70 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(69), { maxLength: 5 }), (all, cuts) => {
        const edges = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
        let tree = emptyTree;
        for (const [i, edge] of edges.entries()) tree = grow(tree, all.slice(edge, edges[i + 1] ?? edge).map(leafOf));
        expect(rootOf(tree)).toBe(rootByDefinition(all.map((text) => Buffer.from(text))).toString('hex'));
        expect(tree.size).toBe(all.length);
        // As many peaks as ones in the binary form of the size.
        expect(tree.peaks).toHaveLength(all.length.toString(2).replaceAll('0', '').length);
      }),
    );
  });

  test('does not change the tree it grew from', () => {
    const tree = grow(emptyTree, ['a', 'b', 'c'].map(leafOf));
    const before = structuredClone(tree);
    grow(tree, [leafOf('d')]);
    expect(tree).toEqual(before);
  });
});

describe('the chain', () => {
  test('links a record to its number, its predecessor and its text', () => {
    const seq = Buffer.alloc(8);
    seq.writeBigUInt64BE(2n ** 40n + 7n);
    const leaf = sha256(Buffer.from('\0{"a":"é"}'));
    const link = sha256(Buffer.concat([Buffer.from([2]), seq, Buffer.alloc(32), leaf]));
    expect(linkOf(2 ** 40 + 7, origin, leafOf('{"a":"é"}'))).toBe(link.toString('hex'));
  });

  test('any other number, predecessor or text is another link', () => {
    const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
    const place = fc.record({ seq: fc.maxSafeNat(), prev: digest, leaf: digest });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const isSame = a.seq === b.seq && a.prev === b.prev && a.leaf === b.leaf;
        expect(linkOf(a.seq, a.prev, a.leaf) === linkOf(b.seq, b.prev, b.leaf)).toBe(isSame);
      }),
    );
  });
});
