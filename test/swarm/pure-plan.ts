import type { Dice } from './dice.ts';
import { diceOf } from './dice.ts';

/** What becomes of a request to place or to cancel an order. `…After`: the venue has carried it out. */
export type Fate =
  | 'answered'
  | 'refusedConnection'
  | 'lostBefore'
  | 'lostAfter'
  | 'failedBefore'
  | 'failedAfter'
  | 'garbledAfter'
  | 'throttled'
  | 'rejected'
  | 'fatal';

/** One turn of the scheduler. Quantities are whole thousandths. */
export type PureEvent =
  /** The product does what is next; it may die before its request leaves, or before it has recorded the answer. */
  | {
      readonly does: 'act';
      readonly fate: Fate;
      readonly look: 'true' | 'lags' | 'fails';
      readonly dies: 'never' | 'before' | 'after';
      /** Between its timestamp and its sending. */
      readonly sleepsMs: number;
      readonly fills: number;
    }
  /** The market trades with whatever works. */
  | { readonly does: 'trade'; readonly quantity: number; readonly price: number }
  /** The stream brings one of the reports that the venue has written, an old one or one that came before, too. */
  | { readonly does: 'stream'; readonly index: number }
  | { readonly does: 'pass'; readonly ms: number }
  /** Somebody wants it closed. */
  | { readonly does: 'exit' }
  /** A person decides what is parked. */
  | { readonly does: 'decide' };

/** One trade, from its start to its settlement or to the last of its events, whichever comes first. */
export type PureTrade = { readonly quantity: number; readonly resends: boolean; readonly events: readonly PureEvent[] };

/** Trades one after the other, each with orders of its own. What counts failures sees all of them. */
export type PurePlan = { readonly layer: 'pure'; readonly seed: number; readonly trades: readonly PureTrade[] };

const tradesMax = 100;

export function drawPure(seed: number): PurePlan {
  const dice = diceOf(seed);
  const rates = drawFates(dice);
  const dies = dice.between(0, 30) / 100;
  const trades = Array.from({ length: dice.between(1, tradesMax) }, () => ({
    quantity: dice.chance(0.5) ? dice.between(100, 3_000) : dice.between(3_000, 30_000),
    resends: dice.chance(0.5),
    events: Array.from({ length: dice.between(10, 120) }, () => drawEvent(dice, rates, dies)),
  }));
  return { layer: 'pure', seed, trades };
}

const fates: readonly Fate[] = [
  ...(['refusedConnection', 'lostBefore', 'lostAfter', 'failedBefore', 'failedAfter'] as const),
  ...(['garbledAfter', 'throttled', 'rejected', 'fatal'] as const),
];

/** Which of them there are in this seed: those that are drawn twice strike twice as often. One seed in five has one alone. */
const drawFates = (dice: Dice): readonly Fate[] => [
  ...(dice.chance(0.2) ? [dice.pick(fates)] : [...dice.some(fates, 0.4), ...dice.some(fates, 0.2)]),
  ...Array.from({ length: dice.between(1, 8) }, () => 'answered' as const),
];

function drawEvent(dice: Dice, rates: readonly Fate[], dies: number): PureEvent {
  const turn = dice.below(100);
  if (turn < 50) {
    return {
      does: 'act',
      fate: dice.pick(rates),
      look: dice.pick(['true', 'true', 'lags', 'fails']),
      dies: dice.chance(dies) ? dice.pick(['before', 'after']) : 'never',
      sleepsMs: dice.chance(0.1) ? dice.between(1, 6_000) : 0,
      fills: dice.chance(0.5) ? dice.between(0, 3_000) : 0,
    };
  }
  if (turn < 62) return { does: 'trade', quantity: dice.between(1, 3_000), price: dice.between(80, 120) };
  if (turn < 80) return { does: 'stream', index: dice.below(20) };
  if (turn < 95) return { does: 'pass', ms: dice.pick([1, 100, 3_000, 20_000, 40_000]) };
  return { does: turn < 98 ? 'exit' : 'decide' };
}
