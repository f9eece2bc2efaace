import { fileURLToPath } from 'node:url';
import type { PayloadCodec } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createFailureInterceptor } from '../../activities/failure-interceptor.ts';
import type { Activities } from '../../activities/index.ts';
import { taskQueues } from '../contracts/messages/names.ts';
import { beforeWorkflowTask } from './before-workflow-task.ts';

// Compiled: dist/src/main/… beside dist/workflow-bundle.js, which the build makes.
const codePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));

// The worker loads it by its path. Failures say more than payloads, and are plain unless it is told.
const failureConverterPath = fileURLToPath(new URL('../contracts/payloads/failure-converter.js', import.meta.url));

type Settings = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: Activities;
  readonly venues: readonly string[];
  readonly identity: string;
  /** Takes secrets out of what fails, before a history has it. */
  readonly scrub: (text: string) => string;
  /** What encrypts payloads; none where they are plain. */
  readonly codecs: readonly PayloadCodec[];
};

// The SDK ends a workflow's step after 5 s, and with it the whole process (Node's async hooks are left half-way), then the
// next process at the same step. Thousands of waiting signals on a busy machine take longer. Not in the SDK's types.
const patience: object = { isolateExecutionTimeout: '60 seconds' };

// A worker that is stopped, not dead, gets a task for each of its open polls, and each of these tasks waits for its own
// time limit first. A watch is one activity for hours; what talks to a venue comes in bursts.
const onePoll = { type: 'simple-maximum', maximum: 1 } as const;
const fewPolls = { type: 'autoscaling', minimum: 1, initial: 1, maximum: 10 } as const;

/**
 * One worker a task queue, each with slots of its own, so that nothing slow stands in front of something urgent.
 * Entries, guards and watches run workflows; a venue's queue runs only what talks to that venue.
 */
export function createWorkers(settings: Settings): Promise<readonly Worker[]> {
  const { connection, namespace, identity } = settings;
  const failures = createFailureInterceptor(settings.scrub);
  const planned = beforeWorkflowTask('placeOrder');
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    identity,
    activities: settings.activities,
    interceptors: { activity: [() => ({ inbound: failures }), ...planned.interceptors] },
    dataConverter: {
      // The outermost is the last to encode.
      payloadCodecs: [...planned.codecs, ...settings.codecs],
      ...(settings.codecs.length > 0 && { failureConverterPath }),
    },
    // What is on its way to a venue may finish; the watches are asked to hand over.
    shutdownGraceTime: '2 seconds',
    shutdownForceTime: '10 seconds',
    ...patience,
    // A killed worker's sticky queue would hold an exit for 10 s; half a second loses nothing but a replay.
    stickyQueueScheduleToStartTimeout: '500 ms',
  };
  const lifecycles = {
    ...common,
    workflowBundle: { codePath },
    activityTaskPollerBehavior: onePoll,
    maxConcurrentActivityTaskExecutions: 20,
    maxConcurrentLocalActivityExecutions: 40,
    maxConcurrentWorkflowTaskExecutions: 40,
  };
  return Promise.all([
    Worker.create({ ...lifecycles, taskQueue: taskQueues.entries }),
    Worker.create({ ...lifecycles, taskQueue: taskQueues.guards }),
    Worker.create({ ...lifecycles, taskQueue: taskQueues.watches, maxConcurrentWorkflowTaskExecutions: 10 }),
    ...settings.venues.map((venue) =>
      Worker.create({
        ...common,
        taskQueue: taskQueues.venue(venue),
        activityTaskPollerBehavior: fewPolls,
        maxConcurrentActivityTaskExecutions: 100,
      }),
    ),
  ]);
}
