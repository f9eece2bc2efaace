import {
  compare,
  type Decimal,
  decimal,
  divide,
  type EntryRequest,
  isLess,
  type MarketView,
  multiply,
  roundToStep,
  subtract,
} from '../client/index.ts';

/** What the strategy looks at. `recent` are the last prices, at least one. */
export type Sight = {
  readonly market: MarketView;
  readonly recent: readonly Decimal[];
  /** In the quote asset. */
  readonly equity: Decimal;
};

export type Ticket = {
  readonly tradeId: string;
  readonly account: string;
  readonly venue: string;
  readonly timeStopMs: number;
  readonly nowMs: number;
};

/** A name of its own, by which the bot finds its open trades again after a restart. */
export const strategyName = 'example';

const hundred = decimal('100');
const sharePercent = decimal('5');
const trailOfRange = decimal('0.75');
const stopOfTrail = decimal('3');
const trailPercentMin = decimal('0.02');
const trailPercentMax = decimal('1');
const trailStep = decimal('0.0001');

/**
 * One small long position, for show: it has no opinion on the market. The trailing stop follows at three quarters of
 * the range of the recent prices, so that it suits slow prices and fast ones, and the stop loss stands at three times
 * that. Undefined when a twentieth of the equity is less than the venue trades.
 */
export function planTrade({ market, recent, equity }: Sight, ticket: Ticket): EntryRequest | undefined {
  const last = recent.at(-1) ?? decimal('0');
  const quantity = roundToStep(
    divide(multiply(equity, sharePercent), multiply(last, hundred)),
    market.stepSize,
    'floor',
  );
  if (isTooSmall(market, quantity, last)) return undefined;
  const trail = trailPercent(recent);
  const stopPercent = subtract(hundred, multiply(trail, stopOfTrail));
  const stop = roundToStep(divide(multiply(last, stopPercent), hundred), market.tickSize, 'floor');
  return {
    tradeId: ticket.tradeId,
    account: ticket.account,
    strategy: strategyName,
    venue: ticket.venue,
    legs: [{ symbol: market.symbol, side: 'BUY', quantity, unitDelta: decimal('1') }],
    entry: { type: 'MARKET', maxSlippageBps: 100 },
    exit: {
      stopLoss: { price: stop },
      trailingStop: { by: 'percent', distance: trail, trigger: 'last' },
      timeStopMs: ticket.timeStopMs,
    },
    requestedAtMs: ticket.nowMs,
    validForMs: 10_000,
    reason: 'it is the turn of the next trade',
  };
}

/** `bot-btc-usdt-20261121140302-7`: unique over restarts, which start counting anew. */
export function tradeIdOf(symbol: string, startedAtMs: number, n: number): string {
  const stamp = new Date(startedAtMs).toISOString().replace(/\D/g, '').slice(0, 14);
  return `bot-${symbol.toLowerCase().replace('/', '-')}-${stamp}-${n}`;
}

const isTooSmall = ({ quantityMin, notionalMin }: MarketView, quantity: Decimal, price: Decimal): boolean =>
  quantity === '0' ||
  (quantityMin !== null && isLess(quantity, quantityMin)) ||
  (notionalMin !== null && isLess(multiply(quantity, price), notionalMin));

function trailPercent(recent: readonly Decimal[]): Decimal {
  const sorted = recent.toSorted(compare);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined) return trailPercentMin;
  const range = divide(multiply(subtract(high, low), hundred), high);
  const trail = roundToStep(multiply(range, trailOfRange), trailStep, 'half-up');
  if (isLess(trail, trailPercentMin)) return trailPercentMin;
  return isLess(trailPercentMax, trail) ? trailPercentMax : trail;
}
