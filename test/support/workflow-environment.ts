import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Workflow, WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import { ApplicationFailure, type Duration, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createFailureInterceptor } from '../../activities/failure-interceptor.ts';
import type { Activities } from '../../activities/index.ts';
import { searchAttributes, taskQueues } from '../../src/contracts/messages/names.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** One attempt of an activity. */
export type Call = { readonly activity: keyof Activities; readonly args: readonly unknown[] };

/** Temporal with a clock that skips, workers on every queue, and activities that a test plays. */
export type WorkflowWorld = {
  readonly client: Client;
  /** Says what the activities do from now on in this test. Any other that is called fails for good. */
  play(activities: Partial<Activities>): void;
  /** What the workflows of this test have asked for so far, every attempt, in order. */
  calls(): readonly Call[];
  /** A workflow of this test; it ends with the test. */
  start<W extends Workflow>(type: string, options: WorkflowStartOptions<W>): Promise<WorkflowHandle<W>>;
  /** One that is started in another way; it ends with the test as well. */
  handle(workflowId: string): WorkflowHandle;
  /** Lets so much time pass for the server at once. */
  skip(duration: Duration): Promise<void>;
  /** The server's time: the skipped time has made it another one than ours. */
  nowMs(): Promise<number>;
};

/** What a workflow comes to say, sooner or later. */
export const eventually = (read: () => unknown): ReturnType<typeof expect.poll> =>
  expect.poll(read, { timeout: 15_000, interval: 20 });

/**
 * One server for a test file, the time-skipping one unless said otherwise. What a test leaves running is terminated, so
 * that it does not ask the next test's activities.
 */
export function aWorkflowWorld(startServer = timeSkippingServer): WorkflowWorld {
  let environment: TestWorkflowEnvironment;
  let workers: readonly Worker[] = [];
  let running: Promise<unknown>;
  let stage = anEmptyStage();

  beforeAll(async () => {
    withoutLogs();
    environment = await startServer();
    workers = await createWorkers(environment, (activity, args) => {
      stage.calls.push({ activity, args });
      return stage.played[activity];
    });
    running = Promise.all(workers.map((worker) => worker.run()));
  });
  beforeEach(() => {
    stage = anEmptyStage();
  });
  afterEach(async () => {
    await Promise.all([...stage.started].map((id) => end(environment.client.workflow.getHandle(id))));
  });
  afterAll(async () => {
    for (const worker of workers) worker.shutdown();
    try {
      await running;
    } finally {
      await environment?.teardown();
    }
  });

  return {
    get client() {
      return environment.client;
    },
    play: (activities) => Object.assign(stage.played, activities),
    calls: () => stage.calls,
    start: (type, options) => {
      stage.started.add(options.workflowId);
      return environment.client.workflow.start(type, options);
    },
    handle: (workflowId) => {
      stage.started.add(workflowId);
      return environment.client.workflow.getHandle(workflowId);
    },
    skip: (duration) => environment.sleep(duration),
    nowMs: () => environment.currentTimeMs(),
  };
}

/** One that is terminated while a workflow task runs keeps the server's clock from skipping; so it is settled first. */
async function end(handle: WorkflowHandle): Promise<void> {
  const isRunning = async () => (await handle.describe()).status.name === 'RUNNING';
  if (!(await isRunning().catch(() => false))) return;
  await Promise.race([handle.query('__temporal_workflow_metadata'), delay(2_000)]).catch(() => {});
  await handle.terminate('the test is over').catch(() => {});
}

type Stage = {
  readonly played: Partial<Activities>;
  readonly calls: Call[];
  readonly started: Set<string>;
};

const anEmptyStage = (): Stage => ({ played: {}, calls: [], started: new Set() });

/** What workflows and activities fail with is what the tests are about: nobody needs to read it beside them. */
export function withoutLogs(): void {
  const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  const core = { filter: { core: 'ERROR', other: 'ERROR' } } as const;
  Runtime.install({ logger: silent, shutdownSignals: [], telemetryOptions: { logging: core } });
}

/** As `temporal.api.enums.v1.IndexedValueType` has it. */
const keyword = 2;

/** Temporal with a clock that skips; whoever starts it tears it down. */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const path = programIn('RATCHET_TEMPORAL_TEST_SERVER', 'the time-skipping Temporal server');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
  });
  return environment;
}

/** The real server, which asks for continue-as-new after so few events that a test reaches it. Its clock is ours. */
export function serverOfShortHistories(eventsMax: number): () => Promise<TestWorkflowEnvironment> {
  return () => {
    const path = programIn('RATCHET_TEMPORAL_CLI', 'the Temporal CLI');
    return TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        searchAttributes: Object.values(searchAttributes).map((name) =>
          defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
        ),
        log: { format: 'pretty', level: 'error' },
        extraArgs: [
          `limit.historyCount.suggestContinueAsNew=${eventsMax}`,
          // Standard: a second between two runs.
          'history.workflowIdReuseMinimalInterval="0s"',
        ].flatMap((setting) => ['--dynamic-config-value', setting]),
      },
    });
  };
}

function programIn(variable: string, what: string): string {
  const path = process.env[variable];
  if (path) return path;
  throw new Error(
    `These tests need ${what}. Run them with \`npm test -- --project workflows\`, which gets it, or name its program ` +
      `in ${variable}.`,
  );
}

type Look = (activity: keyof Activities, args: readonly unknown[]) => Activities[keyof Activities] | undefined;

/** One on every queue: workflows name the queues of their activities and children themselves. */
async function createWorkers(environment: TestWorkflowEnvironment, look: Look): Promise<readonly Worker[]> {
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection: environment.nativeConnection,
    activities: activitiesBy(look),
    interceptors: { activity: [() => ({ inbound: createFailureInterceptor((text) => text) })] },
    // Or it would wait for an activity that a test holds back.
    shutdownForceTime: '1 second',
  };
  const lifecycles = { ...common, workflowBundle: await workflowBundle() };
  return Promise.all([
    Worker.create({ ...lifecycles, taskQueue: taskQueues.entries }),
    Worker.create({ ...lifecycles, taskQueue: taskQueues.guards }),
    Worker.create({ ...lifecycles, taskQueue: taskQueues.watches }),
    Worker.create({ ...common, taskQueue: taskQueues.venue('paper') }),
  ]);
}

const activityNames: readonly (keyof Activities)[] = [
  'amendTrailingStop',
  'armGuards',
  'armTrailingStop',
  'cancelOrder',
  'cancelSweep',
  'checkLimits',
  'collectFills',
  'disarmGuards',
  'findOrder',
  'foldBreaker',
  'haltTrading',
  'placeOrder',
  'planExit',
  'planProtection',
  'reconcileAccount',
  'replaceOrder',
  'requestExit',
  'resumeTrading',
  'settleCorrection',
  'settleTrade',
  'watchAccount',
  'watchMarket',
];

function activitiesBy(look: Look): Record<string, (...args: unknown[]) => Promise<unknown>> {
  const asked =
    (activity: keyof Activities) =>
    async (...args: unknown[]) => {
      const played = look(activity, args) as ((...args: unknown[]) => Promise<unknown>) | undefined;
      if (played === undefined) throw ApplicationFailure.nonRetryable(`this test plays no ${activity}`, 'NOT_PLAYED');
      return played(...args);
    };
  return Object.fromEntries(activityNames.map((name) => [name, asked(name)]));
}
