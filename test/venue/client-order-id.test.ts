import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientOrderIdOf, type OrderIdentity } from '../../src/venue/client-order-id.ts';

const identities = fc.record({
  tradeId: fc.string({ minLength: 1, maxLength: 64 }),
  leg: fc.nat(9),
  purpose: fc.constantFrom('entry' as const, 'exit' as const),
  generation: fc.integer({ min: 1, max: 99 }),
});

const same = (a: OrderIdentity, b: OrderIdentity): boolean =>
  a.tradeId === b.tradeId && a.leg === b.leg && a.purpose === b.purpose && a.generation === b.generation;

test('is the same for the same order, always: these ids are on record', () => {
  const order = { tradeId: 'ma-btc-20261121-0007', leg: 0, purpose: 'entry', generation: 1 } as const;
  expect(clientOrderIdOf(order)).toBe('rte-ljrxomcuahsetrvozv3tinkevusd');
  expect(clientOrderIdOf({ ...order, purpose: 'exit', generation: 2 })).toBe('rtx-orb2tjv4efopsm3tgjphgm2y27hh');
});

test('fits what the venue allows, whatever the trade is called', () => {
  fc.assert(
    fc.property(identities, (order) => {
      expect(clientOrderIdOf(order)).toMatch(/^[a-zA-Z0-9-_]{1,36}$/);
    }),
  );
});

test('differs between any two orders', () => {
  fc.assert(
    fc.property(identities, identities, (a, b) => {
      expect(clientOrderIdOf(a) === clientOrderIdOf(b)).toBe(same(a, b));
    }),
  );
});

test('is base32 of the hash: decoding it gives the hash back', () => {
  fc.assert(
    fc.property(identities, (order) => {
      const text = `${order.tradeId}|${order.leg}|${order.purpose}|${order.generation}`;
      const hash = createHash('sha256').update(text).digest();
      const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
      const value = Array.from(clientOrderIdOf(order).slice(4)).reduce(
        (sum, letter) => sum * 32n + BigInt(alphabet.indexOf(letter)),
        0n,
      );
      // 28 letters of 5 bits are the first 140 bits.
      expect(value).toBe(BigInt(`0x${hash.toString('hex')}`) >> 116n);
    }),
  );
});
