import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
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
import { isClosed } from '../src/domain/order.ts';
import { checkLimits, venueActivities } from './activity-proxies.ts';
import { describeEntry } from './details.ts';
import * as messages from './messages.ts';

/**
 * Opens one trade: decides once and for ever, reserves, places the order exactly once, and waits until nothing of it
 * can fill any more. In doubt it does not end. The monitor is started by the first fill, not from here.
 */
export async function entry(request: EntryRequest): Promise<EntryOutcome> {
  let view: EntryView = { tradeId: request.tradeId, phase: 'requested', decision: null, order: null };
  let refusal: ApplicationFailure | undefined;

  const show = (changed: Partial<EntryView>): void => {
    const isNewPhase = changed.phase !== undefined && changed.phase !== view.phase;
    view = { ...view, ...changed };
    setCurrentDetails(describeEntry(request, view));
    if (isNewPhase) upsertSearchAttributes([{ key: messages.stateAttribute, value: view.phase }]);
  };
  const hear = (report: OrderReported): void => {
    if (report.purpose !== 'entry' || (view.order && !isNewer(report, view.order))) return;
    show({ order: report, phase: phaseOf(report) });
  };
  setHandler(messages.entryView, () => view);
  setHandler(messages.orderReported, hear);
  setHandler(messages.decide, async () => {
    await condition(() => view.decision !== null || refusal !== undefined);
    if (refusal) throw refusal;
    return view.decision as EntryDecision;
  });

  try {
    assertOwnId(request);
    const checked = await checkLimits(request, workflowInfo().runId);
    show({ decision: checked.decision });
    if (checked.outcome === 'existing') show({ phase: 'existing' });
    else if (checked.outcome === 'denied') show({ phase: 'denied' });
    else await enter(request, show, hear, () => view);
  } catch (error) {
    refusal = refusalOf(error);
    await condition(allHandlersFinished);
    throw refusal;
  }
  await condition(allHandlersFinished);
  return outcomeOf(view);
}

/** From the approval to the end of the order. A cancellation of the workflow cancels what still works. */
async function enter(
  request: EntryRequest,
  show: (changed: Partial<EntryView>) => void,
  hear: (report: OrderReported) => void,
  now: () => EntryView,
): Promise<void> {
  const { placeEntry, cancelOrder, findOrder } = venueActivities(request.venue);
  const order = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
  upsertSearchAttributes(attributesOf(request));
  show({ phase: 'placing' });

  // Once the intent may exist, only the venue's word ends the entry: nothing here may be cut short.
  await CancellationScope.nonCancellable(async () => {
    try {
      hear(await placeEntry(order));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      hear(await findOrder(order));
    }
    while (now().order?.inDoubt && now().order?.status !== 'parked') hear(await findOrder(order));
  });

  const isOver = () => hasEnded(now().order);
  const expireAfterMs = request.entry.type === 'LIMIT' ? request.entry.expireAfterMs : undefined;
  const ended = await endedInTime(isOver, expireAfterMs);
  await CancellationScope.nonCancellable(async () => {
    if (!ended && now().order?.status !== 'parked') hear(await cancelOrder(order));
    while (!isOver()) {
      // A cancel may have an unknown outcome too: ask, and otherwise wait for the stream.
      if (now().order?.inDoubt && now().order?.status !== 'parked') hear(await findOrder(order));
      else await condition(() => isOver() || now().order?.inDoubt === true);
    }
  });
  show({ phase: phaseOf(now().order) });
}

/** Whether the order ended by itself before its time was up, or before the workflow was canceled. */
async function endedInTime(isOver: () => boolean, expireAfterMs: number | undefined): Promise<boolean> {
  try {
    if (expireAfterMs === undefined) await condition(isOver);
    else await condition(isOver, expireAfterMs, { summary: 'the entry order expires' });
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  return isOver();
}

const hasEnded = (order: OrderReported | null): boolean =>
  order !== null && isClosed(order.status) && order.fillsComplete && !order.inDoubt;

function phaseOf(order: OrderReported | null): EntryView['phase'] {
  if (order === null) return 'placing';
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

// Under another id two runs could decide the same trade; under its own the server keeps the second from starting.
function assertOwnId(request: EntryRequest): void {
  const { workflowId } = workflowInfo();
  if (workflowId === entryId(request?.tradeId)) return;
  throw ApplicationFailure.nonRetryable(
    `WORKFLOW_ID_INVALID: an entry runs only under its own workflow id. (workflowId=${workflowId}, expected=${entryId(request?.tradeId)}) To fix: start it with the workflow id entry-<tradeId>.`,
    'WORKFLOW_ID_INVALID',
  );
}

/** The activity's own refusal, so that whoever waits reads its code and faults, not the plumbing around it. */
function refusalOf(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) return error.cause;
  throw error;
}

const attributesOf = (request: EntryRequest) => [
  { key: messages.symbolAttribute, value: request.legs[0]?.symbol ?? '' },
  { key: messages.strategyAttribute, value: request.strategy },
  { key: messages.accountAttribute, value: request.account },
];
