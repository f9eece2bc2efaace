import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { GuardChanged, StopAmendment, StopInput } from '../src/contracts/messages/messages.ts';
import type { StopView } from '../src/contracts/messages/views.ts';
import { amendmentFaults, joinTrailingStop } from '../src/domain/trailing-stop.ts';
import { amendTrailingStop, armTrailingStop } from './activity-proxies.ts';
import { describeStop } from './details.ts';
import { refuse } from './failures.ts';
import * as messages from './messages.ts';

/**
 * The life of one trailing stop: waiting, trailing, triggered. It only tightens and it triggers once. It is never on
 * the way from a price to an exit order: the market watch moves and triggers it, and tells.
 */
export async function trailingStop(input: StopInput, carried?: StopView): Promise<StopView | null> {
  let view: StopView | null = carried ?? null;
  let closed = false;
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
  setHandler(messages.stopView, () => view);
  setHandler(messages.guardChanged, hear);
  setHandler(messages.positionClosed, () => {
    closed = true;
  });
  setHandler(
    messages.amendStop,
    async (amendment: StopAmendment) => {
      await condition(() => view !== null);
      show(await amendTrailingStop({ tradeId: input.tradeId, amendment }));
      return view as unknown as StopView;
    },
    {
      validator: (amendment: StopAmendment) => {
        const faults = view === null ? [] : amendmentFaults(view.rules, view.stop, amendment);
        if (closed || faults.length > 0)
          throw refuse('STOP_AMENDMENT_REFUSED', closed ? ['the position is closed'] : faults);
      },
    },
  );

  if (view === null) {
    const armed = await armTrailingStop(input.tradeId);
    // The trade was on its way out already: there is nothing to guard.
    if (armed === null) return null;
    show(armed);
    for (const change of early.splice(0)) hear(change);
  }

  await condition(() => closed || workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  if (!closed) await continueAsNew<typeof trailingStop>(input, view as unknown as StopView);
  return view as unknown as StopView;
}

/** Events carry the whole state and may come twice or out of order, so they are joined, not applied. */
function joined(view: StopView, { stop, version, triggered }: GuardChanged): StopView {
  return {
    ...view,
    version: Math.max(view.version, version),
    stop: stop === undefined ? view.stop : joinTrailingStop(view.rules, view.stop, stop),
    triggeredAtPrice: view.triggeredAtPrice ?? triggered?.price ?? null,
  };
}
