import { type Decimal, decimal, sum, zero } from '../../src/domain/decimal.ts';
import { type ExitLeg, type ExitStep, nextExitStep } from '../../src/domain/exit.ts';
import {
  applyReport,
  fillsComplete,
  isClosed,
  type OrderPurpose,
  type OrderReport,
  type OrderState,
} from '../../src/domain/order.ts';
import { classify, classifyCancel, fenceAtMs, joinOutcomes, type VenueSignal } from '../../src/domain/outcome.ts';
import { planSend, type Send } from '../../src/domain/sending.ts';
import { aSymbol } from '../support/any-symbol.ts';
import type { PureEvent, PureTrade } from './pure-plan.ts';
import { filledOf, isOpen, type ModelReport, type ModelVenue, recvWindowMs } from './pure-venue.ts';

export type Act = Extract<PureEvent, { readonly does: 'act' }>;

/** One order as the book has it, with each send of it and each fill that was seen. */
type BookOrder = {
  readonly id: string;
  readonly purpose: OrderPurpose;
  readonly generation: number;
  readonly createdAtMs: number;
  updatedAtMs: number;
  state: OrderState;
  sends: readonly Send[];
  readonly fills: Map<number, Decimal>;
  isPresumedDead: boolean;
};

export type Book = {
  readonly orders: BookOrder[];
  readonly canceled: Map<string, number>;
  isExiting: boolean;
  isSettled: boolean;
  nowMs: number;
};

export const newBook = (nowMs: number): Book => ({
  orders: [],
  canceled: new Map(),
  isExiting: false,
  isSettled: false,
  nowMs,
});

export const thousandths = (whole: number): Decimal => decimal((whole / 1_000).toFixed(3));

/** What src/domain decides for the trade; a test of the swarm itself plants a wrong one. */
export const soundDecisions = {
  planSend,
  classify,
  classifyCancel,
  joinOutcomes,
  fenceAtMs,
  applyReport,
  nextExitStep,
};
export type Decisions = typeof soundDecisions;

export type Turn = {
  readonly decide: Decisions;
  readonly trade: PureTrade;
  readonly book: Book;
  readonly venue: ModelVenue;
  readonly told: (signal: VenueSignal) => void;
};

const lagMs = 20_000;
const generationsMax = 3;
const entryEscalationMs = 5_000;

/** The product's next move: what src/domain decides, carried out under the event's fate. */
export function takeTurn(turn: Turn, act: Act): void {
  const { book, trade } = turn;
  const entry = book.orders.findLast(({ purpose }) => purpose === 'entry');
  if (book.isExiting) stepExit(turn, act);
  else if (entry === undefined) placeNew(turn, act, 'entry', 1, trade.quantity);
  else if (isClosed(entry.state.status) && fillsComplete(entry.state) && !entry.state.inDoubt) book.isExiting = true;
  else stepEntry(turn, act, entry);
}

function stepEntry(turn: Turn, act: Act, entry: BookOrder): void {
  const planned = turn.decide.planSend({ ...entry.state, recvWindowMs }, entry.sends);
  if (planned.plan !== 'renew') look(turn, act, entry);
  else if (turn.book.nowMs > planned.afterVenueMs) send(turn, act, entry, planned.fromEpoch + 1);
}

/** A report of the venue, from wherever it comes. */
export function hear({ book, decide }: Pick<Turn, 'book' | 'decide'>, { id, status, fills }: ModelReport): void {
  const order = book.orders.find((each) => each.id === id);
  if (order === undefined) return;
  const report: OrderReport = {
    status: ({ NEW: 'new', PARTIALLY_FILLED: 'partiallyFilled', FILLED: 'filled', CANCELED: 'canceled' } as const)[
      status
    ],
    filledQuantity: thousandths(filledOf({ fills })),
    filledQuote: zero,
  };
  const heard = decide.applyReport(order.state, report);
  // An illegal report changes nothing; the check of the end finds what it would have hidden.
  if (heard.outcome === 'illegal') return;
  for (const fill of fills) order.fills.set(fill.tradeId, thousandths(fill.quantity));
  const filledQuantity = sum([...order.fills.values()]);
  order.state = { ...(heard.outcome === 'applied' ? heard.state : order.state), filledQuantity };
  if (heard.outcome === 'applied') order.updatedAtMs = book.nowMs;
}

function stepExit(turn: Turn, act: Act): void {
  const { book } = turn;
  const step = turn.decide.nextExitStep(
    [legOf(turn)],
    { limitPrice: null, escalateAfterMs: entryEscalationMs },
    book.canceled,
    book.nowMs,
  );
  if (step.step === 'settle') book.isSettled = true;
  else if (step.step === 'place')
    placeNew(turn, act, 'exit', step.generation, Math.round(Number(step.quantity) * 1_000));
  else if (step.step !== 'await') settleOrder(turn, act, step);
}

function settleOrder(turn: Turn, act: Act, step: Extract<ExitStep, { readonly clientOrderId: string }>): void {
  const order = turn.book.orders.find(({ id }) => id === step.clientOrderId);
  if (order === undefined) return;
  if (step.step === 'cancel') cancelOrder(turn, act, order);
  else look(turn, act, order);
}

function cancelOrder(turn: Turn, act: Act, order: BookOrder): void {
  const { book, venue } = turn;
  if (act.dies === 'before') return;
  const signal = venue.cancel(order.id, act.fate);
  turn.told(signal);
  if (act.dies === 'after') return;
  const outcome = turn.decide.classifyCancel(signal);
  if (outcome === 'ACCEPTED') book.canceled.set(order.id, book.nowMs);
  // Whatever was answered, only the venue's own word of the order counts.
  if (outcome !== 'NOT_SENT') look(turn, act, order);
}

function legOf({ book, venue }: Pick<Turn, 'book' | 'venue'>): ExitLeg {
  const filled = (purpose: OrderPurpose) =>
    sum(book.orders.filter((order) => order.purpose === purpose).map(({ state }) => state.filledQuantity));
  return {
    leg: 0,
    symbol: 'BTC/USDT',
    exitSide: 'SELL',
    entryQuantity: filled('entry'),
    exitQuantity: filled('exit'),
    baseFee: zero,
    orders: book.orders.map(({ id, state, purpose, generation, createdAtMs, updatedAtMs }) => ({
      purpose,
      generation,
      createdAtMs,
      updatedAtMs,
      clientOrderId: id,
      orderType: 'MARKET',
      status: state.status,
      inDoubt: state.inDoubt,
      fillsComplete: fillsComplete(state),
      filledQuantity: state.filledQuantity,
    })),
    filters: modelFilters,
    price: decimal('100'),
    freeBase: thousandths(freeBase(venue)),
  };
}

const modelFilters = aSymbol();

/** What the venue has left of what was bought, less what sells of it already. */
function freeBase({ orders }: ModelVenue): number {
  return orders.reduce((free, order) => {
    if (order.side === 'BUY') return free + filledOf(order);
    return free - (isOpen(order) ? order.quantity : filledOf(order));
  }, 0);
}

function placeNew(turn: Turn, act: Act, purpose: OrderPurpose, generation: number, quantity: number): void {
  const { book } = turn;
  const order: BookOrder = {
    id: `${purpose}-${generation}`,
    purpose,
    generation,
    createdAtMs: book.nowMs,
    updatedAtMs: book.nowMs,
    state: {
      status: 'pendingNew',
      quantity: thousandths(quantity),
      reportedQuantity: zero,
      reportedQuote: zero,
      filledQuantity: zero,
      inDoubt: false,
    },
    sends: [],
    fills: new Map(),
    isPresumedDead: false,
  };
  book.orders.push(order);
  send(turn, act, order, 1);
}

/** The timestamp is in the book before anything leaves, and stays what it was however long the sender sleeps. */
function send({ book, venue, told, decide }: Turn, act: Act, order: BookOrder, epoch: number): void {
  const signedAtMs = book.nowMs;
  const earlier = order.sends;
  order.sends = [...earlier, { epoch, signedAtMs, outcome: null }];
  if (act.dies === 'before') return;
  book.nowMs += act.sleepsMs;
  const side = order.purpose === 'entry' ? 'BUY' : 'SELL';
  const quantity = Math.round(Number(order.state.quantity) * 1_000);
  const signal = venue.place({ id: order.id, side, quantity, signedAtMs }, { ...act, nowMs: book.nowMs });
  told(signal);
  if (act.dies === 'after') return;
  const outcome = decide.classify(signal);
  order.sends = [...earlier, { epoch, signedAtMs, outcome }];
  order.updatedAtMs = book.nowMs;
  const joined = decide.joinOutcomes(order.sends.map((each) => each.outcome));
  const taken = venue.find(order.id, book.nowMs, 0);
  if (outcome === 'ACCEPTED' && taken !== undefined) hear({ book, decide }, taken);
  else if (joined === 'REJECTED' || joined === 'FATAL_CONFIG') order.state = { ...order.state, status: 'rejected' };
  else if (joined === 'UNKNOWN') order.state = { ...order.state, inDoubt: true };
}

function look(turn: Turn, act: Act, order: BookOrder): void {
  const { book, venue } = turn;
  if (isClosed(order.state.status) && fillsComplete(order.state) && !order.state.inDoubt) return;
  const planned = turn.decide.planSend({ ...order.state, recvWindowMs }, order.sends);
  // No send can have reached the engine. Unless somebody sends again, that is its end.
  if (planned.plan === 'renew') {
    if (book.nowMs > planned.afterVenueMs) order.state = { ...order.state, status: 'denied' };
    return;
  }
  if (act.look === 'fails') return;
  const found = venue.find(order.id, book.nowMs, act.look === 'lags' ? lagMs : 0);
  const signedAtMs = order.sends.at(-1)?.signedAtMs ?? 0;
  if (found !== undefined) hear(turn, found);
  else if (book.nowMs > turn.decide.fenceAtMs({ signedAtMs, recvWindowMs })) giveUp(turn, act, order);
}

/** Past the fence, and nowhere to be found. */
function giveUp(turn: Turn, act: Act, order: BookOrder): void {
  const { trade, book } = turn;
  const mayResend = trade.resends && order.purpose === 'entry' && order.generation < generationsMax && !book.isExiting;
  order.isPresumedDead = true;
  order.updatedAtMs = book.nowMs;
  order.state = { ...order.state, status: mayResend ? 'canceled' : 'parked', inDoubt: !mayResend };
  if (mayResend) placeNew(turn, act, 'entry', order.generation + 1, trade.quantity);
}
