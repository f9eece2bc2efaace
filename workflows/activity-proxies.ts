import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { taskQueues } from '../src/contracts/messages/names.ts';

// Short, idempotent database work. Up to the third retry it waits inside the workflow task; from then on a timer of the
// workflow does, because a task that waits for a database holds one of the worker's few slots and hears no message.
const database = {
  startToCloseTimeout: '3 seconds',
  localRetryThreshold: '500 ms',
  retry: { initialInterval: '100 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' },
} as const;

/** It never gives up: a request past its deadline is denied, but its denial is recorded once the database is back. */
const patient = { ...database, scheduleToCloseTimeout: '365 days' } as const;

export const { checkLimits } = proxyLocalActivities<Activities>({ ...patient, summary: 'decide and reserve' });
export const { armGuards, armTrailingStop, amendTrailingStop, disarmGuards } = proxyLocalActivities<Activities>({
  ...patient,
  summary: 'arm or disarm guards',
});
export const { requestExit } = proxyLocalActivities<Activities>({ ...patient, summary: 'ask for the exit' });
export const { planExit, settleTrade } = proxyLocalActivities<Activities>({ ...patient, summary: 'next step to flat' });
export const { planProtection } = proxyLocalActivities<Activities>({
  ...patient,
  summary: 'next step for the stop at the venue',
});
export const { foldBreaker, haltTrading, resumeTrading } = proxyLocalActivities<Activities>({
  ...patient,
  summary: 'fold the outcomes, set or lift a hold',
});

export const { settleCorrection } = proxyLocalActivities<Activities>({
  ...patient,
  summary: 'carry out the decision on a correction',
});

const venueRetry = { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' } as const;

/**
 * What talks to a venue, on the venue's own queue. The start-to-close timeout is longer than the venue's own 10 s; the
 * heartbeat finds a dead worker soon. Every attempt looks before it sends, so retries are safe.
 */
export const venueActivities = (venue: string) => {
  const common = {
    taskQueue: taskQueues.venue(venue),
    startToCloseTimeout: '15 seconds',
    heartbeatTimeout: '3 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: venueRetry,
  } as const;
  const { placeOrder: placeEntry } = proxyActivities<Activities>({
    ...common,
    // Adding risk has a deadline.
    scheduleToCloseTimeout: '60 seconds',
    priority: { priorityKey: 3 },
    summary: 'place the entry order',
  });
  const { placeOrder: placeExit } = proxyActivities<Activities>({
    ...common,
    // Taking risk away never gives up.
    priority: { priorityKey: 1 },
    summary: 'place the exit order',
  });
  // A stop that can't be placed for so long is planned anew: its price and quantity may be outdated.
  const stops = { ...common, scheduleToCloseTimeout: '60 seconds', priority: { priorityKey: 1 } } as const;
  const { placeOrder: placeStop } = proxyActivities<Activities>({ ...stops, summary: 'place the stop at the venue' });
  const { replaceOrder } = proxyActivities<Activities>({ ...stops, summary: 'move the stop at the venue' });
  const urgent = { ...common, priority: { priorityKey: 1 } } as const;
  const { cancelOrder } = proxyActivities<Activities>({ ...urgent, summary: 'cancel the order' });
  const { cancelOrder: cancelForExit } = proxyActivities<Activities>({
    ...urgent,
    // What is held is sold, whether or not this can be confirmed: the exit asks again afterwards.
    scheduleToCloseTimeout: '4 seconds',
    summary: 'cancel the order',
  });
  const { collectFills } = proxyActivities<Activities>({ ...urgent, summary: 'read the fills that are missing' });
  const { findOrder } = proxyActivities<Activities>({
    ...common,
    // One look, that may place the order again. How long until the next one it says itself.
    startToCloseTimeout: '60 seconds',
    priority: { priorityKey: 2 },
    summary: 'ask the venue what became of the order',
  });
  return { placeEntry, placeExit, placeStop, replaceOrder, cancelOrder, cancelForExit, collectFills, findOrder };
};

/** Looks of a freeze, on the queue of the venue. A look ends within seconds; the workflow itself asks again. */
export const sweepActivities = (venue: string) =>
  proxyActivities<Pick<Activities, 'cancelSweep'>>({
    taskQueue: taskQueues.venue(venue),
    startToCloseTimeout: '15 seconds',
    heartbeatTimeout: '3 seconds',
    priority: { priorityKey: 2 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: venueRetry,
    summary: 'look, and cancel what is left',
  });

/** Reads of the account that nothing waits for. A run that can't be done leaves it to the next. */
export const reportActivities = (venue: string) =>
  proxyActivities<Pick<Activities, 'reconcileAccount'>>({
    taskQueue: taskQueues.venue(venue),
    startToCloseTimeout: '60 seconds',
    scheduleToCloseTimeout: '90 seconds',
    heartbeatTimeout: '3 seconds',
    priority: { priorityKey: 5 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: venueRetry,
    summary: 'compare the book with the venue',
  });

/** The eyes. One attempt runs until it is asked to return; a dead worker is noticed within the heartbeat timeout. */
const watching = {
  taskQueue: taskQueues.watches,
  startToCloseTimeout: '365 days',
  heartbeatTimeout: '5 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 ms', backoffCoefficient: 1 },
} as const;

export const { watchMarket } = proxyActivities<Activities>({
  ...watching,
  summary: 'watch prices for every armed guard',
});
export const { watchAccount } = proxyActivities<Activities>({
  ...watching,
  summary: 'read orders, fills and balances',
});
