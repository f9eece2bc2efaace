import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProtectionInput, ProtectionInstruction } from '../src/contracts/messages/messages.ts';
import type { ProtectionView } from '../src/contracts/messages/views.ts';
import { planProtection, requestExit, venueActivities } from './activity-proxies.ts';
import { describeProtection } from './details.ts';
import { assertActivityFailed, causeOf } from './failures.ts';
import * as messages from './messages.ts';

const failurePauseMs = 5_000;

/**
 * Keeps one stop at the venue for a position, so that it is protected with nobody here to watch: as large as what is
 * held, where the local guard stands. What to do next is decided on the book alone; messages only say that it has
 * changed. It ends once the exit was asked for, which treats the stop from then on. Like its position, it can't be
 * canceled.
 */
export function protectiveStop(input: ProtectionInput, carried?: ProtectionView): Promise<ProtectionView> {
  return CancellationScope.nonCancellable(() => protect(input, carried));
}

async function protect(input: ProtectionInput, carried?: ProtectionView): Promise<ProtectionView> {
  const { tradeId } = input;
  let view: ProtectionView = carried ?? { tradeId, doing: 'look', stopPrice: null, quantity: null, orders: 0 };
  let heard = 0;
  let isOver = false;
  const show = (changed: Partial<ProtectionView>): void => {
    view = { ...view, ...changed };
    setCurrentDetails(describeProtection(input, view));
  };
  const hear = (): void => {
    heard += 1;
  };
  setHandler(messages.protectionView, () => view);
  setHandler(messages.orderReported, hear);
  setHandler(messages.entryProgressed, hear);
  setHandler(messages.guardChanged, hear);
  setHandler(messages.positionClosed, () => {
    isOver = true;
  });
  if (carried) setCurrentDetails(describeProtection(input, carried));

  while (!isOver) {
    const known = heard;
    const mustLook = () => isOver || heard > known;
    try {
      const next = await planProtection(tradeId);
      if (next.step === 'done') break;
      show({ doing: next.step, ...sentBy(next, view) });
      await act(input, next, mustLook);
    } catch (error) {
      assertActivityFailed(error);
      show({ doing: 'pause' });
      await condition(mustLook, failurePauseMs, { summary: `look again after a failure: ${causeOf(error)}` });
    }
    if (!isOver && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof protectiveStop>(input, view);
    }
  }
  show({ doing: 'done' });
  await condition(allHandlersFinished);
  return view;
}

function sentBy(next: ProtectionInstruction, { orders }: ProtectionView): Partial<ProtectionView> {
  if (next.step !== 'place' && next.step !== 'replace') return {};
  const { stopPrice, quantity } = next.terms;
  return { stopPrice, quantity, orders: orders + 1 };
}

async function untilTold(
  mustLook: () => boolean,
  { untilMs, why }: Extract<ProtectionInstruction, { readonly step: 'wait' }>,
): Promise<void> {
  if (untilMs === null) await condition(mustLook);
  else await condition(mustLook, Math.max(1, untilMs - Date.now()), { summary: why });
}

const askedBeforeLookMs = 60_000;

/** Where somebody asked before and the position is open all the same, a person knows of it: no reason to hurry. */
async function leave(tradeId: string, mustLook: () => boolean): Promise<void> {
  const asked = await requestExit({ tradeId, reason: 'protectiveStop', source: 'protectiveStop' });
  if (asked !== 'requested') await condition(mustLook, askedBeforeLookMs, { summary: `the exit is ${asked}` });
}

function act(
  { tradeId, venue }: ProtectionInput,
  next: Exclude<ProtectionInstruction, { readonly step: 'done' }>,
  mustLook: () => boolean,
): Promise<unknown> {
  const { placeStop, replaceOrder, cancelOrder, collectFills, findOrder } = venueActivities(venue);
  switch (next.step) {
    case 'wait':
      return untilTold(mustLook, next);
    case 'exit':
      return leave(tradeId, mustLook);
    case 'place':
      return placeStop({ ...next.order, terms: next.terms });
    case 'replace':
      return replaceOrder({ cancel: next.cancel, order: { ...next.order, terms: next.terms } });
    case 'cancel':
      return cancelOrder(next.order);
    case 'find':
      return findOrder(next.order);
    case 'collectFills':
      return collectFills(next.order);
  }
}
