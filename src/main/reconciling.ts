import { type Client, ScheduleAlreadyRunning, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Logger } from 'pino';
import { reconciliationId, taskQueues, workflowTypes } from '../contracts/messages/names.ts';
import type { ReconciliationInput } from '../contracts/messages/reconciliation.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Db } from '../store/database.ts';
import { seeReconciled } from '../store/reconciliation/watch.ts';
import { startRounds } from './rounds.ts';

const lookEveryMs = 5_000;
/** After so many intervals without a complete run people are told. */
const intervalsAllowed = 3;

type Place = { readonly venue: string; readonly account: string; readonly everyMs: number };

/**
 * Sees to it that the schedules of the account are as configured: a run every so often, and one a day at 00:00 UTC over
 * all of the last 24 hours. A run that lasts longer than the interval lets the next ones be skipped. What an operator
 * has paused stays paused.
 */
export async function ensureReconciliationSchedules(client: Client, place: Place): Promise<void> {
  await ensureSchedule(client, {
    ...scheduleOf(place, 'interval', false),
    spec: { intervals: [{ every: place.everyMs }] },
  });
  await ensureSchedule(client, {
    ...scheduleOf(place, 'daily', true),
    spec: { calendars: [{ hour: 0, minute: 0, second: 0, comment: 'every day at 00:00 UTC' }] },
  });
}

function scheduleOf({ venue, account }: Place, which: string, isFullDay: boolean) {
  const input: ReconciliationInput = { venue, account, isFullDay, askedBy: null };
  return {
    scheduleId: reconciliationId(venue, account, which),
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    action: {
      type: 'startWorkflow',
      workflowType: workflowTypes.reconciliation,
      workflowId: reconciliationId(venue, account, which),
      taskQueue: taskQueues.watches,
      args: [input],
      workflowExecutionTimeout: '10 minutes',
      staticSummary: `book against venue: account ${account} at ${venue}${isFullDay ? ', the whole day' : ''}`,
    },
  } as const;
}

async function ensureSchedule(client: Client, options: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(options.scheduleId).update(({ state }) => ({ ...options, state }));
  }
}

/** Watches that the account goes on being compared: sets the gauges, and raises an alert when no run has succeeded. */
export function watchReconciliation(
  watch: { readonly db: Db; readonly metrics: Metrics; readonly logger: Logger; readonly now: () => number } & Place,
): { readonly stop: () => Promise<void> } {
  const { db, metrics, logger, account, everyMs, now } = watch;
  const sinceMs = now();
  const look = async () => {
    const seen = await seeReconciled(db, { account, sinceMs, lateAfterMs: intervalsAllowed * everyMs, nowMs: now() });
    metrics.reconciliationAge.set(seen.ageMs / 1_000);
    metrics.differencesOpen.set(seen.differences);
  };
  return startRounds({
    everyMs: lookEveryMs,
    round: look,
    onFault: (error) => logger.warn({ error }, 'how old the last reconciliation is can not be read'),
  });
}
