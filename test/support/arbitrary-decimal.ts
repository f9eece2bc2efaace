import fc from 'fast-check';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';

/** A decimal as a whole number of units of 10^-scale: what tests calculate with, apart from the product's own way. */
export type Scaled = { readonly units: bigint; readonly scale: number };

export const textOf = ({ units, scale }: Scaled): string => {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
};

export const decimalOfScaled = (scaled: Scaled): Decimal => decimal(textOf(scaled));

/** Numbers of every size a venue can send, negative ones and zero included. */
export const anyScaled = (min = -(10n ** 24n), max = 10n ** 24n): fc.Arbitrary<Scaled> =>
  fc.record({
    units: fc.oneof(fc.bigInt({ min, max }), fc.bigInt({ min: min < 0n ? -99n : min, max: 99n })),
    scale: fc.integer({ min: 0, max: 18 }),
  });

/** A price near 100 in cents, so that prices often meet each other, stops and targets exactly. */
export const centPrice = (min = 9_000, max = 11_000): fc.Arbitrary<Decimal> =>
  fc.integer({ min, max }).map((cents) => decimalOfScaled({ units: BigInt(cents), scale: 2 }));
