import type { OrdersPlan, SwarmTrade } from './orders-plan.ts';

const lists = ['faults', 'exitFaults', 'strikes', 'steps'] as const;

/** One thing that a plan can do without: a rate, a trade, or what befalls a trade. */
export type OrdersPart = {
  readonly of: 'rates' | 'trades' | 'skew' | (typeof lists)[number];
  readonly trade: number;
  readonly index: number;
};

export function partsOf(plan: OrdersPlan): readonly OrdersPart[] {
  const part = (of: OrdersPart['of'], trade: number) => (_: unknown, index: number) => ({ of, trade, index });
  return [
    ...plan.rates.map(part('rates', -1)),
    ...(plan.skewMs === 0 ? [] : [{ of: 'skew', trade: -1, index: 0 } as const]),
    ...plan.trades.map((_, trade) => ({ of: 'trades', trade, index: 0 }) as const),
    ...plan.trades.flatMap((each, trade) => lists.flatMap((of) => each[of].map(part(of, trade)))),
  ];
}

/** The plan with these parts alone. */
export function planOf(plan: OrdersPlan, kept: readonly OrdersPart[]): OrdersPlan {
  const has = (of: OrdersPart['of'], trade: number, index: number): boolean =>
    kept.some((part) => part.of === of && part.trade === trade && part.index === index);
  const trades = plan.trades.map((each, trade): SwarmTrade => {
    const listOf = <Value>(of: (typeof lists)[number], values: readonly Value[]) =>
      values.filter((_, index) => has(of, trade, index));
    return {
      ...each,
      faults: listOf('faults', each.faults),
      exitFaults: listOf('exitFaults', each.exitFaults),
      strikes: listOf('strikes', each.strikes),
      steps: listOf('steps', each.steps),
    };
  });
  return {
    ...plan,
    skewMs: has('skew', -1, 0) ? plan.skewMs : 0,
    rates: plan.rates.filter((_, index) => has('rates', -1, index)),
    trades: trades.filter((_, trade) => has('trades', trade, 0)),
  };
}
