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
/** A worker that has just started or woken up takes on no risk for a while: then the case is played with another trade. */
const triesMax = 4;
const calmMs = 1_500;
const goesOnWithinMs = 60_000;

export type CaseResult = {
  readonly id: string;
  readonly tradeId: string;
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
 * `known` are the broken promises of cases before, which are theirs; those of this one are added.
 */
export async function playCase(
  stack: Stack,
  crashCase: CrashCase,
  known: Set<string> = new Set(),
): Promise<CaseResult> {
  const startedAtMs = Date.now();
  const played = await playUntilTaken(stack, crashCase);
  const faults = played.fault === undefined ? [] : [played.fault];
  stack.unplan(crashCase.point, signalOf(crashCase));
  await clear(stack, played.scene).catch((error: unknown) => faults.push(String(error)));
  const broken = judge(await gather(stack)).filter((fault) => !known.has(fault));
  for (const fault of broken) known.add(fault);
  const { tradeId, outcome } = played;
  return { id: crashCase.id, tradeId, ...outcome, faults: [...faults, ...broken], tookMs: Date.now() - startedAtMs };
}

type Outcome = Pick<CaseResult, 'phase' | 'parked' | 'goesOnAfterMs'>;
type Played = { readonly tradeId: string; readonly scene: Scene; readonly outcome: Outcome; readonly fault?: string };

/** Again with another trade, as long as the worker refuses it for being late itself. */
async function playUntilTaken(stack: Stack, crashCase: CrashCase, attempt = 1): Promise<Played> {
  const tradeId = `${crashCase.id.toLowerCase()}${attempt === 1 ? '' : `-again-${attempt}`}`;
  const scene = sceneOf(stack, crashCase, tradeId);
  let played: Played = { tradeId, scene, outcome: { phase: '?', parked: false, goesOnAfterMs: null } };
  try {
    await scene.arrange();
    const blow = crashCase.blow === 'kill' ? kill : pause;
    played = { ...played, outcome: await blow(stack, crashCase, scene, tradeId) };
  } catch (error) {
    played = { ...played, fault: error instanceof Error ? error.message : String(error) };
  }
  if (attempt === triesMax || !(await isRefusedAsLate(stack, tradeId))) return played;
  await delay(calmMs);
  return playUntilTaken(stack, crashCase, attempt + 1);
}

const signalOf = ({ blow }: CrashCase) => (blow === 'kill' ? 'SIGKILL' : 'SIGSTOP');

/** Leaves the venue as the next case expects it. */
async function clear(stack: Stack, scene: Scene | undefined): Promise<void> {
  await scene?.clear?.();
  await stack.venue.clearPlan();
  await stack.venue.rules({ levelQuantity: '10', levelsMax: 20 });
  await stack.venue.tick('100');
}

async function kill(stack: Stack, crashCase: CrashCase, scene: Scene, tradeId: string): Promise<Outcome> {
  let doneBefore = 0;
  await stack.restarted('worker', async () => {
    await strike(stack, crashCase, scene, tradeId);
    doneBefore = await progressOf(stack, tradeId);
  });
  const backAtMs = Date.now();
  const driving = driveToEnd(stack, tradeId);
  let hasEnded = false;
  driving.then(
    () => (hasEnded = true),
    () => undefined,
  );
  const went = await until(
    `${tradeId} goes on`,
    async () => {
      if ((await progressOf(stack, tradeId)) > doneBefore) return 'on';
      // It was over before the worker died: nothing had to go on.
      return hasEnded ? 'nowhere' : undefined;
    },
    goesOnWithinMs,
  );
  const goesOnAfterMs = went === 'on' ? Date.now() - backAtMs : null;
  return { goesOnAfterMs, ...(await driving) };
}

async function pause(stack: Stack, crashCase: CrashCase, scene: Scene, tradeId: string): Promise<Outcome> {
  await strike(stack, crashCase, scene, tradeId);
  const { wake } = stack.pause('worker');
  await delay(pauseMs);
  wake();
  return { goesOnAfterMs: null, ...(await driveToEnd(stack, tradeId)) };
}

/** Plans the point, goes to it, and makes sure that it was struck. */
async function strike(stack: Stack, crashCase: CrashCase, scene: Scene, tradeId: string): Promise<void> {
  const { point } = crashCase;
  const signal = signalOf(crashCase);
  stack.plan(point, signal);
  void scene.begin().catch(() => undefined);
  const got = await until(
    `the worker gets to ${point}`,
    async () => {
      if (stack.isStruck(point, signal)) return 'there';
      if (await isRefusedAsLate(stack, tradeId)) return 'refused';
      await scene.urge?.();
      return undefined;
    },
    strikeWithinMs,
  );
  if (got === 'refused') throw new Error(`${tradeId} is refused again and again: the worker is late`);
}

async function isRefusedAsLate({ sql }: Stack, tradeId: string): Promise<boolean> {
  const late = "select 1 from trade where trade_id = $1 and decision = 'denied' and decision_body::text like $2";
  return (await sql(late, [tradeId, '%WORKER_LAGGING%'])).length > 0;
}
