import { absolute, type Decimal, decimal, divide, multiply, subtract, zero } from '../../src/domain/decimal.ts';
import { type ExitLeg, type ExitOrder, nextExitStep } from '../../src/domain/exit.ts';
import type { SymbolFilters } from '../../src/domain/filters.ts';
import { isWorking } from '../../src/domain/order.ts';
import {
  nextProtectionStep,
  type ProtectedPosition,
  type ProtectionTerms,
  type ProtectiveOrder,
} from '../../src/domain/protective-stop.ts';
import {
  openTrailingStop,
  stepTrailingStop,
  type TrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import { type Adapter, decimalOf, type Inputs, type Values } from './adapter.ts';

const filtersWith = (tickSize: string): SymbolFilters => ({
  symbol: 'ETH/USDT',
  baseAsset: 'ETH',
  quoteAsset: 'USDT',
  isTrading: true,
  tickSize: decimal(tickSize),
  stepSize: decimal('0.001'),
  priceMin: null,
  priceMax: null,
  quantityMin: null,
  quantityMax: null,
  marketQuantityMax: null,
  notionalMin: null,
  notionalMinAppliesToMarket: false,
});

/** The peer moves its stop whenever it is tighter, and knows an interval alone. */
const termsOf = (params: Values): ProtectionTerms => ({
  limitOffsetBps: 50,
  moveStepBps: 0,
  moveIntervalMs: Number(params['stoploss_on_exchange_interval_s'] ?? 60) * 1_000,
});

const positionOf = (part: Partial<ProtectedPosition>): ProtectedPosition => ({
  side: 'long',
  isLeaving: false,
  held: decimal('30'),
  localStop: null,
  isArmed: true,
  isTrailing: false,
  orders: [],
  filters: filtersWith('0.01'),
  price: null,
  ...part,
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

/** What is placed after the venue has said that a part of the stop was sold and the rest canceled. */
function afterCancel({ params, when }: Inputs): unknown {
  const amount = decimalOf(params['amount']);
  const filled = decimal(/filled=(\d+)/.exec(String(when))?.[1] ?? '0');
  const held = subtract(amount, filled);
  const canceled = {
    ...stopOrder({ generation: 1, quantity: amount, stopPrice: decimal('2') }, 0),
    status: 'canceled',
  };
  const position = positionOf({ held, localStop: decimal('2'), orders: [canceled as ProtectiveOrder] });
  const next = nextProtectionStep(position, termsOf(params), 60_000);
  return {
    amount: held,
    create_stop_calls_for_amount: next.step === 'place' ? next.terms.quantity : zero,
    exit: next.step === 'exit',
  };
}

/** The price that an order of the venue is compared with: a stop that stands there already is left alone. */
function compared({ params }: Inputs): unknown {
  const local = positionOf({ localStop: decimalOf(params['stop_loss']), filters: filtersWith('1') });
  const placed = nextProtectionStep(local, termsOf(params), 0);
  if (placed.step !== 'place') return { stop_price_compared: null };
  const standing = stopOrder({ generation: 1, ...placed.terms }, 0);
  const again = nextProtectionStep({ ...local, orders: [standing] }, termsOf(params), 3_600_000);
  return { stop_price_compared: again.step === 'wait' ? placed.terms.stopPrice : null };
}

/** A trade under its trailing stop, whose orders the venue takes and cancels as it is told. */
function story({ params, steps }: Inputs): unknown {
  const terms = termsOf(params);
  const amount = decimalOf(params['amount']);
  const prices = steps.flatMap(({ ask }) => (ask === undefined ? [] : [decimalOf(ask)]));
  const rules: TrailingStopRules = {
    side: 'long',
    by: 'percent',
    distance: multiply(absolute(decimalOf(params['stoploss'])), decimal('100')),
    activationPrice: null,
    tickSize: decimal('0.01'),
    minimumMovePercent: null,
    extremeFrom: 'start',
  };
  // The table leaves the entry's price open: any one that the first price has left behind will do.
  const entryPrice = divide(prices[0] ?? decimal('1'), decimal('2'));
  let stop: TrailingStop = openTrailingStop(rules, entryPrice);
  let orders: readonly ProtectiveOrder[] = [];
  let isOpen = true;

  return steps.map((step) => {
    const atMs = Number(step['t_s']) * 1_000;
    const price = step['ask'] === undefined ? null : decimalOf(step['ask']);
    if (price !== null) stop = stepTrailingStop(rules, stop, price).stop;
    const isLeaving = stop.status === 'triggered';
    const view = positionOf({ held: amount, localStop: stop.stopPrice, orders, price, isLeaving, isTrailing: true });
    const next = nextProtectionStep(view, terms, atMs);
    const sent = next.step === 'place' || next.step === 'replace' ? next : null;
    if (sent !== null) {
      orders = [
        ...orders.map((order) => ({ ...order, status: 'canceled' as const })),
        stopOrder({ generation: sent.generation, ...sent.terms }, atMs),
      ];
    }
    if (isLeaving) {
      orders = leave(amount, orders, atMs);
      isOpen = false;
    }
    return {
      cancel_calls: next.step === 'replace' ? 1 : 0,
      create_calls: sent === null ? 0 : 1,
      stop_price: orders.at(-1)?.stopPrice,
      create_args: sent && { amount: sent.terms.quantity, stop_price: sent.terms.stopPrice },
      open_stop_orders: orders.filter(({ status }) => isWorking(status)).length,
      exit: isLeaving,
      trade_open: isOpen,
    };
  });
}

/** Lets the exit do what it does with the stops until all is sold, and gives them back. */
function leave(amount: Decimal, stops: readonly ProtectiveOrder[], atMs: number): readonly ProtectiveOrder[] {
  let left = stops;
  let exitQuantity = zero;
  const exits: ExitOrder[] = [];
  const leg = (): ExitLeg => ({
    leg: 0,
    symbol: 'ETH/USDT',
    exitSide: 'SELL',
    entryQuantity: amount,
    exitQuantity,
    baseFee: zero,
    orders: [...left.map(asExitOrder), ...exits],
    filters: filtersWith('0.01'),
    price: null,
    freeBase: null,
  });
  for (let looks = 0; looks < 10; looks += 1) {
    const next = nextExitStep([leg()], { limitPrice: null, escalateAfterMs: 3_000 }, new Set(), atMs);
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

export const adapter: Adapter = {
  offered: {
    main: (inputs) => {
      if (inputs.steps.length > 0) return story(inputs);
      return /filled=/.test(String(inputs['when'])) ? afterCancel(inputs) : compared(inputs);
    },
  },
};
