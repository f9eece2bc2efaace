import { createArmedSet } from '../../src/domain/armed-set.ts';
import { type Decimal, decimal, one } from '../../src/domain/decimal.ts';
import { priceJumpMaxPercentDefault } from '../../src/domain/price-sanity.ts';
import { openTrailingStop, stepTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import { createSymbolEyes } from '../../src/prices/symbol-eyes.ts';
import { createSymbolFeed, noCounts } from '../../src/prices/symbol-feed.ts';
import { systemClock } from '../../src/venue/clock.ts';
import type { MarketTrade } from '../../src/venue/venue.ts';
import type { Figure } from './statistics.ts';

const rules: TrailingStopRules = {
  side: 'long',
  by: 'percent',
  distance: decimal('5'),
  activationPrice: null,
  tickSize: decimal('0.01'),
  minimumMovePercent: null,
  extremeFrom: 'activation',
};

/** Prices that move up and down between the stop and the best price: nothing happens at them. */
const quietPrices: readonly Decimal[] = Array.from({ length: 1_000 }, (_, index) =>
  decimal((98 + (index % 150) / 100).toFixed(2)),
);

/** Nanoseconds a call, the best of several rounds: whatever else runs on the machine only ever adds to it. */
function nanoseconds(rounds: number, calls: number, work: (index: number) => void): number {
  const samples = Array.from({ length: rounds }, () => {
    const startedAt = process.hrtime.bigint();
    for (let index = 0; index < calls; index += 1) work(index);
    return Number(process.hrtime.bigint() - startedAt) / calls;
  });
  return Math.min(...samples);
}

function quietStep(): Figure {
  const stop = openTrailingStop(rules, decimal('100'));
  const calls = 200_000;
  const each = nanoseconds(9, calls, (index) => stepTrailingStop(rules, stop, quietPrices[index % 1_000] as Decimal));
  const perSecond = 1e9 / each;
  return {
    name: 'trailing steps a second a core, quiet price',
    goal: '>= 1 M',
    measured: `${(perSecond / 1e6).toFixed(1)} M`,
    n: 9 * calls,
    isMet: perSecond >= 1e6,
  };
}

function movingStep(): Figure {
  const calls = 20_000;
  const prices = Array.from({ length: calls }, (_, index) => decimal((100 + index / 100).toFixed(2)));
  let stop = openTrailingStop(rules, decimal('100'));
  const each = nanoseconds(5, calls, (index) => {
    if (index === 0) stop = openTrailingStop(rules, decimal('100'));
    stop = stepTrailingStop(rules, stop, prices[index] as Decimal).stop;
  });
  return {
    name: 'trailing steps a second a core, each at a new extreme',
    goal: 'reported',
    measured: `${(1e9 / each / 1e3).toFixed(0)} k`,
    n: 5 * calls,
    isMet: null,
  };
}

function armedStops(count: number): ReturnType<typeof createArmedSet> {
  const set = createArmedSet();
  for (let index = 0; index < count; index += 1) {
    set.arm(`${index}`, { kind: 'trailingStop', terms: rules, state: openTrailingStop(rules, decimal('100')) });
  }
  return set;
}

function quietTick(count: number): number {
  const set = armedStops(count);
  return nanoseconds(9, 100_000, (index) => set.onPrice(quietPrices[index % 1_000] as Decimal));
}

function quietTicks(): Figure {
  const [one = 0, thousand = 0, hundredThousand = 0] = [1, 1_000, 100_000].map(quietTick);
  return {
    name: 'a tick that crosses nothing and moves no extreme, with 1 / 1,000 / 100,000 armed stops on the symbol',
    goal: 'flat, < 1 us',
    measured: [one, thousand, hundredThousand].map((each) => `${each.toFixed(0)} ns`).join(' / '),
    n: 3 * 900_000,
    isMet: hundredThousand < 1_000 && hundredThousand < one * 2,
  };
}

const symbol = 'BTC/USDT';

/** One quiet trade after the other, told to whoever takes them. */
function tradesTold(take: (trade: MarketTrade) => void): number {
  let id = 0;
  return nanoseconds(9, 100_000, (index) => {
    id += 1;
    const price = quietPrices[index % 1_000] as Decimal;
    take({ symbol, venueTradeId: id, price, quantity: one, tradedAtMs: id });
  });
}

function armedEyes(): ReturnType<typeof createSymbolEyes> {
  const eyes = createSymbolEyes();
  const guard = { kind: 'trailingStop', terms: rules, state: openTrailingStop(rules, decimal('100')) } as const;
  for (let index = 0; index < 1_000; index += 1) eyes.arm(`${index}`, guard, 0);
  return eyes;
}

/** The same through what the watch does with a trade, and through everything that a trade of the stream passes before. */
function watchTicks(): readonly Figure[] {
  const alone = armedEyes();
  const eyes = armedEyes();
  const feed = createSymbolFeed({
    symbol,
    venue: { marketTrades: async () => [] },
    clock: systemClock,
    counts: { ...noCounts },
    onEvent: () => undefined,
    retryMs: 1_000,
    jumpMaxPercent: priceJumpMaxPercentDefault,
  });
  feed.watch((trade) => void eyes.onTrade(trade), null);
  const ways: readonly [string, number][] = [
    ['the eyes on the symbol (order of trades, gaps)', tradesTold((trade) => alone.onTrade(trade))],
    ['the feed and the eyes (how far it jumps, order, gaps, watchers)', tradesTold((trade) => feed.receive(trade))],
  ];
  feed.close();
  return ways.map(([way, each]) => ({
    name: `the same through ${way}, 1,000 armed stops`,
    goal: '< 1 us',
    measured: `${each.toFixed(0)} ns`,
    n: 900_000,
    isMet: each < 1_000,
  }));
}

/** What needs no server: the pure steps, as the watch runs them. */
export const pureFigures = (): readonly Figure[] => [quietStep(), movingStep(), quietTicks(), ...watchTicks()];
