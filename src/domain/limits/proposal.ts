import { add, type Decimal, decimal, isPositive, multiply, negate, zero } from '../decimal.ts';
import { invariant } from '../invariant.ts';
import type { Side } from '../order.ts';
import { type Known, known, referencePriceOf, unknown } from './known.ts';
import { groupOf, type LimitsRead } from './limits.ts';
import type { Snapshot } from './snapshot.ts';
import { addTo, type Sums } from './sums.ts';
import { worstPrice } from './worst-price.ts';

/** An entry with its numbers, as the controls measure it. */
export type EntryProposal = {
  readonly legs: readonly EntryLeg[];
  /** A stop is to be held at the venue. */
  readonly needsStops: boolean;
  readonly requestedAtMs: number;
  readonly validForMs: number;
};

export type EntryLeg = {
  readonly symbol: string;
  /** Of symbols that are taken to lose together. */
  readonly group: string;
  readonly side: Side;
  /** In the base asset. */
  readonly quantity: Decimal;
  /** Unit gamma x signed quantity. */
  readonly gamma: Decimal;
  readonly cost: Known<LegCost>;
  /**
   * No worse than this; null = a market order, or one whose bound is unknown because there is no price. A market order
   * with a bound on its slippage goes out as a limit.
   */
  readonly limitPrice: Decimal | null;
  /** What the request allows from the last price; null = it bounds none. */
  readonly maxSlippageBps: Decimal | null;
};

/** In the account's currency. */
type LegCost = {
  /** The worst it may fill at: its limit, or the last price where it has none. */
  readonly price: Decimal;
  readonly notional: Decimal;
  /** Unit delta x signed notional. */
  readonly delta: Decimal;
};

/** What is asked for. A request of the public contract is one. */
export type AskedEntry = {
  readonly legs: readonly {
    /** `BASE/QUOTE`. */
    readonly symbol: string;
    readonly side: Side;
    readonly quantity: Decimal;
    readonly unitDelta: Decimal;
    /** Zero when absent, as for spot. */
    readonly unitGamma?: Decimal;
    /** A limit price of its own; the entry's when absent. */
    readonly price?: Decimal;
  }[];
  readonly entry:
    | { readonly type: 'MARKET'; readonly maxSlippageBps?: number }
    | { readonly type: 'LIMIT'; readonly price: Decimal; readonly maxSlippageBps?: number };
  readonly exit?: { readonly protectiveStop?: unknown };
  readonly requestedAtMs: number;
  readonly validForMs: number;
};

/** The entry's numbers at the prices of the snapshot. What has no price stays unknown, and will be denied. */
export const proposeEntry = (asked: AskedEntry, snapshot: Snapshot, limits: LimitsRead): EntryProposal => ({
  legs: asked.legs.map((leg) => proposeLeg(leg, asked.entry, snapshot, limits)),
  needsStops: asked.exit?.protectiveStop !== undefined,
  requestedAtMs: asked.requestedAtMs,
  validForMs: asked.validForMs,
});

/** All legs together, with what they add to each symbol and each group. Unknown when one leg is. */
export type EntryTotals = {
  readonly notional: Decimal;
  readonly delta: Decimal;
  readonly gamma: Decimal;
  readonly deltaBySymbol: Sums;
  readonly notionalBySymbol: Sums;
  readonly notionalByGroup: Sums;
};

export function totalsOf({ legs }: EntryProposal): Known<EntryTotals> {
  let totals = noTotals;
  for (const leg of legs) {
    if (!leg.cost.isKnown) return leg.cost;
    totals = withLeg(totals, leg, leg.cost.value);
  }
  return known(totals);
}

/** Each symbol of the entry once, in the order of its legs. */
export const symbolsOf = ({ legs }: EntryProposal): readonly string[] => [...new Set(legs.map(({ symbol }) => symbol))];

/** Each correlation group of the entry once, in the order of its legs. */
export const groupsOf = ({ legs }: EntryProposal): readonly string[] => [...new Set(legs.map(({ group }) => group))];

type AskedLeg = AskedEntry['legs'][number];

function proposeLeg(leg: AskedLeg, entry: AskedEntry['entry'], snapshot: Snapshot, limits: LimitsRead): EntryLeg {
  invariant(isPositive(leg.quantity), `a leg's quantity is positive, was ${leg.quantity}`);
  const { symbol, side, quantity, unitGamma = zero } = leg;
  const last = referencePriceOf(snapshot, symbol);
  const maxSlippageBps = entry.maxSlippageBps === undefined ? null : decimal(entry.maxSlippageBps.toFixed(6));
  const limitPrice = limitPriceOf(leg, entry, last, maxSlippageBps);
  const price = limitPrice === null ? last : known(limitPrice);
  return {
    symbol,
    group: groupOf(limits, symbol),
    side,
    quantity,
    gamma: multiply(unitGamma, signed(side, quantity)),
    limitPrice,
    maxSlippageBps,
    cost: costOf(leg, price, snapshot.currency),
  };
}

function limitPriceOf(
  { side, price }: AskedLeg,
  entry: AskedEntry['entry'],
  last: Known<Decimal>,
  maxSlippageBps: Decimal | null,
): Decimal | null {
  if (entry.type === 'LIMIT') return price ?? entry.price;
  return maxSlippageBps === null || !last.isKnown ? null : worstPrice(last.value, side, maxSlippageBps);
}

function costOf(
  { symbol, side, quantity, unitDelta }: AskedLeg,
  price: Known<Decimal>,
  currency: string,
): Known<LegCost> {
  if (symbol.split('/')[1] !== currency) return unknown('CURRENCY_MISMATCH', `${symbol} is not quoted in ${currency}`);
  if (!price.isKnown) return price;
  const notional = multiply(price.value, quantity);
  return known({ price: price.value, notional, delta: multiply(unitDelta, signed(side, notional)) });
}

const signed = (side: Side, amount: Decimal): Decimal => (side === 'BUY' ? amount : negate(amount));

/** Of no entry at all: what a control is asked about the book alone. */
export const noTotals: EntryTotals = {
  notional: zero,
  delta: zero,
  gamma: zero,
  deltaBySymbol: {},
  notionalBySymbol: {},
  notionalByGroup: {},
};

const withLeg = (totals: EntryTotals, leg: EntryLeg, cost: LegCost): EntryTotals => ({
  notional: add(totals.notional, cost.notional),
  delta: add(totals.delta, cost.delta),
  gamma: add(totals.gamma, leg.gamma),
  deltaBySymbol: addTo(totals.deltaBySymbol, leg.symbol, cost.delta),
  notionalBySymbol: addTo(totals.notionalBySymbol, leg.symbol, cost.notional),
  notionalByGroup: addTo(totals.notionalByGroup, leg.group, cost.notional),
});
