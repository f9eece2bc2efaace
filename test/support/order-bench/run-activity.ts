import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Activities } from '../../../activities/index.ts';
import { RatchetError } from '../../../src/domain/errors.ts';
import { Crash, createStage, type Stage, type Strike } from './stage.ts';

export type ActivityName = keyof Activities;

/** What Temporal makes of an activity, as workflows/activity-proxies.ts asks for it. */
type Policy = { readonly initialMs: number; readonly maximumMs: number; readonly scheduleToCloseMs: number };

const database: Policy = { initialMs: 100, maximumMs: 5_000, scheduleToCloseMs: Infinity };
const venue: Policy = { initialMs: 200, maximumMs: 5_000, scheduleToCloseMs: Infinity };
const policies: Partial<Record<ActivityName, Policy>> = {
  placeOrder: venue,
  findOrder: venue,
  cancelOrder: venue,
  collectFills: venue,
  replaceOrder: venue,
} as Partial<Record<ActivityName, Policy>>;

/** What fails is what the story is about. */
const noLog = new DefaultLogger('ERROR', () => undefined);

/** A dead worker is noticed when its heartbeats stay away for so long. A sleeper wakes with its timestamp outdated. */
const heartbeatTimeoutMs = 3_200;

/** The activity has failed for good, as a workflow sees it. */
export class ActivityFailed extends Error {}

export type Runner = {
  run<Name extends ActivityName>(
    name: Name,
    args: Parameters<Activities[Name]>,
    options?: { readonly scheduleToCloseMs?: number },
  ): Promise<Awaited<ReturnType<Activities[Name]>>>;
  /** What was struck so far, and the boundaries that the calls of each activity have passed. */
  readonly struck: readonly string[];
  readonly passed: Readonly<Record<string, readonly number[]>>;
};

/**
 * Runs activities as Temporal does: again after a failure that may be retried, when the activity itself said or after a
 * growing pause; again after the heartbeat timeout when the process died; and a second time beside an attempt that
 * sleeps, which goes on afterwards with what it knew.
 */
export function createRunner(options: {
  readonly activitiesOn: (stage: Stage) => Activities;
  readonly strikes: readonly Strike[];
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}): Runner {
  const { activitiesOn, strikes, now, sleep } = options;
  const calls = new Map<string, number>();
  const struck: string[] = [];
  const passed: Record<string, number[]> = {};

  const attempt = (name: ActivityName, args: readonly unknown[], number: number) => {
    const call = (calls.get(name) ?? 0) + 1;
    calls.set(name, call);
    const stage = createStage(strikes.find((each) => each.activity === name && (each.call ?? 1) === call));
    const activity = activitiesOn(stage)[name] as (...args: readonly unknown[]) => Promise<unknown>;
    const running = new MockActivityEnvironment({ activityType: name, attempt: number }, { logger: noLog }).run(
      activity,
      ...args,
    );
    const ended = running.then(
      (value) => ({ value }) as const,
      (error: unknown) => ({ error }) as const,
    );
    const note = () => {
      passed[name] = [...(passed[name] ?? []), stage.points()];
      const strike = stage.struck();
      if (strike !== null) struck.push(`${strike.kind} ${strike.at}`);
    };
    return { stage, ended: ended.finally(note) };
  };

  return {
    struck,
    passed,
    async run(name, args, { scheduleToCloseMs } = {}) {
      const policy = { ...(policies[name] ?? database), ...(scheduleToCloseMs && { scheduleToCloseMs }) };
      const giveUpAtMs = now() + policy.scheduleToCloseMs;
      let sleeper: ReturnType<typeof attempt> | undefined;
      for (let number = 1; ; number += 1) {
        const current = attempt(name, args, number);
        const outcome = await Promise.race([current.ended, current.stage.asleep]);
        if (outcome === 'asleep') {
          sleeper = current;
          await sleep(heartbeatTimeoutMs);
          continue;
        }
        // The sleeper wakes in a world where somebody else has done its work; nobody hears what it answers.
        sleeper?.stage.wake();
        await sleeper?.ended;
        sleeper = undefined;
        if ('value' in outcome) return outcome.value as never;
        const delayMs = retryDelayMs(outcome.error, policy, number);
        if (delayMs === null || now() + delayMs > giveUpAtMs) throw new ActivityFailed(String(outcome.error));
        await sleep(delayMs);
      }
    },
  };
}

/** How long until the next attempt, or null: there is none. A mistake of the code fails the test. */
function retryDelayMs(error: unknown, { initialMs, maximumMs }: Policy, attempt: number): number | null {
  const pauseMs = Math.min(maximumMs, initialMs * 2 ** (attempt - 1));
  if (error instanceof Crash) return heartbeatTimeoutMs;
  if (error instanceof RatchetError) return error.retryable ? pauseMs : null;
  if (!(error instanceof ApplicationFailure)) throw error;
  if (error.nonRetryable) return null;
  return typeof error.nextRetryDelay === 'number' ? error.nextRetryDelay : pauseMs;
}
