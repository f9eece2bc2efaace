import { createHash } from 'node:crypto';
import { type BreakerState, breakerDefaults, closedBreaker, stepBreaker } from '../../src/domain/circuit-breaker.ts';
import { decimal, isLess } from '../../src/domain/decimal.ts';
import { countsAsBreakerFailure, type VenueSignal } from '../../src/domain/outcome.ts';
import {
  openTrailingStop,
  stepTrailingStop,
  type TrailingStop,
  type TrailingStopRules,
} from '../../src/domain/trailing-stop.ts';
import type { Played } from './played.ts';
import { brokenAtEnd, brokenNow } from './pure-judge.ts';
import type { PureEvent, PurePlan } from './pure-plan.ts';
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

/** Plays a plan in memory. `hash` is that of all that happened: the same plan gives the same. */
export function playPure(plan: PurePlan, decide: Decisions = soundDecisions): Played & { readonly hash: string } {
  const venue = modelVenue();
  const book = newBook();
  const log = createHash('sha256');
  const faults: string[] = [];
  let stop = openTrailingStop(rules, decimal('100'));
  let breaker = closedBreaker;
  const failuresAtMs: number[] = [];
  let submissions = 0;
  const told = (signal: VenueSignal): void => {
    const isFailure = countsAsBreakerFailure(signal);
    if (isFailure) failuresAtMs.push(book.nowMs);
    const next = stepBreaker(breakerDefaults, breaker, { kind: isFailure ? 'failure' : 'success', atMs: book.nowMs });
    faults.push(...breakerFaults(breaker, next.state, failuresAtMs, book.nowMs));
    breaker = next.state;
  };
  const counted = {
    ...venue,
    place: (...args: Parameters<typeof venue.place>) => {
      submissions += 1;
      return venue.place(...args);
    },
  };
  const turn: Turn = { plan, decide, book, venue: counted, told };

  const play = (event: PureEvent): void => {
    if (event.does === 'act') takeTurn(turn, event);
    else if (event.does === 'pass') book.nowMs += event.ms;
    else if (event.does === 'exit') book.isExiting = book.orders.length > 0;
    else if (event.does === 'stream') {
      const report = venue.reports[event.index % Math.max(1, venue.reports.length)];
      if (report !== undefined) hear(turn, report);
    } else {
      venue.trade(event.quantity);
      const next = stepTrailingStop(rules, stop, decimal(String(event.price))).stop;
      faults.push(...stopFaults(stop, next, event.price));
      stop = next;
      if (stop.status === 'triggered') book.isExiting = book.orders.length > 0;
    }
    log.update(
      JSON.stringify([event, book.nowMs, stop, breaker.status, ...book.orders.map(({ id, state }) => [id, state])]),
    );
    faults.push(...brokenNow(turn));
  };

  for (const event of plan.events) {
    if (faults.length > 0 || book.isSettled) break;
    play(event);
  }
  const armed = submissions;
  for (let i = 0; i < calmTurns && faults.length === 0 && !book.isSettled; i += 1) {
    book.nowMs += 1_000;
    for (const order of book.orders) {
      // A person decides what is parked: it is nowhere to be found.
      if (order.state.status === 'parked') order.state = { ...order.state, status: 'canceled', inDoubt: false };
    }
    // The account's watch reads the venue's orders, whatever the stream has brought.
    for (const order of venue.orders) hear(turn, order);
    if (book.orders.length > 0) book.isExiting = true;
    play(calm);
  }
  if (faults.length === 0) faults.push(...brokenAtEnd(turn));
  return { faults, submissions, armed, struck: failuresAtMs.length, hash: log.digest('hex') };
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

/** It opens at the threshold, never before it, and never stays closed past it. */
function breakerFaults(
  before: BreakerState,
  after: BreakerState,
  failuresAtMs: readonly number[],
  nowMs: number,
): readonly string[] {
  if (before.status !== 'CLOSED') return [];
  const { failureThreshold, failureWindowMs } = breakerDefaults;
  const counted = failuresAtMs.filter((atMs) => nowMs - atMs < failureWindowMs).length;
  if (after.status === 'OPEN' && counted < failureThreshold) return [`the breaker opens at ${counted} failures`];
  return [];
}
