import { add, type Decimal, isZero, multiply, zero } from './decimal.ts';

export type EquityReadout =
  | { readonly ok: true; readonly amount: Decimal }
  | { readonly ok: false; readonly fault: string };

/**
 * The account's worth in one currency: each balance, free and locked, at the last price of `ASSET/CURRENCY`. One asset
 * that can't be converted leaves the whole unknown, because a guess would loosen every limit that is a share of it.
 */
export function equityOf(
  balances: readonly { readonly asset: string; readonly free: Decimal; readonly locked: Decimal }[],
  currency: string,
  priceOf: (symbol: string) => Decimal | null,
): EquityReadout {
  let amount = zero;
  for (const { asset, free, locked } of balances) {
    const held = add(free, locked);
    if (isZero(held)) continue;
    const price = asset === currency ? null : priceOf(`${asset}/${currency}`);
    if (asset !== currency && price === null)
      return { ok: false, fault: `no price of ${asset}/${currency} for ${held} ${asset}` };
    amount = add(amount, price === null ? held : multiply(held, price));
  }
  return { ok: true, amount };
}
