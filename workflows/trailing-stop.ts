import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { GuardChanged, StopAmendment, StopInput } from '../src/contracts/messages/messages.ts';
import type { StopView } from '../src/contracts/messages/views.ts';
import { decimal, isDecimal } from '../src/domain/decimal.ts';
import { amendmentFaults, joinTrailingStop, type TrailingStopRules } from '../src/domain/trailing-stop.ts';
import { amendTrailingStop, armTrailingStop } from './activity-proxies.ts';
import { describeStop } from './details.ts';
import { insist, refuse, throwRefusal } from './failures.ts';
import * as messages from './messages.ts';

/**
 * The life of one trailing stop: waiting, trailing, triggered. It only tightens and it triggers once. It is never on
 * the way from a price to an exit order: the market watch moves and triggers it, and tells. Like its position, it can't
 * be canceled.
 */
export function trailingStop(input: StopInput, carried?: StopView): Promise<StopView | null> {
  return CancellationScope.nonCancellable(() => trail(input, carried));
}

async function trail(input: StopInput, carried?: StopView): Promise<StopView | null> {
  let view: StopView | null = carried ?? null;
  let isOver = false;
  const early: GuardChanged[] = [];

  const show = (next: StopView): void => {
    const isNewStatus = next.stop.status !== view?.stop.status;
    view = next;
    setCurrentDetails(describeStop(input, view));
    if (isNewStatus) upsertSearchAttributes([{ key: messages.stateAttribute, value: view.stop.status }]);
  };
  const hear = (change: GuardChanged): void => {
    if (change.kind !== 'trailingStop' || change.stop === undefined) return;
    if (view === null) early.push(change);
    else show(joined(view, change));
  };
  if (carried) setCurrentDetails(describeStop(input, carried));
  setHandler(messages.stopView, () => view);
  setHandler(messages.guardChanged, hear);
  setHandler(messages.positionClosed, () => {
    isOver = true;
  });
  const amend = async (amendment: StopAmendment): Promise<StopView> => {
    await condition(() => view !== null || isOver);
    if (isOver) throw refuse('STOP_AMENDMENT_REFUSED', [nothingToGuard]);
    const amended = await amendTrailingStop({ tradeId: input.tradeId, amendment }).catch(throwRefusal);
    // What the watch told meanwhile is as true as this answer.
    show(view === null ? amended : together(amended.rules, view, amended));
    return view as unknown as StopView;
  };
  setHandler(messages.amendStop, (amendment) => CancellationScope.nonCancellable(() => amend(amendment)), {
    validator: (amendment) => {
      const faults = isOver ? [nothingToGuard] : faultsOf(amendment, view);
      if (faults.length > 0) throw refuse('STOP_AMENDMENT_REFUSED', faults);
    },
  });

  if (view === null) {
    const armed = await insist(
      () => armTrailingStop(input.tradeId),
      () => isOver,
    );
    // Null, and the trade was on its way out already: there is nothing to guard.
    if (armed) show(armed);
    else isOver = true;
    for (const change of early.splice(0)) hear(change);
  }

  await condition(() => isOver || workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  if (!isOver) await continueAsNew<typeof trailingStop>(input, view as unknown as StopView);
  return view as StopView | null;
}

const nothingToGuard = 'The position is closed, or on its way out.';

/** Anybody may send an update, and an activity would try a broken one for ever: so its form is checked here as well. */
function faultsOf(amendment: Partial<StopAmendment> | undefined, view: StopView | null): readonly string[] {
  const { distance, actor, reason } = amendment ?? {};
  const faults = [
    ...(isDecimal(distance) ? [] : ['distance is a decimal as text, such as "0.8".']),
    ...(isText(actor) ? [] : ['actor is who asks for it, a text.']),
    ...(isText(reason) ? [] : ['reason is a text.']),
  ];
  if (faults.length > 0 || view === null) return faults;
  return amendmentFaults(view.rules, view.stop, { distance: decimal(distance as string) });
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

/** Events carry the whole state and may come twice or out of order, so they are joined, not applied. */
const joined = (view: StopView, { stop, version, triggered }: GuardChanged): StopView =>
  together(view.rules, view, { version, stop: stop ?? view.stop, triggeredAtPrice: triggered?.price ?? null });

function together(
  rules: TrailingStopRules,
  view: StopView,
  heard: Pick<StopView, 'version' | 'stop' | 'triggeredAtPrice'>,
): StopView {
  return {
    ...view,
    rules,
    version: Math.max(view.version, heard.version),
    stop: joinTrailingStop(rules, view.stop, heard.stop),
    triggeredAtPrice: view.triggeredAtPrice ?? heard.triggeredAtPrice,
  };
}
