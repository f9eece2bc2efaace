import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ExitInput, ExitInstruction, PositionClosed } from '../src/contracts/messages/messages.ts';
import type { ExitView } from '../src/contracts/messages/views.ts';
import { planExit, settleTrade, venueActivities } from './activity-proxies.ts';
import { describeExit } from './details.ts';
import { assertActivityFailed, causeOf } from './failures.ts';
import * as messages from './messages.ts';

const failurePauseMs = 5_000;

/**
 * CLOSE: cancels what still works for the trade, sells what is left, and goes on until the venue is flat. One a trade.
 * It can't be canceled and it never gives up: a position that is on its way out is never left half way.
 */
export function exit(input: ExitInput, carried?: ExitView): Promise<PositionClosed> {
  return CancellationScope.nonCancellable(() => leave(input, carried));
}

async function leave(input: ExitInput, carried?: ExitView): Promise<PositionClosed> {
  const { tradeId } = input;
  let view: ExitView = carried ?? { tradeId, reason: input.reason, doing: 'look', orders: 0, closed: null };
  let reports = 0;
  const canceled = new Map<string, number>();
  const show = (changed: Partial<ExitView>): void => {
    view = { ...view, ...changed };
    setCurrentDetails(describeExit(input, view));
  };
  setHandler(messages.exitView, () => view);
  setHandler(messages.orderReported, () => {
    reports += 1;
  });

  let planned = carried === undefined ? input.first : undefined;
  while (view.closed === null) {
    const seen = reports;
    const untilReported = (waitMs: number, summary: string) => condition(() => reports > seen, waitMs, { summary });
    try {
      const next = planned ?? (await planExit({ tradeId, canceled: [...canceled] }));
      planned = undefined;
      show({ doing: next.step });
      if (next.step === 'settle') show({ closed: await settleTrade(tradeId) });
      else if (next.step === 'await') await untilReported(Math.max(1, next.untilMs - Date.now()), next.why);
      else await act(input.venue, next);
      if (next.step === 'cancel') canceled.set(next.order.clientOrderId, Date.now());
      if (next.step === 'place') show({ orders: view.orders + 1 });
    } catch (error) {
      assertActivityFailed(error);
      show({ doing: `look again after a failure: ${causeOf(error)}` });
      await untilReported(failurePauseMs, 'look again after a failure');
    }
    if (view.closed === null && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof exit>(input, view);
    }
  }
  show({ doing: 'done' });
  await condition(allHandlersFinished);
  return view.closed;
}

function act(venue: string, next: Exclude<ExitInstruction, { readonly step: 'await' | 'settle' }>): Promise<unknown> {
  const { placeExit, cancelForExit, collectFills, findOrder } = venueActivities(venue);
  switch (next.step) {
    case 'cancel':
      return ifPossible(cancelForExit(next.order));
    case 'find':
      return findOrder(next.order);
    case 'collectFills':
      return collectFills(next.order);
    case 'place':
      return placeExit({ ...next.order, terms: next.terms });
  }
}

/** An order that could not be canceled in time may still work: what is held is sold first, then it is asked again. */
async function ifPossible(canceling: Promise<unknown>): Promise<void> {
  try {
    await canceling;
  } catch (error) {
    assertActivityFailed(error);
    log.warn('the cancel of an order is not confirmed', { cause: causeOf(error) });
  }
}
