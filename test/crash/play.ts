import { setTimeout as delay } from 'node:timers/promises';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { CrashCase } from './cases.ts';
import { driveToEnd, progressOf } from './drive.ts';
import { type Scene, sceneOf } from './scenes.ts';

/**
 * Longer than every time limit after which an attempt counts as lost: heartbeats of order activities (3 s), workflow
 * tasks (3 s), heartbeats of watches (5 s). So a second attempt waits when the first wakes up.
 */
const pauseMs = 6_000;
const strikeWithinMs = 30_000;
const goesOnWithinMs = 60_000;

export type CaseResult = {
  readonly id: string;
  readonly faults: readonly string[];
  /** The trade's last phase. */
  readonly phase: string;
  /** Whether a person was needed, because nobody could know whether the order was sent. */
  readonly parked: boolean;
  /** From a worker being ready again to the next step of the trade; null where nobody was killed. */
  readonly goesOnAfterMs: number | null;
  readonly tookMs: number;
};

/**
 * Plays one case on a running stack that may die at its point: brings a trade of its own there, kills or pauses the
 * worker exactly there, sees the trade to its end and asks the oracle about everything that ever happened on the stack.
 */
export async function playCase(stack: Stack, crashCase: CrashCase): Promise<CaseResult> {
  const startedAtMs = Date.now();
  const tradeId = crashCase.id.toLowerCase();
  const facts = { phase: '?', parked: false, goesOnAfterMs: null as number | null };
  const faults: string[] = [];
  const scene = sceneOf(stack, crashCase, tradeId);
  try {
    await scene.arrange();
    const struck = crashCase.blow === 'kill' ? kill(stack, crashCase, scene, tradeId) : pause(stack, crashCase, scene);
    facts.goesOnAfterMs = (await struck).goesOnAfterMs;
    Object.assign(facts, await driveToEnd(stack, tradeId));
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  await clear(stack, scene).catch((error: unknown) => faults.push(String(error)));
  faults.push(...judge(await gather(stack)));
  return { id: crashCase.id, faults, ...facts, tookMs: Date.now() - startedAtMs };
}

/** Leaves the venue as the next case expects it. */
async function clear(stack: Stack, scene: Scene): Promise<void> {
  await scene.clear?.();
  await stack.venue.clearPlan();
  await stack.venue.rules({ levelQuantity: '10', levelsMax: 20 });
  await stack.venue.tick('100');
}

async function kill(stack: Stack, crashCase: CrashCase, scene: Scene, tradeId: string) {
  let doneBefore = 0;
  await stack.restarted('worker', async () => {
    await strike(stack, crashCase, scene);
    doneBefore = await progressOf(stack, tradeId);
  });
  const backAtMs = Date.now();
  const driving = driveToEnd(stack, tradeId).catch(() => undefined);
  await until(`${tradeId} goes on`, async () => (await progressOf(stack, tradeId)) > doneBefore, goesOnWithinMs);
  const goesOnAfterMs = Date.now() - backAtMs;
  await driving;
  return { goesOnAfterMs };
}

async function pause(stack: Stack, crashCase: CrashCase, scene: Scene): Promise<{ readonly goesOnAfterMs: null }> {
  await strike(stack, crashCase, scene);
  const { wake } = stack.pause('worker');
  await delay(pauseMs);
  wake();
  return { goesOnAfterMs: null };
}

/** Plans the point, goes to it, and makes sure that it was struck. */
async function strike(stack: Stack, { point, blow }: CrashCase, scene: Scene): Promise<void> {
  const signal = blow === 'kill' ? 'SIGKILL' : 'SIGSTOP';
  stack.plan(point, signal);
  void scene.begin().catch(() => undefined);
  await until(
    `the worker gets to ${point}`,
    async () => {
      if (stack.isStruck(point, signal)) return true;
      await scene.urge?.();
      return false;
    },
    strikeWithinMs,
  );
}
