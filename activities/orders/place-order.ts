import { ApplicationFailure } from '@temporalio/common';
import { lastPriceOf } from '../../src/contracts/messages/decision.ts';
import type { OrderRef, OrderReported, OrderTerms } from '../../src/contracts/messages/messages.ts';
import { accountScope } from '../../src/contracts/messages/names.ts';
import { backoffMs } from '../../src/domain/backoff.ts';
import { breakerAt, breakerWith } from '../../src/domain/circuit-breaker.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { saysOtherRules } from '../../src/domain/outcome.ts';
import { planSend } from '../../src/domain/sending.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent, holdOver, renewIntent } from '../../src/store/orders/intents.ts';
import { type Denial, denyOrder } from '../../src/store/orders/orders.ts';
import { type Placement, readPlacement } from '../../src/store/trades/trades.ts';
import { readBreaker } from '../../src/store/trading-state/breaker.ts';
import { holdForVenue } from '../../src/store/trading-state/venue-holds.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { SendResult, Venue } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf, venueNowMs } from '../rooms.ts';
import { applySend } from './apply-answer.ts';
import { readCurrent } from './current-order.ts';
import { entryTerms } from './entry-terms.ts';

const notSentTriesMax = 3;
/** An entry leaves with a look at holds and breaker that is no older than this, so that none leaves long after a halt. */
const lookFreshMs = 100;
const brakedRetryMs = 1_000;

/**
 * Places one order at most once, however often it runs. The intent is committed before the first byte leaves; an
 * attempt that finds an intent looks at what became of it and never sends over an unknown. What stays unknown is
 * answered as such (`inDoubt`), for `findOrder` to settle. Throws a retryable failure only where nothing was placed,
 * definitely, and sending again later is right.
 */
export const createPlaceOrder = (deps: ActivityDependencies) =>
  function placeOrder(input: OrderRef & { readonly terms?: OrderTerms }): Promise<OrderReported> {
    return whileBeating(async () => {
      const order = await intend(deps, input);
      if (order.outcome !== 'committed') return order.reported;
      crashPoint('afterIntent');
      return sendOrder(deps, order.order);
    });
  };

type Intended =
  | { readonly outcome: 'committed'; readonly order: BookOrder }
  | { readonly outcome: 'answered'; readonly reported: OrderReported };

/** The order as it may be sent now by this attempt, or what is known of it already. */
async function intend(deps: ActivityDependencies, input: OrderRef & { terms?: OrderTerms }): Promise<Intended> {
  const clientOrderId = clientOrderIdOf(input);
  const [known, trade] = await Promise.all([readCurrent(deps, input), readPlacement(deps.db, input.tradeId)]);
  invariant(trade !== undefined, `a placed order has a trade, ${input.tradeId} has none`);
  const deny = denier(deps, { ...input, clientOrderId });
  const isLate = input.purpose === 'entry' && deps.now() > trade.request.requestedAtMs + trade.request.validForMs;
  if (known) return intendAgain(deps, known, isLate, deny);
  if (isLate) return deny('REQUEST_EXPIRED');
  assertFit(deps, input);
  if (await isBreakerOpen(deps, { ...input, account: trade.account })) return deny('BREAKER_OPEN');

  const room = roomOf(deps, trade.venue);
  const symbol = trade.request.legs[input.leg]?.symbol ?? '';
  const committed = await commitIntent(deps.db, {
    ...input,
    ...(input.terms ?? (await termsOfEntry(room, trade, { ...input, symbol }))),
    clientOrderId,
    account: trade.account,
    venue: trade.venue,
    symbol,
    signedAtMs: await venueNowMs(deps, room),
    recvWindowMs: deps.timings.recvWindowMs,
    nowMs: deps.now(),
  });
  switch (committed.outcome) {
    case 'committed':
      observeExit(deps, input, trade);
      return { outcome: 'committed', order: committed.order };
    case 'existing':
      return intendAgain(deps, committed.order, isLate, deny);
    case 'held':
      return deny('TRADING_STATE_BLOCKED', `hold ${committed.holdId}`);
    case 'exit-requested':
      return deny(input.purpose === 'stop' ? 'STOP_WITHDRAWN' : 'ENTRY_WITHDRAWN');
    case 'not-approved':
      return deny('ENTRY_WITHDRAWN');
    case 'exceeds-reservation':
      return deny('ENTRY_EXCEEDS_RESERVATION', `${committed.quantityLeft} left of the reservation`);
    case 'exceeds-position':
      // The exit plans again on what the book says now.
      return deny('EXIT_EXCEEDS_POSITION', `${committed.quantityLeft} left to sell`);
  }
}

/** An entry's terms follow from its request, the price that it was decided on, and the rules of its symbol. */
async function termsOfEntry(
  { filters }: VenueRoom,
  { request, decision }: Placement,
  { tradeId, leg, symbol }: OrderRef & { readonly symbol: string },
): Promise<OrderTerms> {
  const last = lastPriceOf(decision, leg);
  invariant(last !== undefined, `an approved trade has a price, ${tradeId} has none`);
  return { ...entryTerms(request, leg, await filters.get(symbol), last), stopPrice: null };
}

/** How long the first exit order took to come here since the exit was asked for. */
function observeExit({ metrics, now }: ActivityDependencies, order: OrderRef, { exitRequest }: Placement): void {
  if (order.purpose !== 'exit' || order.generation > 1 || exitRequest === null) return;
  metrics.requestToExit.observe({ reason: exitRequest.reason }, (now() - exitRequest.requestedAtMs) / 1_000);
}

type Deny = (code: Denial['code'], note?: string) => Promise<Intended>;

/** Refuses an order that was never sent, or of which every send definitely was not placed. */
const denier =
  ({ db, now }: ActivityDependencies, order: Denial['order']): Deny =>
  async (code, note) =>
    answered(await denyOrder(db, { order, code, ...(note && { note }), nowMs: now() }));

const answered = (reported: OrderReported): Intended => ({ outcome: 'answered', reported });

/** A process that is not fit to take on risk leaves the entry to another one, or to itself a little later. */
function assertFit({ entryBrake }: ActivityDependencies, { purpose }: OrderRef): void {
  const brake = purpose === 'entry' ? entryBrake() : null;
  if (brake !== null) throw notPlaced(brakedRetryMs, `${brake.code}: ${brake.note}`);
}

/** A breaker that has opened since the entry was approved holds back what was not sent yet. Exits never ask. */
export async function isBreakerOpen(
  { db, breaker: settings, now }: ActivityDependencies,
  { purpose, account }: Pick<BookOrder, 'purpose' | 'account'>,
): Promise<boolean> {
  if (purpose !== 'entry') return false;
  const nowMs = now();
  const breaker = await readBreaker(db, accountScope(account), nowMs);
  return breakerAt(settings, breakerWith(settings, breaker), nowMs).status === 'OPEN';
}

async function intendAgain(
  deps: ActivityDependencies,
  order: BookOrder,
  isLate: boolean,
  deny: Deny,
): Promise<Intended> {
  const plan = planSend(order, order.sends);
  switch (plan.plan) {
    case 'done':
      return answered(order.reported);
    case 'look-up':
      // A send without an outcome is as unknown as one that timed out: only the venue can say.
      return answered({ ...order.reported, inDoubt: true });
    case 'renew': {
      if (isLate) return deny('REQUEST_EXPIRED');
      const waitMs = plan.afterVenueMs - (await venueNowMs(deps, roomOf(deps, order.venue)));
      if (waitMs >= 0) throw notPlaced(waitMs + 1, 'the last timestamp is still valid at the venue');
      assertFit(deps, order);
      if (await isBreakerOpen(deps, order)) return deny('BREAKER_OPEN');
      return renew(deps, order, plan.fromEpoch, deny);
    }
  }
}

async function renew(deps: ActivityDependencies, order: BookOrder, fromEpoch: number, deny: Deny): Promise<Intended> {
  const signedAtMs = await venueNowMs(deps, roomOf(deps, order.venue));
  const { clientOrderId } = order;
  const renewed = await renewIntent(deps.db, { clientOrderId, fromEpoch, signedAtMs, nowMs: deps.now() });
  switch (renewed.outcome) {
    case 'renewed':
      return { outcome: 'committed', order: renewed.order };
    case 'held':
      return deny('TRADING_STATE_BLOCKED');
    case 'exit-requested':
      return deny('ENTRY_WITHDRAWN');
    case 'in-doubt':
      return answered({ ...renewed.reported, inDoubt: true });
    case 'too-early':
      throw notPlaced(order.recvWindowMs, 'the last timestamp is still valid at the venue');
    case 'superseded':
    case 'not-pending':
      return answered(renewed.reported);
  }
}

/**
 * Sends an order whose intent stands and was not sent yet, and commits what became of it. Throws a retryable failure
 * where nothing was placed, definitely.
 */
export async function sendOrder(deps: ActivityDependencies, order: BookOrder): Promise<OrderReported> {
  const room = roomOf(deps, order.venue);
  const startedAtMs = deps.now();
  const result = await sendUntilSent(deps, room.venue, order);
  deps.metrics.orderRoundTrip.observe({ purpose: order.purpose }, (deps.now() - startedAtMs) / 1_000);
  deps.metrics.orderSends.inc({ purpose: order.purpose, outcome: result.outcome });
  crashPoint(order.purpose === 'entry' ? 'afterAnswer' : 'afterExitAnswer');
  if (result.outcome === 'REJECTED' && saysOtherRules(result)) room.filters.clear(order.symbol);
  if (result.venueCode === -1021 && !room.venue.clockState().isUsable) await holdForClock(deps, order, result);

  const reported = await applySend(deps, room, order, result);
  crashPoint('afterRecord');
  if (result.outcome === 'NOT_SENT' || result.outcome === 'THROTTLED') {
    throw notPlaced((result.retryAtMs ?? 0) - deps.now(), `${result.outcome}: ${result.detail}`);
  }
  return reported;
}

/** Fresh measurements of the venue's clock did not help: entries stop, and somebody is told. */
const holdForClock = ({ db, now }: ActivityDependencies, order: BookOrder, { detail }: SendResult): Promise<void> =>
  holdForVenue(db, {
    account: order.account,
    venue: order.venue,
    code: 'VENUE_CLOCK_REFUSED',
    reason: `the venue refuses our timestamps: ${detail}`,
    context: { detail },
    nowMs: now(),
  });

/**
 * A connection that was never made is tried again at once: the timestamp is still good and no byte has left. What the
 * venue has answered needs a fresh one.
 */
async function sendUntilSent(deps: ActivityDependencies, venue: Venue, order: BookOrder): Promise<SendResult> {
  const { now, sleep } = deps;
  const overtaken = overtakenBy(deps, order);
  const lane = order.purpose === 'entry' ? 'entry' : 'exit';
  for (let attempt = 1; ; attempt += 1) {
    const hold = await overtaken();
    if (hold !== null) return { outcome: 'NOT_SENT', isHeldBack: true, detail: hold };
    const result = await venue.placeOrder(order, lane);
    const isValid = now() < order.signedAtMs + order.recvWindowMs;
    const hasAnswer = result.httpStatus !== undefined;
    if (result.outcome !== 'NOT_SENT' || hasAnswer || attempt >= notSentTriesMax || !isValid) return result;
    await sleep(backoffMs({ baseMs: 50, capMs: 500, factor: 2, attempt }));
  }
}

/**
 * Why an entry may not be sent after all: between the commit of its intent and its first byte, a process that was busy or
 * stopped may have been overtaken by a halt or a breaker. They were read with the intent; this reads them again once that
 * is too long ago. What can't be read sends nothing.
 */
function overtakenBy(deps: ActivityDependencies, order: BookOrder): () => Promise<string | null> {
  let readAtMs = order.updatedAtMs;
  return async () => {
    while (order.purpose === 'entry' && deps.now() - readAtMs > lookFreshMs) {
      readAtMs = deps.now();
      const obstacle = await obstacleTo(deps, order, readAtMs);
      if (obstacle !== null) return obstacle;
    }
    return null;
  };
}

async function obstacleTo(deps: ActivityDependencies, order: BookOrder, nowMs: number): Promise<string | null> {
  try {
    const holdId = await holdOver(deps.db, order.clientOrderId, nowMs);
    if (holdId !== null) return `hold ${holdId} came before it was sent`;
    return (await isBreakerOpen(deps, order)) ? 'the breaker opened before it was sent' : null;
  } catch (error) {
    return `the holds or the breaker could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function notPlaced(delayMs: number, detail: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `ORDER_NOT_PLACED: nothing was placed, and it will be tried again (${detail})`,
    type: 'ORDER_NOT_PLACED',
    nextRetryDelay: Math.max(100, delayMs),
  });
}
