import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ExitInput, PositionClosed } from '../src/contracts/messages/messages.ts';
import type { ExitView } from '../src/contracts/messages/views.ts';
import { planExit, settleTrade, venueActivities } from './activity-proxies.ts';
import { describeExit } from './details.ts';
import * as messages from './messages.ts';

/**
 * CLOSE: cancels what still works for the trade, sells what is left, and goes on until the venue is flat. One a trade.
 * It can't be canceled: a position that is on its way out is never left half way.
 */
export function exit(input: ExitInput, carried?: ExitView): Promise<PositionClosed> {
  return CancellationScope.nonCancellable(() => leave(input, carried));
}

async function leave(input: ExitInput, carried?: ExitView): Promise<PositionClosed> {
  const { placeExit, cancelOrder, collectFills, findOrder } = venueActivities(input.venue);
  const { tradeId } = input;
  let view: ExitView = carried ?? { tradeId, reason: input.reason, doing: 'look', orders: 0, closed: null };
  let reports = 0;
  const canceled: string[] = [];
  const show = (changed: Partial<ExitView>): void => {
    view = { ...view, ...changed };
    setCurrentDetails(describeExit(input, view));
  };
  setHandler(messages.exitView, () => view);
  setHandler(messages.orderReported, () => {
    reports += 1;
  });

  for (;;) {
    const seen = reports;
    const next = await planExit({ tradeId, canceled });
    show({ doing: next.step });
    switch (next.step) {
      case 'cancel':
        await cancelOrder(next.order);
        canceled.push(next.order.clientOrderId);
        break;
      case 'find':
        await findOrder(next.order);
        break;
      case 'collectFills':
        await collectFills(next.order);
        break;
      case 'place':
        await placeExit({ ...next.order, terms: next.terms });
        show({ orders: view.orders + 1 });
        break;
      case 'await':
        await condition(() => reports > seen, Math.max(1, next.untilMs - Date.now()), { summary: next.why });
        break;
      case 'settle': {
        const closed = await settleTrade(tradeId);
        if (closed === null) break;
        show({ doing: 'done', closed });
        await condition(allHandlersFinished);
        return closed;
      }
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof exit>(input, view);
    }
  }
}
