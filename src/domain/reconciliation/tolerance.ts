import { absolute, type Decimal, decimal, isMore, subtract } from '../decimal.ts';

/** How far an amount of each asset, in its own units, may be off before it counts. */
export type Tolerances = {
  /** The account's currency. */
  readonly currency: string;
  readonly byAsset: Readonly<Record<string, Decimal>>;
};

const ofCurrency = decimal('0.01');
const ofOtherAssets = decimal('0.00001');

/** As configured, else 0.01 of the account's currency and 0.00001 of any other asset. */
export const toleranceOf = ({ currency, byAsset }: Tolerances, asset: string): Decimal =>
  byAsset[asset] ?? (asset === currency ? ofCurrency : ofOtherAssets);

/** Whether two amounts differ by more than the tolerance: a difference of exactly so much does not count. */
export const isDifferent = (a: Decimal, b: Decimal, tolerance: Decimal): boolean =>
  isMore(absolute(subtract(a, b)), tolerance);
