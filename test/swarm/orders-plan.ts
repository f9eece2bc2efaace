import type { UnresolvedPolicy } from '../../activities/dependencies.ts';
import type { EntryTerms } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { ActivityName } from '../support/order-bench/run-activity.ts';
import type { Strike } from '../support/order-bench/stage.ts';
import { type Dice, diceOf } from './dice.ts';
import { drawRates, oneFault } from './orders-faults.ts';

/** What the market, the venue or the account's owner does while a trade waits. Prices as text. */
export type SwarmStep =
  | { readonly does: 'tick'; readonly price: string; readonly quantity?: string }
  | { readonly does: 'control'; readonly command: string; readonly body: object };

export type SwarmTrade = {
  readonly entry: EntryTerms;
  readonly quantity: string;
  readonly validForMs: number;
  readonly faults: readonly FaultRule[];
  readonly exitFaults: readonly FaultRule[];
  readonly strikes: readonly Strike[];
  readonly steps: readonly SwarmStep[];
  /** How much the book has at its one price when the position is sold; without it, more than enough. */
  readonly depth?: string;
  /** Whether its stop is placed at the venue before. */
  readonly protects?: boolean;
  /** Whether it is closed while the faults are on; else once they are off. */
  readonly exits: boolean;
  readonly pauseMs: number;
};

/** All that a seed of the order path does. It is JSON: a plan that failed is kept and played again. */
export type OrdersPlan = {
  readonly layer: 'orders';
  readonly seed: number;
  readonly unresolved: UnresolvedPolicy;
  readonly skewMs: number;
  /** Whether the account has less quote than some orders cost. */
  readonly isShort: boolean;
  /** Planned over the whole phase with faults, each with its rate. */
  readonly rates: readonly FaultRule[];
  readonly trades: readonly SwarmTrade[];
};

/** Draws which faults there are, how often each strikes, and the trades. One seed in ten has one fault and no more. */
export function drawOrders(seed: number, trades = 6): OrdersPlan {
  const dice = diceOf(seed);
  const isPlain = dice.chance(0.1);
  const plan: OrdersPlan = {
    layer: 'orders',
    seed,
    unresolved: dice.pick(['park', 'resend']),
    skewMs: isPlain || dice.chance(0.8) ? 0 : dice.between(-10_000, 10_000),
    isShort: !isPlain && dice.chance(0.1),
    rates: isPlain ? [] : drawRates(dice),
    trades: Array.from({ length: trades }, () => drawTrade(dice, isPlain)),
  };
  return isPlain ? withOneFault(plan, dice) : plan;
}

function drawTrade(dice: Dice, isPlain: boolean): SwarmTrade {
  const order = dice.pick(kinds)(dice);
  return {
    ...order,
    validForMs: dice.pick([10_000, 60_000, 300_000]),
    faults: isPlain || dice.chance(0.5) ? [] : [oneFault(dice)],
    exitFaults: isPlain || dice.chance(0.7) ? [] : [oneFault(dice)],
    strikes: isPlain ? [] : drawStrikes(dice, dice.chance(0.5) ? 0 : dice.between(1, 5)),
    steps: isPlain ? [] : drawSteps(dice),
    ...(dice.chance(0.7) && { depth: partOf(order.quantity, dice.between(2, 12)) }),
    ...(dice.chance(0.3) && { protects: true }),
    exits: isPlain || dice.chance(0.85),
    pauseMs: dice.pick([0, 0, 500, 5_000, 30_000]),
  };
}

// The market is 100 both ways to a cent, fifty deep at each price: seventy are more than an IOC gets.
const kinds: readonly ((dice: Dice) => Pick<SwarmTrade, 'entry' | 'quantity'>)[] = [
  (dice) => ({ entry: { type: 'MARKET' }, quantity: quantityOf(dice) }),
  (dice) => ({ entry: { type: 'LIMIT', price: decimal('101'), timeInForce: 'GTC' }, quantity: quantityOf(dice) }),
  (dice) => ({ entry: { type: 'LIMIT', price: decimal('100'), timeInForce: 'IOC' }, quantity: dice.pick(['1', '70']) }),
  (dice) => ({
    entry: {
      type: 'LIMIT',
      price: decimal('99'),
      timeInForce: 'GTC',
      expireAfterMs: dice.pick([1_000, 5_000, 20_000]),
    },
    quantity: quantityOf(dice),
  }),
];

/** So that it takes as many orders to sell it, as far as the venue sells so little at once. */
const partOf = (quantity: string, parts: number): string => Math.max(0.06, Number(quantity) / parts).toFixed(3);

const quantityOf = (dice: Dice): string => dice.pick(['0.1', '0.5', '1', '1.234', '3']);

const activities: readonly ActivityName[] = [
  ...(['checkLimits', 'placeOrder', 'placeOrder', 'placeOrder', 'findOrder', 'findOrder', 'cancelOrder'] as const),
  ...(['requestExit', 'planExit', 'settleTrade', 'collectFills', 'planProtection'] as const),
];

function drawStrikes(dice: Dice, count: number): readonly Strike[] {
  return Array.from({ length: count }, () => ({
    activity: dice.pick(activities),
    call: dice.between(1, 4),
    point: dice.between(0, 40),
    kind: dice.pick(['crash', 'fail', 'pause'] as const),
  }));
}

const external = (order: object): SwarmStep => ({
  does: 'control',
  command: 'external',
  body: { type: 'order', order: { symbol: 'BTCUSDT', ...order } },
});

export const rulesOf = (rules: object): SwarmStep => ({
  does: 'control',
  command: 'symbol',
  body: { symbol: 'BTC/USDT', rules },
});

function drawSteps(dice: Dice): readonly SwarmStep[] {
  return Array.from({ length: dice.between(0, 4) }, () => dice.pick(stepKinds)(dice)).flat();
}

const ticks = (count: number, price = '100'): readonly SwarmStep[] =>
  Array.from({ length: count }, () => ({ does: 'tick', price }));

const stepKinds: readonly ((dice: Dice) => readonly SwarmStep[])[] = [
  // A stop at 98.5 goes off.
  () => [{ does: 'tick', price: '98.4' }],
  // A rest at 99 fills in part, or whole.
  (dice) => [{ does: 'tick', price: '98.99', quantity: dice.pick(['0.3', '0.4', '2']) }],
  (dice) => ticks(dice.between(1, 3), dice.pick(['99.5', '100', '100.5', '101'])),
  (dice) => [rulesOf({ levelQuantity: dice.pick(['0.1', '1', '50']) })],
  (dice) => [rulesOf({ status: 'HALT' }), ...ticks(dice.between(0, 5)), rulesOf({ status: 'TRADING' })],
  (dice) => [rulesOf({ tickSize: dice.pick(['0.01', '0.05']) })],
  () => [external({ side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: '90', quantity: '0.2' })],
];

/** The same trades, with one fault or one strike at one of them. */
function withOneFault(plan: OrdersPlan, dice: Dice): OrdersPlan {
  const struck = dice.below(plan.trades.length);
  const fault = dice.chance(0.5) ? { faults: [oneFault(dice)] } : { strikes: drawStrikes(dice, 1) };
  return { ...plan, trades: plan.trades.map((trade, i) => (i === struck ? { ...trade, ...fault } : trade)) };
}
