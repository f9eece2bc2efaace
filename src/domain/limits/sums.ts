import { add, type Decimal, zero } from '../decimal.ts';

/** Amounts by symbol, by correlation group or by trade. One that is absent is zero. */
export type Sums = Readonly<Record<string, Decimal>>;

// Own keys only: a group may be called `constructor`.
export const amountIn = (sums: Sums, key: string): Decimal =>
  (Object.hasOwn(sums, key) ? sums[key] : undefined) ?? zero;

export const addTo = (sums: Sums, key: string, amount: Decimal): Sums => ({
  ...sums,
  [key]: add(amountIn(sums, key), amount),
});
