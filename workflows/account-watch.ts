import { continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AccountWatchInput } from '../src/contracts/messages/messages.ts';
import { watchAccount } from './activity-proxies.ts';
import { wake } from './messages.ts';

/**
 * Reads the account for as long as it is configured: the user-data stream, and over REST whatever its gaps hid. What
 * it hears is committed first and told second.
 */
export async function accountWatch(input: AccountWatchInput): Promise<void> {
  setHandler(wake, () => undefined);
  setCurrentDetails(`Reading orders, fills and balances of **${input.account}** at **${input.venue}**`);
  while (!workflowInfo().continueAsNewSuggested) await watchAccount(input);
  await continueAsNew<typeof accountWatch>(input);
}
