import { add, type Decimal, isMore, isPositive, negate, smaller, subtract, sum, zero } from '../decimal.ts';
import type { BalanceDrift, PositionShortage, Share } from './difference.ts';
import { isDifferent, type Tolerances, toleranceOf } from './tolerance.ts';

/** What one of our fills added to the account's balance of an asset, or took from it. */
export type Flow = { readonly asset: string; readonly change: Decimal };

export type Holding = { readonly asset: string; readonly free: Decimal; readonly locked: Decimal };

/** What the book says of the account's balances: before some fills, and those fills in the order of the venue's time. */
export type Expectation = {
  readonly before: Readonly<Record<string, Decimal>>;
  /** Every fill that may or may not have been in the venue's answer yet. */
  readonly recent: readonly Flow[];
};

/** What is left of an open long position, in its base asset. */
export type HeldPosition = {
  readonly tradeId: string;
  readonly leg: number;
  readonly symbol: string;
  readonly asset: string;
  readonly held: Decimal;
};

/**
 * Assets whose balance at the venue our own fills do not explain. The balances were read between fills, nobody knows
 * between which: a balance that fits after any number of the recent fills, in their order, is explained.
 */
export function compareBalances(
  expectation: Expectation,
  balances: readonly Holding[],
  tolerances: Tolerances,
): readonly BalanceDrift[] {
  const actual = totalsOf(balances);
  const assets = new Set([...Object.keys(expectation.before), ...expectation.recent.map(({ asset }) => asset)]);
  for (const asset of actual.keys()) assets.add(asset);
  return [...assets].sort().flatMap((asset): readonly BalanceDrift[] => {
    const amount = actual.get(asset) ?? zero;
    const moments = momentsOf(expectation.before[asset] ?? zero, changesIn(expectation.recent, asset));
    const tolerance = toleranceOf(tolerances, asset);
    if (moments.some((moment) => !isDifferent(amount, moment, tolerance))) return [];
    const expected = moments.at(-1) ?? zero;
    return [{ kind: 'balance', asset, expected, actual: amount, drift: subtract(amount, expected) }];
  });
}

/**
 * Assets of which the open positions hold more than the account has. `positions` are as they are after the recent
 * fills, the oldest first; as with balances, the venue may have answered before any of those fills.
 */
export function comparePositions(
  positions: readonly HeldPosition[],
  recent: readonly Flow[],
  balances: readonly Holding[],
  tolerances: Tolerances,
): readonly PositionShortage[] {
  const actual = totalsOf(balances);
  const assets = [...new Set(positions.map(({ asset }) => asset))].sort();
  return assets.flatMap((asset): readonly PositionShortage[] => {
    const own = positions.filter((position) => position.asset === asset);
    const held = sum(own.map((position) => position.held));
    const amount = actual.get(asset) ?? zero;
    const enough = add(amount, toleranceOf(tolerances, asset));
    const undone = changesIn(recent, asset).map(negate).reverse();
    if (momentsOf(held, undone).some((moment) => !isMore(moment, enough))) return [];
    const shortage = subtract(held, amount);
    return [{ kind: 'position', asset, held, actual: amount, shortage, shares: sharesOf(own, shortage) }];
  });
}

/** Whose quantity is missing can't be known where several trades hold the asset: the oldest first, as accounts do it. */
function sharesOf(positions: readonly HeldPosition[], shortage: Decimal): readonly Share[] {
  let rest = shortage;
  return positions.flatMap(({ tradeId, leg, symbol, held }): readonly Share[] => {
    const quantity = smaller(held, rest);
    if (!isPositive(quantity)) return [];
    rest = subtract(rest, quantity);
    return [{ tradeId, leg, symbol, quantity }];
  });
}

/** The amount before any of the changes, after the first, and so on to the end. */
function momentsOf(start: Decimal, changes: readonly Decimal[]): readonly Decimal[] {
  const moments = [start];
  for (const change of changes) moments.push(add(moments.at(-1) ?? start, change));
  return moments;
}

const changesIn = (flows: readonly Flow[], asset: string): readonly Decimal[] =>
  flows.filter((flow) => flow.asset === asset).map(({ change }) => change);

function totalsOf(balances: readonly Holding[]): ReadonlyMap<string, Decimal> {
  return new Map(balances.map(({ asset, free, locked }) => [asset, add(free, locked)]));
}
