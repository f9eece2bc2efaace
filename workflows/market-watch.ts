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
import { assertActivityFailed, causeOf } from './failures.ts';
import { wake } from './messages.ts';

const failurePauseMs = 5_000;

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
    try {
      setCurrentDetails(`Watching **${input.shard}**`);
      const left = await watchMarket(input);
      // Whoever arms after the watch has left finds no lease and wakes us; that message may be here already.
      if (left === 'nothing-armed' && wakes === seen) break;
    } catch (error) {
      assertActivityFailed(error);
      setCurrentDetails(`**Not watching** ${input.shard}, trying again: ${causeOf(error)}`);
      await condition(() => wakes > seen, failurePauseMs, { summary: 'watch again after a failure' });
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof marketWatch>(input);
    }
  }
  await condition(allHandlersFinished);
}
