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
import type { CancelAllInput } from '../src/contracts/messages/messages.ts';
import type { CancelAllView, SweepView } from '../src/contracts/messages/views.ts';
import { sweepActivities } from './activity-proxies.ts';
import { describeSweeps } from './details.ts';
import { insist } from './failures.ts';
import * as messages from './messages.ts';

/**
 * Carries out a freeze: takes back every entry order of the scope, at each of its venues, until the venue has said twice
 * that none is left, and for a flatten sees every trade out. It ends early when its hold is lifted or set again. What
 * it can't cancel is an alert by then, and it goes on trying.
 */
export function cancelAll(input: CancelAllInput, carried: readonly SweepView[] = []): Promise<CancelAllView> {
  return CancellationScope.nonCancellable(() => sweepAll(input, carried));
}

async function sweepAll(input: CancelAllInput, carried: readonly SweepView[]): Promise<CancelAllView> {
  const sweeps = new Map<string, SweepView>(carried.map((sweep) => [sweep.venue, sweep]));
  const view = (): CancelAllView => ({
    scope: input.scope,
    epoch: input.epoch,
    sweeps: input.venues.flatMap((venue) => sweeps.get(venue) ?? []),
  });
  const show = (sweep: SweepView): void => {
    sweeps.set(sweep.venue, sweep);
    setCurrentDetails(describeSweeps(input, view()));
  };
  setHandler(messages.sweepView, view);
  upsertSearchAttributes([{ key: messages.stateAttribute, value: input.level }]);

  const isOver = () => workflowInfo().continueAsNewSuggested;
  const open = input.venues.filter((venue) => (sweeps.get(venue)?.outcome ?? null) === null);
  await Promise.all(open.map((venue) => sweepVenue(input, venue, show, isOver)));
  await condition(allHandlersFinished);
  if (view().sweeps.some(({ outcome }) => outcome === null)) {
    await continueAsNew<typeof cancelAll>(input, view().sweeps);
  }
  return view();
}

/** Looks and cancels until this venue is clear, the hold is gone, or the history has grown too long. */
async function sweepVenue(
  { epoch }: CancelAllInput,
  venue: string,
  show: (sweep: SweepView) => void,
  isOver: () => boolean,
): Promise<void> {
  const { cancelSweep } = sweepActivities(venue);
  while (!isOver()) {
    const progress = await insist(() => cancelSweep({ holdVersion: epoch, venue }), isOver);
    if (progress === undefined) return;
    const { isEnded, ...sweep } = progress;
    show({ ...sweep, venue });
    if (isEnded) return;
    const waitMs = Math.max(50, progress.nextLookAtMs - Date.now());
    await condition(isOver, waitMs, { summary: `look again at ${venue}` });
  }
}
