import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AccountWatchInput } from '../src/contracts/messages/messages.ts';
import { watchAccount } from './activity-proxies.ts';
import { assertActivityFailed, causeOf } from './failures.ts';
import { wake } from './messages.ts';

const failurePauseMs = 5_000;

/**
 * Reads the account for as long as it is configured: the user-data stream, and over REST whatever its gaps hid. What
 * it hears is committed first and told second.
 */
export async function accountWatch(input: AccountWatchInput): Promise<void> {
  let wakes = 0;
  setHandler(wake, () => {
    wakes += 1;
  });
  while (!workflowInfo().continueAsNewSuggested) {
    const seen = wakes;
    try {
      setCurrentDetails(`Reading orders, fills and balances of **${input.account}** at **${input.venue}**`);
      await watchAccount(input);
    } catch (error) {
      assertActivityFailed(error);
      setCurrentDetails(`**Not reading** ${input.account} at ${input.venue}, trying again: ${causeOf(error)}`);
      await condition(() => wakes > seen, failurePauseMs, { summary: 'read again after a failure' });
    }
  }
  await continueAsNew<typeof accountWatch>(input);
}
