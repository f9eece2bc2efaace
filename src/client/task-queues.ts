import type { Client } from '@temporalio/client';
import { taskQueues } from '../contracts/messages/names.ts';

/** Whether somebody polls a task queue, and when somebody last did. */
type QueueHealth = { readonly ok: boolean; readonly detail: string };

export type TemporalHealth = {
  readonly temporal: QueueHealth;
  readonly entryWorkers: QueueHealth;
  readonly guardWorkers: QueueHealth;
  readonly watchWorkers: QueueHealth;
  readonly venueWorkers: QueueHealth;
};

const answerWithinMs = 3_000;
// A worker polls at least once a minute, and the server remembers one for five.
const seenWithinMs = 90_000;
// temporal.api.enums.v1.TaskQueueType
const taskTypes = { workflow: 1, activity: 2 } as const;

/** Whether Temporal answers, and whether each of our task queues has somebody who works on it. Never throws. */
export async function temporalHealth(temporal: Client, venue: string): Promise<TemporalHealth> {
  const look = (queue: string, type: keyof typeof taskTypes) => queueHealth(temporal, queue, type);
  const [entryWorkers, guardWorkers, watchWorkers, venueWorkers] = await Promise.all([
    look(taskQueues.entries, 'workflow'),
    look(taskQueues.guards, 'workflow'),
    look(taskQueues.watches, 'activity'),
    look(taskQueues.venue(venue), 'activity'),
  ]);
  const queues = { entryWorkers, guardWorkers, watchWorkers, venueWorkers };
  const silent = Object.values(queues).find(({ silence }) => silence !== undefined);
  const detail = silent === undefined ? 'answers' : `does not answer (${silent.silence})`;
  return { temporal: { ok: silent === undefined, detail }, ...queues };
}

type Look = QueueHealth & { readonly silence?: string };

async function queueHealth(temporal: Client, name: string, type: keyof typeof taskTypes): Promise<Look> {
  try {
    const { pollers } = await temporal.withDeadline(Date.now() + answerWithinMs, () =>
      temporal.workflowService.describeTaskQueue({
        namespace: temporal.options.namespace,
        taskQueue: { name },
        taskQueueType: taskTypes[type],
      }),
    );
    const seenAtMs = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
    const alive = seenAtMs.filter((atMs) => atMs > Date.now() - seenWithinMs);
    return { ok: alive.length > 0, detail: alive.length > 0 ? `${alive.length} polling` : `nobody polls ${name}` };
  } catch (error) {
    const silence = (error as { details?: string; message?: string }).details ?? String(error);
    return { ok: false, detail: 'not known, because Temporal does not answer', silence };
  }
}
