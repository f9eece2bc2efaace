import { createHash } from 'node:crypto';
import { decimal, isLess } from '../../src/domain/decimal.ts';
import type { VenueSignal } from '../../src/domain/outcome.ts';
import {
  openTrailingStop,
  stepTrailingStop,
  type TrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import type { Played } from './played.ts';
import { type CountedBreaker, countedBreaker } from './pure-breaker.ts';
import { brokenAtEnd, brokenNow } from './pure-judge.ts';
import type { PureEvent, PurePlan, PureTrade } from './pure-plan.ts';
import { type Act, type Decisions, hear, newBook, soundDecisions, type Turn, takeTurn } from './pure-trade.ts';
import { modelVenue } from './pure-venue.ts';

const rules: TrailingStopRules = {
  side: 'long',
  by: 'percent',
  distance: decimal('5'),
  activationPrice: null,
  tickSize: decimal('0.01'),
  minimumMovePercent: null,
  extremeFrom: 'start',
};

/** Turns that nothing disturbs, a second apart, and more of them than any fence takes. */
const calm: Act = { does: 'act', fate: 'answered', look: 'true', dies: 'never', sleepsMs: 0, fills: 1_000_000 };
const calmTurns = 120;

/** What goes on from trade to trade. */
type Run = {
  readonly decide: Decisions;
  readonly breaker: CountedBreaker;
  readonly log: { update(text: string): unknown };
  readonly faults: string[];
  nowMs: number;
  submissions: number;
  armed: number;
};

/** Plays a plan in memory. `hash` is that of all that happened: the same plan gives the same. */
export function playPure(plan: PurePlan, decide: Decisions = soundDecisions): Played & { readonly hash: string } {
  const log = createHash('sha256');
  const run: Run = { decide, breaker: countedBreaker(), log, faults: [], nowMs: 0, submissions: 0, armed: 0 };
  for (const trade of plan.trades) {
    playTrade(run, trade);
    if (run.faults.length > 0) break;
  }
  const { faults, submissions, armed, breaker } = run;
  return { faults, submissions, armed, struck: breaker.failures(), hash: log.digest('hex') };
}

function playTrade(run: Run, trade: PureTrade): void {
  const { faults } = run;
  const venue = modelVenue();
  const book = newBook(run.nowMs);
  const counted = {
    ...venue,
    place: (...args: Parameters<typeof venue.place>) => {
      run.submissions += 1;
      return venue.place(...args);
    },
  };
  const told = (signal: VenueSignal): void => void faults.push(...run.breaker.count(signal, book.nowMs));
  const turn: Turn = { trade, decide: run.decide, book, venue: counted, told };
  const stop = { present: openTrailingStop(rules, decimal('100')) };
  const play = (event: PureEvent): void => {
    faults.push(...playEvent(turn, stop, event));
    const orders = book.orders.map(({ id, state }) => `${id} ${state.status} ${state.filledQuantity}`).join();
    run.log.update(`${event.does} ${book.nowMs} ${stop.present.status} ${run.breaker.status()} ${orders}\n`);
    faults.push(...brokenNow(turn));
  };

  const before = run.submissions;
  for (const event of trade.events) {
    if (faults.length > 0 || book.isSettled) break;
    play(event);
  }
  run.armed += run.submissions - before;
  for (let i = 0; i < calmTurns && faults.length === 0 && !book.isSettled; i += 1) {
    book.nowMs += 1_000;
    decideParked(turn);
    // The account's watch reads the venue's orders, whatever the stream has brought.
    for (const order of venue.orders) hear(turn, order);
    if (book.orders.length > 0) book.isExiting = true;
    play(calm);
  }
  if (faults.length === 0) faults.push(...brokenAtEnd(turn));
  run.nowMs = book.nowMs;
}

/** What an event breaks by itself. */
function playEvent(turn: Turn, stop: { present: TrailingStop }, event: PureEvent): readonly string[] {
  const { book, venue } = turn;
  switch (event.does) {
    case 'act':
      takeTurn(turn, event);
      return [];
    case 'pass':
      book.nowMs += event.ms;
      return [];
    case 'exit':
      book.isExiting = book.orders.length > 0;
      return [];
    case 'decide':
      decideParked(turn);
      return [];
    case 'stream': {
      const report = venue.reports[event.index % Math.max(1, venue.reports.length)];
      if (report !== undefined) hear(turn, report);
      return [];
    }
    case 'trade': {
      venue.trade(event.quantity);
      const before = stop.present;
      stop.present = stepTrailingStop(rules, before, decimal(String(event.price))).stop;
      if (stop.present.status === 'triggered') book.isExiting = book.orders.length > 0;
      return stopFaults(before, stop.present, event.price);
    }
  }
}

/** A person decides what is parked: it is nowhere to be found, or its presumed death has been noticed before. */
function decideParked({ book }: Turn): void {
  for (const order of book.orders) {
    if (order.state.status === 'parked') order.state = { ...order.state, status: 'canceled', inDoubt: false };
  }
}

/** I14: it only ever gets tighter, and triggers at a touch and at nothing else. */
function stopFaults(before: TrailingStop, after: TrailingStop, price: number): readonly string[] {
  if (before.status === 'triggered') return after.status === 'triggered' ? [] : ['I14: the stop has come back'];
  const touched = price <= Number(before.stopPrice);
  const loosened = before.stopPrice !== null && after.stopPrice !== null && isLess(after.stopPrice, before.stopPrice);
  return [
    ...(touched === (after.status === 'triggered')
      ? []
      : [`I14: at ${price} the stop at ${before.stopPrice} is ${after.status}`]),
    ...(loosened ? [`I14: the stop fell from ${before.stopPrice} to ${after.stopPrice}`] : []),
  ];
}
