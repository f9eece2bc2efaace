import type { UnresolvedPolicy } from '../../activities/dependencies.ts';
import { type CrashPoint, crashPoints } from '../../src/observability/crash-point.ts';
import type { FaultRule } from '../../src/simulator/faults/faults.ts';
import type { Weather } from '../support/proxy.ts';
import type { ProcessName } from '../support/stack.ts';
import type { Terms } from '../support/trading.ts';
import type { Link } from '../support/workers.ts';
import { type Dice, diceOf } from './dice.ts';
import { drawRates } from './orders-faults.ts';

/** What the venue does for a while. One follows the other, and the first the last. */
export type Stretch = { readonly forMs: number; readonly rules: readonly FaultRule[] };

/** What befalls a process or a network, or what an operator does, from the start of the round. The next one waits until this one is over. */
export type Blow = { readonly atMs: number } & (
  | { readonly does: 'kill'; readonly process: ProcessName }
  | { readonly does: 'pause'; readonly process: ProcessName; readonly forMs: number }
  | { readonly does: 'crash'; readonly point: CrashPoint }
  | { readonly does: 'stop'; readonly point: CrashPoint; readonly forMs: number }
  | { readonly does: 'link'; readonly link: Link; readonly weather: Weather; readonly forMs: number }
  | { readonly does: 'halt'; readonly level: 'entries-blocked' | 'frozen' | 'flatten'; readonly forMs: number }
);

export type MarketStep = { readonly atMs: number } & (
  | { readonly does: 'tick'; readonly price: string }
  | { readonly does: 'rules'; readonly rules: Readonly<Record<string, string | number>> }
);

/** `closesAfterMs`: a person closes it then, if it is still there. */
export type ProcessTrade = { readonly terms: Terms; readonly closesAfterMs: number | null };

/** One round on a stack of real processes. It is JSON. */
export type ProcessesPlan = {
  readonly layer: 'processes';
  readonly seed: number;
  readonly unresolved: UnresolvedPolicy;
  readonly stretches: readonly Stretch[];
  readonly blows: readonly Blow[];
  readonly market: readonly MarketStep[];
  readonly trades: readonly ProcessTrade[];
  /** How many of them are under way at the same time, as far as their senders know. */
  readonly sideBySide: number;
};

export const roundMs = 40_000;
const tickEveryMs = 400;

/** So many rounds in a row have the same policy, so that they can have the same stack. */
export const roundsPerStack = 2;

export function drawProcesses(seed: number, trades = 100): ProcessesPlan {
  const dice = diceOf(seed);
  return {
    layer: 'processes',
    seed,
    unresolved: Math.floor(seed / roundsPerStack) % 2 === 0 ? 'park' : 'resend',
    stretches: drawStretches(dice),
    blows: drawBlows(dice),
    market: drawMarket(dice),
    trades: Array.from({ length: trades }, () => drawTrade(dice)),
    sideBySide: dice.pick([5, 10, 20]),
  };
}

/** The venue of these stacks lags by less than their fence, which is a short one. */
const lagsMs = [100, 300, 600];

function drawStretches(dice: Dice): readonly Stretch[] {
  return Array.from({ length: dice.between(2, 5) }, () => ({
    forMs: dice.between(4_000, 20_000),
    rules: [...drawRates(dice, lagsMs), ...drawPriceFaults(dice)],
  }));
}

/** The prices of the market are lost, doubled, out of order or unreadable. */
const drawPriceFaults = (dice: Dice): readonly FaultRule[] =>
  dice
    .some(
      [{ action: 'drop' }, { action: 'dup' }, { action: 'reorder', frames: 3 }, { action: 'garbage' }] as const,
      0.1,
    )
    .map((action) => ({ on: { path: '/stream*', p: dice.between(1, 20) / 100 }, phase: 'stream', do: action }));

function drawBlows(dice: Dice): readonly Blow[] {
  let atMs = 0;
  return Array.from({ length: dice.between(2, 5) }, () => {
    atMs += dice.between(1_000, 12_000);
    return { atMs, ...dice.pick(blowKinds)(dice) };
  });
}

type Undated<Dated> = Dated extends unknown ? Omit<Dated, 'atMs'> : never;

/** The worker dies often, the others seldom. */
const blowKinds: readonly ((dice: Dice) => Undated<Blow>)[] = [
  () => ({ does: 'kill', process: 'worker' }),
  (dice) => ({ does: 'pause', process: 'worker', forMs: dice.pick([500, 2_500, 6_000]) }),
  (dice) => ({ does: 'crash', point: dice.pick(crashPoints) }),
  (dice) => ({ does: 'crash', point: dice.pick(crashPoints) }),
  (dice) => ({ does: 'crash', point: dice.pick(crashPoints) }),
  (dice) => ({ does: 'stop', point: dice.pick(crashPoints), forMs: dice.pick([2_500, 6_000]) }),
  (dice) => ({ does: 'stop', point: dice.pick(crashPoints), forMs: dice.pick([2_500, 6_000]) }),
  (dice) => ({ does: 'kill', process: dice.pick(['paper', 'postgres', 'temporal', 'api']) }),
  (dice) => ({ does: 'pause', process: dice.pick(['paper', 'temporal']), forMs: dice.pick([500, 2_000]) }),
  (dice) => ({ does: 'link', link: dice.pick(links), weather: dice.pick(weathers), forMs: dice.pick([500, 3_000]) }),
  (dice) => ({ does: 'link', link: dice.pick(links), weather: dice.pick(weathers), forMs: dice.pick([500, 3_000]) }),
  (dice) => ({
    does: 'halt',
    level: dice.pick(['entries-blocked', 'frozen', 'flatten']),
    forMs: dice.pick([500, 3_000]),
  }),
];

const links = ['temporal', 'database', 'venue'] as const;
const weathers: readonly Weather[] = [
  { kind: 'blackhole' },
  { kind: 'cut' },
  { kind: 'slow', ms: 50 },
  { kind: 'limit', bytes: 300 },
];

/** A walk around 100 that falls through some stops, and a book that is deep, thin or closed. */
function drawMarket(dice: Dice): readonly MarketStep[] {
  let price = 100;
  return Array.from({ length: Math.floor(roundMs / tickEveryMs) }, (_, i): readonly MarketStep[] => {
    const atMs = i * tickEveryMs;
    price = Math.min(106, Math.max(94, price + dice.between(-60, 60) / 100 + (100 - price) / 20));
    const tick = { atMs, does: 'tick', price: price.toFixed(2) } as const;
    const rules = (rules: Readonly<Record<string, string | number>>, later = 0) =>
      ({ atMs: atMs + later, does: 'rules', rules }) as const;
    if (dice.chance(0.1))
      return [tick, rules({ levelQuantity: dice.pick(['0.1', '0.3', '10']), levelsMax: dice.pick([1, 20]) })];
    if (dice.chance(0.01)) return [tick, rules({ status: 'HALT' }), rules({ status: 'TRADING' }, 2_000)];
    return [tick];
  })
    .flat()
    .toSorted((a, b) => a.atMs - b.atMs);
}

function drawTrade(dice: Dice): ProcessTrade {
  const entry = dice.pick(entries)(dice);
  return {
    terms: {
      entry,
      exit: dice.pick(exits)(dice),
      quantity: dice.pick(['0.1', '1', '1.234', '3', '5']),
      validForMs: dice.pick([10_000, 30_000]),
      strategy: 'swarm',
    },
    closesAfterMs: dice.chance(0.3) ? dice.between(500, 6_000) : null,
  };
}

const entries: readonly ((dice: Dice) => object)[] = [
  () => ({ type: 'MARKET' }),
  () => ({ type: 'MARKET' }),
  () => ({ type: 'LIMIT', price: '104', timeInForce: 'GTC' }),
  () => ({ type: 'LIMIT', price: '100', timeInForce: 'IOC' }),
  (dice) => ({
    type: 'LIMIT',
    price: dice.pick(['98', '99', '99.5']),
    timeInForce: 'GTC',
    expireAfterMs: dice.between(500, 6_000),
  }),
];

const stopLoss = (dice: Dice) => ({ stopLoss: { price: dice.pick(['90', '95', '97', '97.5']) } });
const timeStop = (dice: Dice) => ({ timeStopMs: dice.between(300, 6_000) });
const atVenue = { protectiveStop: { at: 'venue', moveIntervalMs: 1_000, moveStepBps: 5 } };

const exits: readonly ((dice: Dice) => object)[] = [
  (dice) => ({ ...stopLoss(dice), ...timeStop(dice) }),
  (dice) => ({ ...stopLoss(dice), takeProfit: { price: dice.pick(['105', '106', '107']) }, ...timeStop(dice) }),
  (dice) => ({ trailingStop: { by: 'percent', distance: dice.pick(['0.5', '2', '5']) }, ...timeStop(dice) }),
  (dice) => ({ ...stopLoss(dice), ...timeStop(dice), ...atVenue }),
  (dice) => ({ trailingStop: { by: 'percent', distance: dice.pick(['2', '5']) }, ...timeStop(dice), ...atVenue }),
];
