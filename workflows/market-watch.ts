import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { MarketWatchInput } from '../src/contracts/messages/messages.ts';
import { watchMarket } from './activity-proxies.ts';
import { wake } from './messages.ts';

/**
 * The eyes of every position whose symbol falls into the shard. It decides nothing: one activity looks, and this
 * workflow only sees to it that somebody does. It ends when nothing is armed.
 */
export async function marketWatch(input: MarketWatchInput): Promise<void> {
  let wakes = 0;
  setHandler(wake, () => {
    wakes += 1;
  });
  for (;;) {
    const seen = wakes;
    setCurrentDetails(`Watching **${input.shard}**`);
    const left = await watchMarket(input);
    // Whoever arms after the watch has left finds no lease and wakes us; that message may be here already.
    if (left === 'nothing-armed' && wakes === seen) break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof marketWatch>(input);
    }
  }
  await condition(allHandlersFinished);
}
