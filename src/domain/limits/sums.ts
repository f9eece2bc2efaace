import { add, type Decimal, sum, zero } from '../decimal.ts';

/** Amounts by symbol, by correlation group or by trade. One that is absent is zero. */
export type Sums = Readonly<Record<string, Decimal>>;

// Own keys only: a group may be called `constructor`.
export const amountIn = (sums: Sums, key: string): Decimal =>
  (Object.hasOwn(sums, key) ? sums[key] : undefined) ?? zero;

export const addTo = (sums: Sums, key: string, amount: Decimal): Sums => ({
  ...sums,
  [key]: add(amountIn(sums, key), amount),
});

/** The amounts of many things, added up by key. Takes each thing once: a book may hold thousands. */
export function sumsBy<T>(things: readonly T[], keyOf: (thing: T) => string, amountOf: (thing: T) => Decimal): Sums {
  const amounts = new Map<string, Decimal[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const amount = amountOf(thing);
    const others = amounts.get(key);
    if (others === undefined) amounts.set(key, [amount]);
    else others.push(amount);
  }
  return Object.fromEntries([...amounts].map(([key, parts]) => [key, sum(parts)]));
}
