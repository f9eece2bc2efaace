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
import { isMore, zero } from '../src/domain/decimal.ts';
import { describe } from '../src/domain/errors.ts';
import { isClosed, isWorking } from '../src/domain/order.ts';
import { checkLimits, venueActivities } from './activity-proxies.ts';
import { describeEntry } from './details.ts';
import { assertActivityFailed, throwRefusal } from './failures.ts';
import * as messages from './messages.ts';

/** What the parts of an entry share. */
type Entry = {
  /** As sent, and from the decision on as decided: with its defaults. */
  request: EntryRequest;
  view: EntryView;
  /** The venue has to be asked what became of the order. */
  isDoubted: boolean;
  readonly isCanceled: () => boolean;
};

/**
 * Opens one trade: decides once and for ever, reserves, places the order exactly once, and waits until nothing of it
 * can fill any more. In doubt it does not end. The monitor is started by the first fill, not from here. Canceled from
 * outside, it cancels what still works and ends with what became of it.
 */
export function entry(request: EntryRequest): Promise<EntryOutcome> {
  const outside = CancellationScope.current();
  // Once the intent may exist, only the venue's word ends the entry: nothing here may be cut short.
  return CancellationScope.nonCancellable(() => open(request, () => outside.consideredCancelled));
}

async function open(request: EntryRequest, isCanceled: () => boolean): Promise<EntryOutcome> {
  const entry: Entry = {
    request,
    view: { tradeId: request?.tradeId, phase: 'requested', decision: null, order: null },
    isDoubted: false,
    isCanceled,
  };
  let refusal: ApplicationFailure | undefined;
  setHandler(messages.entryView, () => entry.view);
  setHandler(messages.orderReported, (report) => hear(entry, report));
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
  return outcomeOf(entry.view);
}

/** From the approval to the end of the order. */
async function enter(entry: Entry): Promise<void> {
  const { request, isCanceled } = entry;
  const { placeEntry, cancelOrder, findOrder } = venueActivities(request.venue);
  const order = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
  upsertSearchAttributes(attributesOf(request));
  // The stream may have told of the order already.
  if (orderOf(entry) === null) show(entry, { phase: 'placing' });

  // Canceled before anything was placed: to look finds no intent, and gives back what was reserved.
  if (isCanceled() || !(await isAnswered(entry, placeEntry(order)))) entry.isDoubted = true;

  const dueAtMs = Date.now() + expireAfterMsOf(request);
  const mustCancel = () => (isCanceled() || Date.now() >= dueAtMs) && isWorking(orderOf(entry)?.status ?? 'parked');
  while (!hasEnded(orderOf(entry))) {
    if (mustLook(entry)) {
      entry.isDoubted = false;
      if (!(await isAnswered(entry, findOrder(order)))) await askAgainLater(entry);
    } else if (mustCancel()) {
      // A cancel may have an unknown outcome too.
      if (!(await isAnswered(entry, cancelOrder(order)))) await askAgainLater(entry);
    } else {
      await untilOver(() => hasEnded(orderOf(entry)) || mustLook(entry) || mustCancel(), dueAtMs);
    }
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
async function askAgainLater(entry: Entry): Promise<void> {
  const known = orderOf(entry);
  entry.isDoubted = true;
  await condition(() => orderOf(entry) !== known, '1 minute', { summary: 'the venue can not be asked' });
}

async function untilOver(isOver: () => boolean, dueAtMs: number): Promise<void> {
  const leftMs = dueAtMs - Date.now();
  if (leftMs > 0 && leftMs < Infinity) await condition(isOver, leftMs, { summary: 'the entry order expires' });
  else await condition(isOver);
}

function show(entry: Entry, changed: Partial<EntryView>): void {
  const isNewPhase = changed.phase !== undefined && changed.phase !== entry.view.phase;
  entry.view = { ...entry.view, ...changed };
  setCurrentDetails(describeEntry(entry.request, entry.view));
  if (isNewPhase) upsertSearchAttributes([{ key: messages.stateAttribute, value: entry.view.phase }]);
}

function hear(entry: Entry, report: OrderReported): void {
  const known = orderOf(entry);
  if (report.purpose !== 'entry') return;
  if (known === null || isNewer(report, known)) show(entry, { order: report, phase: phaseOf(report) });
  // Given up, and pending again: a person wants the venue asked once more.
  else if (known.status === 'parked' && report.status === 'pendingNew') entry.isDoubted = true;
}

const orderOf = (entry: Entry): OrderReported | null => entry.view.order;

const mustLook = (entry: Entry): boolean =>
  entry.isDoubted || (entry.view.order?.inDoubt === true && entry.view.order.status !== 'parked');

const hasEnded = (order: OrderReported | null): boolean =>
  order !== null && isClosed(order.status) && order.fillsComplete && !order.inDoubt;

const expireAfterMsOf = ({ entry }: EntryRequest): number =>
  (entry.type === 'LIMIT' ? entry.expireAfterMs : undefined) ?? Infinity;

function phaseOf(order: OrderReported): EntryView['phase'] {
  if (order.status === 'parked') return 'parked';
  if (order.inDoubt) return 'in-doubt';
  if (!hasEnded(order)) return 'working';
  if (order.status === 'filled') return 'entered';
  return isMore(order.filledQuantity, zero) ? 'partly-entered' : 'unfilled';
}

function outcomeOf(view: EntryView): EntryOutcome {
  const filledQuantity = view.order?.filledQuantity ?? zero;
  const outcome = view.phase as EntryOutcome['outcome'];
  return {
    tradeId: view.tradeId,
    outcome,
    decision: view.decision as EntryDecision,
    filledQuantity,
    filledQuote: view.order?.filledQuote ?? zero,
  };
}

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
