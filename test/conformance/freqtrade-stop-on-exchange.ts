import { absolute, type Decimal, decimal, divide, isZero, multiply, subtract, zero } from '../../src/domain/decimal.ts';
import { type ExitLeg, type ExitOrder, nextExitStep } from '../../src/domain/exit.ts';
import type { SymbolFilters } from '../../src/domain/filters.ts';
import { isWorking, type PositionSide } from '../../src/domain/order.ts';
import {
  nextProtectionStep,
  type ProtectedPosition,
  type ProtectionStep,
  type ProtectionTerms,
  type ProtectiveOrder,
} from '../../src/domain/protective-stop.ts';
import {
  openTrailingStop,
  stepTrailingStop,
  type TrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import { aSymbol } from '../support/any-symbol.ts';
import { type Adapter, decimalOf, type Inputs, type Values } from './adapter.ts';

/** Where the table names no precision, nothing is rounded. */
const finestTick = '0.00000001';

const filtersWith = (tickSize: string): SymbolFilters =>
  aSymbol({ symbol: 'ETH/USDT', baseAsset: 'ETH', tickSize: decimal(tickSize) });

/** The peer moves its stop whenever it is tighter, and knows an interval alone. */
const termsOf = (params: Values): ProtectionTerms => ({
  limitOffsetBps: 50,
  moveStepBps: 0,
  moveIntervalMs: Number(params['stoploss_on_exchange_interval_s'] ?? 60) * 1_000,
});

const stopOrder = (part: Pick<ProtectiveOrder, 'generation' | 'quantity' | 'stopPrice'>, atMs: number) => ({
  clientOrderId: `stop-${part.generation}`,
  status: 'new' as const,
  inDoubt: false,
  fillsComplete: true,
  wouldTrigger: false,
  createdAtMs: atMs,
  updatedAtMs: atMs,
  ...part,
});

/** The price that an order of the venue is compared with: a stop that stands there already is left alone. */
function compared({ params }: Inputs): unknown {
  const world = { ...worldOf(params), localStop: decimalOf(params['stop_loss']), filters: filtersWith('1') };
  const placed = nextProtectionStep(positionOf(world), termsOf(params), 0);
  if (placed.step !== 'place') return { stop_price_compared: null };
  const standing = stopOrder({ generation: 1, ...placed.terms }, 0);
  const again = nextProtectionStep(positionOf({ ...world, orders: [standing] }), termsOf(params), 3_600_000);
  return { stop_price_compared: again.step === 'wait' ? placed.terms.stopPrice : null };
}

/** A trade of the table, its stops at the venue included. */
type World = {
  readonly side: PositionSide;
  readonly filters: SymbolFilters;
  readonly held: Decimal;
  readonly localStop: Decimal | null;
  readonly price: Decimal | null;
  readonly orders: readonly ProtectiveOrder[];
  /** What the venue answers to the next stop. */
  readonly answers: 'takes' | 'would-trigger' | 'refuses';
  readonly exitReason: string | null;
};

const worldOf = (params: Values): World => ({
  side: params['side'] === 'short' ? 'short' : 'long',
  filters: filtersWith(finestTick),
  held: decimalOf(params['amount'] ?? 30),
  localStop: params['trailing_stop'] === true ? null : decimalOf(params['stop_loss'] ?? 2),
  price: null,
  orders: [],
  answers: 'takes',
  exitReason: null,
});

const positionOf = ({ side, held, localStop, orders, filters, exitReason }: World): ProtectedPosition => ({
  side,
  isLeaving: exitReason !== null,
  held,
  hasSold: false,
  localStop,
  isArmed: true,
  isTrailing: false,
  orders,
  filters,
  price: null,
});

/** What the venue, or somebody else, has done to the trade meanwhile, in the words of the table. */
function hear(world: World, words: string, atMs: number): World {
  const says = (pattern: RegExp): boolean => pattern.test(words);
  const answers = says(/invalid ?order/i)
    ? 'would-trigger'
    : says(/exchange ?error|transient|temporar|unavailable/i)
      ? 'refuses'
      : 'takes';
  if (says(/trade (is )?closed/i)) return { ...world, answers, held: zero, exitReason: world.exitReason ?? 'closed' };
  const working = world.orders.findLast(({ status }) => isWorking(status));
  const filled = decimal(/filled\D{0,12}?(\d+(?:\.\d+)?)/i.exec(words)?.[1] ?? '0');
  if (says(/entry/i) && says(/partial/i) && !isZero(filled)) return { ...world, answers, held: filled };
  if (working === undefined) return { ...world, answers };
  const ended = (status: ProtectiveOrder['status'], sold: Decimal): World => ({
    ...world,
    answers,
    held: subtract(world.held, sold),
    orders: world.orders.map((order) => (order === working ? { ...order, status, updatedAtMs: atMs } : order)),
  });
  if (says(/cancel|expired|not found|missing/i)) return ended('canceled', filled);
  if (says(/closed|filled|hit|executed/i)) {
    return { ...ended('filled', world.held), exitReason: 'stoploss_on_exchange' };
  }
  return { ...world, answers };
}

/** What the venue makes of the stop that is sent. */
function send(world: World, next: Extract<ProtectionStep, { step: 'place' | 'replace' }>, atMs: number): World {
  const order = stopOrder({ generation: next.generation, ...next.terms }, atMs);
  const before = world.orders.map((each) => (isWorking(each.status) ? { ...each, status: 'canceled' as const } : each));
  const refused = { ...order, status: 'rejected' as const, wouldTrigger: world.answers === 'would-trigger' };
  return { ...world, orders: [...before, world.answers === 'takes' ? order : refused] };
}

type Acted = { readonly world: World; readonly steps: readonly ProtectionStep[] };

/** Does what the lifecycle would do now, until it waits. */
function act(world: World, terms: ProtectionTerms, atMs: number, steps: readonly ProtectionStep[] = []): Acted {
  const next = nextProtectionStep(positionOf(world), terms, atMs);
  if (steps.length > 5) throw new Error('it never waits');
  if (next.step === 'exit') return { world: { ...world, exitReason: 'emergency_exit' }, steps: [...steps, next] };
  if (next.step !== 'place' && next.step !== 'replace') return { world, steps };
  return act(send(world, next, atMs), terms, atMs, [...steps, next]);
}

/** A trade whose orders the venue takes and cancels as it is told. A single call has its two sentences as steps. */
function story({ params, steps }: Inputs): readonly Values[] {
  const terms = termsOf(params);
  let world = worldOf(params);
  let trailing: { readonly rules: TrailingStopRules; readonly stop: TrailingStop } | null = null;
  return steps.map((step) => {
    const atMs = Number(step['t_s'] ?? 0) * 1_000;
    const hadExit = world.exitReason !== null;
    world = hear(world, String(step['event'] ?? ''), atMs);
    const price = step[world.side === 'long' ? 'ask' : 'bid'];
    if (price !== undefined && params['trailing_stop'] === true) {
      trailing = trail(trailing, params, world.side, decimalOf(price));
      const isTriggered = trailing.stop.status === 'triggered';
      world = { ...world, localStop: trailing.stop.stopPrice, exitReason: isTriggered ? 'trailing_stop_loss' : null };
    } else if (world.localStop === null) {
      world = { ...world, localStop: farFrom(firstPrice(steps, world.side), world.side) };
    }
    const acted = act(world, terms, atMs);
    ({ world } = acted);
    if (world.exitReason !== null) world = { ...world, orders: leave(world, atMs) };
    return answerOf(acted.steps, world, hadExit);
  });
}

function answerOf(steps: readonly ProtectionStep[], { held, orders, exitReason }: World, hadExit: boolean): Values {
  const sent = steps.filter((next) => next.step === 'place' || next.step === 'replace');
  const last = sent.at(-1);
  const open = orders.filter(({ status }) => isWorking(status));
  return {
    amount: held,
    cancel_calls: sent.filter(({ step }) => step === 'replace').length,
    create_calls: sent.length,
    create_stop_calls: sent.length,
    create_stop_calls_for_amount: last?.terms.quantity ?? zero,
    create_args: last === undefined ? null : { amount: last.terms.quantity, stop_price: last.terms.stopPrice },
    stop_price: orders.at(-1)?.stopPrice ?? null,
    open_stop_orders: open.length,
    has_open_stop: open.length > 0,
    exit: exitReason !== null && !hadExit,
    exit_reason: exitReason === 'closed' ? null : exitReason,
    exit_order_type: exitReason === 'emergency_exit' ? 'market' : null,
    trade_open: exitReason === null,
  };
}

const firstPrice = (steps: readonly Values[], side: PositionSide): Decimal =>
  decimalOf(steps.map((step) => step[side === 'long' ? 'ask' : 'bid']).find((price) => price !== undefined) ?? 4);

/** The table leaves the entry's price open: any one that the first price has left behind will do. */
const farFrom = (price: Decimal, side: PositionSide): Decimal =>
  side === 'long' ? divide(price, decimal('2')) : multiply(price, decimal('2'));

function trail(
  before: { readonly rules: TrailingStopRules; readonly stop: TrailingStop } | null,
  params: Values,
  side: PositionSide,
  price: Decimal,
) {
  const rules: TrailingStopRules = before?.rules ?? {
    side,
    by: 'percent',
    distance: multiply(absolute(decimalOf(params['stoploss'])), decimal('100')),
    activationPrice: null,
    tickSize: decimal(finestTick),
    minimumMovePercent: null,
    extremeFrom: 'start',
  };
  const stop = before?.stop ?? openTrailingStop(rules, farFrom(price, side));
  return { rules, stop: stepTrailingStop(rules, stop, price).stop };
}

/** Lets the exit do what it does with the stops until all is sold, and gives them back. */
function leave({ side, held, orders }: World, atMs: number): readonly ProtectiveOrder[] {
  let left = orders;
  let exitQuantity = zero;
  const exits: ExitOrder[] = [];
  const leg = (): ExitLeg => ({
    leg: 0,
    symbol: 'ETH/USDT',
    exitSide: side === 'long' ? 'SELL' : 'BUY',
    entryQuantity: held,
    exitQuantity,
    baseFee: zero,
    orders: [...left.map(asExitOrder), ...exits],
    filters: filtersWith(finestTick),
    price: null,
    freeBase: null,
  });
  for (let looks = 0; looks < 10; looks += 1) {
    const next = nextExitStep([leg()], { limitPrice: null, escalateAfterMs: 3_000 }, new Map(), atMs);
    if (next.step === 'cancel') {
      left = left.map((each) => (each.clientOrderId === next.clientOrderId ? { ...each, status: 'canceled' } : each));
    } else if (next.step === 'place') {
      exitQuantity = next.quantity;
      exits.push({
        ...asExitOrder(stopOrder({ generation: next.generation, quantity: next.quantity, stopPrice: zero }, atMs)),
        purpose: 'exit',
        status: 'filled',
        filledQuantity: next.quantity,
      });
    } else return left;
  }
  return left;
}

const asExitOrder = (order: ProtectiveOrder): ExitOrder => ({
  ...order,
  purpose: 'stop',
  orderType: 'STOP_LIMIT',
  filledQuantity: zero,
});

/** A case without steps has a sentence on what was, and one on what happens then: an hour later, out of any interval. */
function lastOf(inputs: Inputs): unknown {
  const [given, when] = [String(inputs['given'] ?? ''), String(inputs['when'] ?? '')];
  // A stop that was there before is one that this trade has placed.
  const before = /no stop|without/i.test(given) || !/stop/i.test(given) ? [] : [{ t_s: 0, event: given }];
  const steps = [...before, { t_s: 3_600, event: before.length > 0 ? when : `${given}; ${when}` }];
  return story({ ...inputs, steps }).at(-1);
}

export const adapter: Adapter = {
  offered: {
    main: (inputs) => {
      if (inputs.steps.length > 0) return story(inputs);
      return /compare/.test(String(inputs['when'])) ? compared(inputs) : lastOf(inputs);
    },
  },
};
