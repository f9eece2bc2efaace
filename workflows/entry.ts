import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { EntryDecision, EntryOutcome } from '../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../src/contracts/messages/entry-request.ts';
import { isNewer, type OrderReported } from '../src/contracts/messages/messages.ts';
import { entryId } from '../src/contracts/messages/names.ts';
import type { EntryView } from '../src/contracts/messages/views.ts';
import { zero } from '../src/domain/decimal.ts';
import { type EntryStep, entryPhaseOf, hasFilled, nextEntryStep } from '../src/domain/entry-legs.ts';
import { describe } from '../src/domain/errors.ts';
import { checkLimits, requestExit, venueActivities } from './activity-proxies.ts';
import { describeEntry } from './details.ts';
import { assertActivityFailed, insist, throwRefusal } from './failures.ts';
import * as messages from './messages.ts';

/** What the parts of an entry share. */
type Entry = {
  /** As sent, and from the decision on as decided: with its defaults. */
  request: EntryRequest;
  view: EntryView;
  /** Legs of which the venue has to be asked what became of their order. */
  readonly doubted: Set<number>;
  /** When the order of each leg has worked for long enough. */
  readonly dueAtMs: Map<number, number>;
  /** The trade is flat again, and its money counted. */
  isSettled: boolean;
  /** Its phase is its end: what is still told of its orders changes nothing of that. */
  isCompensated: boolean;
  readonly isCanceled: () => boolean;
};

/**
 * Opens one trade: decides once and for ever, reserves, places the order of each leg exactly once, and waits until
 * nothing of it can fill any more. Of several legs all are filled in the end, or none is held. In doubt it does not end.
 * The monitor is started by the first fill, not from here. Canceled from outside, it cancels what still works and ends
 * with what became of it.
 */
export function entry(request: EntryRequest): Promise<EntryOutcome> {
  const outside = CancellationScope.current();
  // Once the intent may exist, only the venue's word ends the entry: nothing here may be cut short.
  return CancellationScope.nonCancellable(() => open(request, () => outside.consideredCancelled));
}

async function open(request: EntryRequest, isCanceled: () => boolean): Promise<EntryOutcome> {
  const entry: Entry = {
    request,
    view: { tradeId: request?.tradeId, phase: 'requested', decision: null, orders: [] },
    doubted: new Set(),
    dueAtMs: new Map(),
    isSettled: false,
    isCompensated: false,
    isCanceled,
  };
  let refusal: ApplicationFailure | undefined;
  setHandler(messages.entryView, () => entry.view);
  setHandler(messages.orderReported, (report) => hear(entry, report));
  setHandler(messages.positionClosed, () => {
    entry.isSettled = true;
  });
  setHandler(messages.decide, () =>
    // Whoever cancels the entry does not cancel the question.
    CancellationScope.nonCancellable(async () => {
      await condition(() => entry.view.decision !== null || refusal !== undefined);
      if (refusal) throw refusal;
      return entry.view.decision as EntryDecision;
    }),
  );

  try {
    assertOwnId(request);
    const checked = await checkLimits(request, workflowInfo().runId).catch(throwRefusal);
    entry.request = checked.request;
    show(entry, { decision: checked.decision });
    if (checked.outcome === 'approved') await enter(entry);
    else show(entry, { phase: checked.outcome });
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    refusal = error;
    await condition(allHandlersFinished);
    throw refusal;
  }
  await condition(allHandlersFinished);
  return outcomeOf(entry);
}

/** From the approval to the end of all orders, or until what they bought is sold again. */
async function enter(entry: Entry): Promise<void> {
  upsertSearchAttributes(attributesOf(entry.request));
  // The stream may have told of an order already.
  const orders = entry.request.legs.map((_, leg) => entry.view.orders[leg] ?? null);
  show(entry, { orders, phase: entryPhaseOf(orders) });
  for (;;) {
    const next = nextStep(entry);
    switch (next.step) {
      case 'end':
        return;
      case 'compensate':
        return compensate(entry);
      case 'await':
        await untilOther(entry, next);
        break;
      default:
        await ask(entry, next);
    }
  }
}

function nextStep({ request, view, doubted, dueAtMs, isCanceled }: Entry): EntryStep {
  const legs = request.legs.map((_, leg) => ({
    order: view.orders[leg] ?? null,
    isDoubted: doubted.has(leg),
    isDue: Date.now() >= (dueAtMs.get(leg) ?? Infinity),
  }));
  return nextEntryStep(legs, isCanceled());
}

/** Has the step done by the venue. Without an answer, only the venue can say what became of the leg's order. */
async function ask(entry: Entry, { step, leg }: Extract<EntryStep, { readonly leg: number }>): Promise<void> {
  const { request, doubted, dueAtMs } = entry;
  const { placeEntry, cancelOrder, findOrder } = venueActivities(request.venue);
  const generation = entry.view.orders[leg]?.generation ?? 1;
  const order = { tradeId: request.tradeId, leg, purpose: 'entry', generation } as const;
  switch (step) {
    case 'place':
      if (!(await isAnswered(entry, placeEntry(order)))) doubted.add(leg);
      dueAtMs.set(leg, Date.now() + expireAfterMsOf(request));
      break;
    case 'find':
      doubted.delete(leg);
      if (!(await isAnswered(entry, findOrder(order)))) await askAgainLater(entry, leg);
      break;
    case 'cancel':
      // A cancel may have an unknown outcome too.
      if (!(await isAnswered(entry, cancelOrder(order)))) await askAgainLater(entry, leg);
  }
}

async function isAnswered(entry: Entry, asked: Promise<OrderReported>): Promise<boolean> {
  try {
    hear(entry, await asked);
    return true;
  } catch (error) {
    assertActivityFailed(error);
    return false;
  }
}

/** No retry mends it, but somebody may mend its cause; meanwhile the stream may answer. */
async function askAgainLater(entry: Entry, leg: number): Promise<void> {
  const known = entry.view.orders[leg];
  entry.doubted.add(leg);
  await condition(() => entry.view.orders[leg] !== known, '1 minute', { summary: 'the venue can not be asked' });
}

/** Until there is something else to do. */
async function untilOther(entry: Entry, { step, leg }: Extract<EntryStep, { readonly leg: number }>): Promise<void> {
  const isOver = () => {
    const next = nextStep(entry);
    return next.step !== step || next.leg !== leg;
  };
  const leftMs = (entry.dueAtMs.get(leg) ?? Infinity) - Date.now();
  if (leftMs > 0 && leftMs < Infinity) await condition(isOver, leftMs, { summary: 'the entry order expires' });
  else await condition(isOver);
}

/** From here on no order of the entry is sent; the trade's exit cancels what works and sells what was bought. */
async function compensate(entry: Entry): Promise<void> {
  const { tradeId } = entry.view;
  show(entry, { phase: 'compensating' });
  const exit = { tradeId, reason: 'legFailed', source: 'entry' } as const;
  const asked = await insist(
    () => requestExit(exit),
    () => entry.isSettled,
  );
  // Otherwise it is over already.
  if (asked === 'requested' || asked === 'already') await condition(() => entry.isSettled);
  entry.isCompensated = true;
  show(entry, { phase: hasFilled(entry.view.orders) ? 'compensated' : 'unfilled' });
}

function show(entry: Entry, changed: Partial<EntryView>): void {
  const isNewPhase = changed.phase !== undefined && changed.phase !== entry.view.phase;
  entry.view = { ...entry.view, ...changed };
  setCurrentDetails(describeEntry(entry.request, entry.view));
  if (isNewPhase) upsertSearchAttributes([{ key: messages.stateAttribute, value: entry.view.phase }]);
}

function hear(entry: Entry, report: OrderReported): void {
  if (report.purpose !== 'entry') return;
  const { orders, phase } = entry.view;
  const known = orders[report.leg] ?? null;
  if (known === null || isNewer(report, known)) {
    const length = Math.max(orders.length, report.leg + 1);
    const heard = Array.from({ length }, (_, leg) => (leg === report.leg ? report : (orders[leg] ?? null)));
    show(entry, { orders: heard, phase: entry.isCompensated ? phase : entryPhaseOf(heard) });
  }
  // Given up, and pending again: a person wants the venue asked once more.
  else if (known.status === 'parked' && report.status === 'pendingNew') entry.doubted.add(report.leg);
}

const expireAfterMsOf = ({ entry }: EntryRequest): number =>
  (entry.type === 'LIMIT' ? entry.expireAfterMs : undefined) ?? Infinity;

function outcomeOf({ request, view }: Entry): EntryOutcome {
  const [first = nothing, ...otherLegs] = request.legs.map((_, leg) => filledOf(view.orders[leg] ?? nothing));
  return {
    tradeId: view.tradeId,
    outcome: view.phase as EntryOutcome['outcome'],
    decision: view.decision as EntryDecision,
    ...first,
    ...(otherLegs.length > 0 && { otherLegs }),
  };
}

const nothing = { filledQuantity: zero, filledQuote: zero };

const filledOf = ({ filledQuantity, filledQuote }: typeof nothing) => ({ filledQuantity, filledQuote });

/**
 * Under another id two runs could decide the same trade; under its own the server keeps the second from starting.
 * Without a trade id there is nothing to compare: the request is refused with all its faults.
 */
function assertOwnId(request: EntryRequest | null | undefined): void {
  const { workflowId } = workflowInfo();
  const tradeId: unknown = request?.tradeId;
  if (typeof tradeId !== 'string' || workflowId === entryId(tradeId)) return;
  const context = { workflowId, expected: entryId(tradeId) };
  throw ApplicationFailure.nonRetryable(describe('WORKFLOW_ID_INVALID', context), 'WORKFLOW_ID_INVALID', context);
}

const attributesOf = (request: EntryRequest) => [
  { key: messages.symbolAttribute, value: request.legs[0]?.symbol ?? '' },
  { key: messages.strategyAttribute, value: request.strategy },
  { key: messages.accountAttribute, value: request.account },
];
