import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { accountScope, accountWatchId, breakerId, taskQueues, workflowTypes } from '../contracts/messages/names.ts';

/** Sees to it that the account is watched and its breaker runs: both live for as long as the account is configured. */
export async function startStandingLifecycles(
  client: Client,
  { venue, account }: { venue: string; account: string },
): Promise<void> {
  const scope = accountScope(account);
  await start(client, workflowTypes.circuitBreaker, {
    workflowId: breakerId(scope),
    taskQueue: taskQueues.guards,
    args: [{ scope, account }],
    staticSummary: `circuit breaker and halts of account ${account}`,
  });
  await start(client, workflowTypes.accountWatch, {
    workflowId: accountWatchId(venue, account),
    taskQueue: taskQueues.watches,
    args: [{ venue, account }],
    staticSummary: `orders, fills and balances of account ${account} at ${venue}`,
  });
}

type StartOptions = {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [Record<string, string>];
  readonly staticSummary: string;
};

async function start(client: Client, workflowType: string, options: StartOptions): Promise<void> {
  try {
    await client.workflow.start(workflowType, { ...options, workflowTaskTimeout: '3 seconds' });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
