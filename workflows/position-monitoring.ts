import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  type ChildWorkflowOptions,
  condition,
  continueAsNew,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { EntryProgressed, GuardKind, PositionInput } from '../src/contracts/messages/messages.ts';
import { protectId, stopId } from '../src/contracts/messages/names.ts';
import type { PositionView } from '../src/contracts/messages/views.ts';
import { type Decimal, isMore, sum } from '../src/domain/decimal.ts';
import { armGuards, disarmGuards, requestExit } from './activity-proxies.ts';
import { describePosition } from './details.ts';
import { insist } from './failures.ts';
import * as messages from './messages.ts';
import { protectiveStop } from './protective-stop.ts';
import { trailingStop } from './trailing-stop.ts';

/**
 * Guards one position from its first fill until the venue is flat. It arms the stop loss and the take profit, starts
 * the trailing stop, and holds the time stop. Prices never come here: the market watch commits a trigger and starts
 * the exit itself, then tells. It can't be canceled: only the venue's word that it is flat ends a position.
 */
export function positionMonitoring(input: PositionInput, carried?: PositionView): Promise<PositionView> {
  return CancellationScope.nonCancellable(() => monitor(input, carried));
}

async function monitor(input: PositionInput, carried?: PositionView): Promise<PositionView> {
  let view: PositionView = carried ?? openingView(input);
  const show = (changed: Partial<PositionView>): void => {
    const isNewPhase = changed.phase !== undefined && changed.phase !== view.phase;
    view = { ...view, ...changed };
    setCurrentDetails(describePosition(input, view));
    if (isNewPhase) upsertSearchAttributes([{ key: messages.stateAttribute, value: view.phase }]);
  };
  if (carried) setCurrentDetails(describePosition(input, carried));
  setHandler(messages.positionView, () => view);
  setHandler(messages.entryProgressed, (progress) => show({ entry: later(view.entry, progress) }));
  setHandler(messages.positionClosed, (closed) => show({ phase: 'closed', closed }));
  setHandler(messages.guardChanged, (change) => {
    if (change.triggered && view.phase !== 'closed')
      show({ phase: 'closing', exitReason: view.exitReason ?? change.kind });
  });

  const isClosed = () => view.closed !== null;
  await condition(() => view.entry !== null);
  if (view.armed.length === 0 && view.phase === 'opening') {
    const guarded = await insist(() => guard(input, view.entry as EntryProgressed), isClosed);
    // A price may have crossed meanwhile: what is on its way out stays so.
    show(view.phase === 'opening' ? { ...guarded, phase: 'guarded' } : { ...guarded });
  }

  const mustHandOver = () => workflowInfo().continueAsNewSuggested;
  const isOver = () => view.phase !== 'guarded' || mustHandOver();
  if (view.phase === 'guarded' && (await isTimeUp(view.timeStopAtMs, isOver))) {
    const exit = { tradeId: input.tradeId, reason: 'timeStop', source: 'positionMonitoring' } as const;
    await insist(() => requestExit(exit), isClosed);
    if (view.phase === 'guarded') show({ phase: 'closing', exitReason: 'timeStop' });
  }
  await condition(() => isClosed() || mustHandOver());
  if (view.closed === null) {
    await condition(allHandlersFinished);
    await continueAsNew<typeof positionMonitoring>(input, view);
  }
  await insist(() => disarmGuards(input.tradeId));
  await condition(allHandlersFinished);
  return view;
}

/** Whether the time stop comes before anything else ends the wait. */
async function isTimeUp(timeStopAtMs: number | null, isOver: () => boolean): Promise<boolean> {
  if (timeStopAtMs === null) return false;
  return !(await condition(isOver, Math.max(1, timeStopAtMs - Date.now()), { summary: 'time stop' }));
}

/** From the first fill on nothing is naked: the levels are armed first, then the trailing stop takes up its own life. */
async function guard(input: PositionInput, entry: EntryProgressed): Promise<Partial<PositionView>> {
  const armed: GuardKind[] = [...(await armGuards(input.tradeId))];
  if (input.exit.trailingStop) {
    armed.push('trailingStop');
    await startTrailing(input);
  }
  if (input.exit.protectiveStop) await startProtection(input);
  const timeStopAtMs = input.exit.timeStopMs === undefined ? null : entry.firstFillAtMs + input.exit.timeStopMs;
  return { armed, timeStopAtMs };
}

function startTrailing(input: PositionInput): Promise<void> {
  const { tradeId, symbol, account, strategy } = input;
  return unlessStarted(
    startChild(trailingStop, {
      ...companionOf(input),
      workflowId: stopId(tradeId),
      args: [{ tradeId, symbol, account, strategy }],
      staticSummary: `trailing stop of ${tradeId} (${symbol})`,
    }),
  );
}

function startProtection(input: PositionInput): Promise<void> {
  const { tradeId, venue, symbol, account, strategy } = input;
  return unlessStarted(
    startChild(protectiveStop, {
      ...companionOf(input),
      workflowId: protectId(tradeId),
      args: [{ tradeId, venue, symbol, account, strategy }],
      staticSummary: `stop at ${venue} of ${tradeId} (${symbol})`,
    }),
  );
}

/** What lives as long as the position, whatever becomes of this run: continue-as-new would end a bound child. */
const companionOf = ({ symbol, account, strategy }: PositionInput) =>
  ({
    workflowTaskTimeout: '3 seconds',
    typedSearchAttributes: [
      { key: messages.symbolAttribute, value: symbol },
      { key: messages.strategyAttribute, value: strategy },
      { key: messages.accountAttribute, value: account },
    ],
    parentClosePolicy: ParentClosePolicy.ABANDON,
  }) satisfies ChildWorkflowOptions;

async function unlessStarted(start: Promise<unknown>): Promise<void> {
  try {
    await start;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

const openingView = ({ tradeId }: PositionInput): PositionView => ({
  tradeId,
  phase: 'opening',
  entry: null,
  armed: [],
  timeStopAtMs: null,
  exitReason: null,
  closed: null,
});

/** Cumulative, so the larger one is the later one, in whatever order they come. */
function later(known: EntryProgressed | null, heard: EntryProgressed): EntryProgressed {
  if (known === null) return heard;
  const isLater =
    isMore(heard.entryQuantity, known.entryQuantity) || isMore(otherQuantity(heard), otherQuantity(known));
  // A fill that was missed at first may be the earliest.
  const firstFillAtMs = Math.min(known.firstFillAtMs, heard.firstFillAtMs);
  return { ...(isLater || (heard.isFinal && !known.isFinal) ? heard : known), firstFillAtMs };
}

// No leg's quantity ever shrinks, so neither does their sum, whatever the assets are.
const otherQuantity = ({ otherLegs = [] }: EntryProgressed): Decimal =>
  sum(otherLegs.map(({ entryQuantity }) => entryQuantity));
