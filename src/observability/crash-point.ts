import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Named places where a test kills or stops this process: exactly there, and at the n-th time it gets there.
 * `CRASH_AT=afterAnswer#2` kills it with SIGKILL at the second hit, `PAUSE_AT=afterAnswer#1` stops it with SIGSTOP until
 * somebody sends SIGCONT (a zombie that goes on with old knowledge). Several are separated by commas.
 *
 * A process that is started again would die there again. With `CRASH_ONCE_DIR` each plan strikes once over all
 * restarts, at the n-th hit or the next one after it: whoever makes the file `SIGKILL-afterAnswer#2` in that folder
 * strikes, and as long as the file is there nobody does.
 */
export const crashPoints = [
  /** Before the transaction that decides and reserves. */
  'beforeReserve',
  /** The reservation is committed, the intent is not. */
  'afterReserve',
  /** The intent is committed, nothing has been sent. */
  'afterIntent',
  /** The answer is read, nothing of it is committed. */
  'afterAnswer',
  /** The answer is committed, the workflow has not been told. */
  'afterRecord',
  /** The first fill is committed, the monitor has not been started. */
  'betweenFillAndMonitor',
  /** A cancel is sent, its answer has not been read. */
  'cancelSent',
  /** The watch has seen the trigger, nothing of it is committed. */
  'beforeTrigger',
  /** The trigger is committed, the exit has not been started. */
  'afterTrigger',
  /** The exit order's answer is read, nothing of it is committed. */
  'afterExitAnswer',
  /** The watch holds its lease and is between two prices. */
  'whileWatching',
  /** Records have their place in the chain, no checkpoint covers them. */
  'afterSeal',
  /** The checkpoint is in the file, the database does not have it. */
  'afterCheckpointFile',
  /** A hold is committed, nobody has been told. */
  'afterHold',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

type Signal = 'SIGKILL' | 'SIGSTOP';
type Plan = { readonly name: string; readonly hit: number; readonly signal: Signal };

const plans: readonly Plan[] = [...plansOf('CRASH_AT', 'SIGKILL'), ...plansOf('PAUSE_AT', 'SIGSTOP')];
const hits = new Map<CrashPoint, number>();
const onceDir = process.env['CRASH_ONCE_DIR'] || undefined;

/** Costs an empty call when no crash is planned. */
export const crashPoint: (name: CrashPoint) => void = plans.length === 0 ? () => undefined : passCrashPoint;

function passCrashPoint(name: CrashPoint): void {
  const hit = (hits.get(name) ?? 0) + 1;
  hits.set(name, hit);
  const plan = plans.find((candidate) => candidate.name === name && strikes(candidate, hit));
  if (plan !== undefined) process.kill(process.pid, plan.signal);
}

function strikes(plan: Plan, hit: number): boolean {
  if (onceDir === undefined) return hit === plan.hit;
  return hit >= plan.hit && isFirst(join(onceDir, `${plan.signal}-${plan.name}#${plan.hit}`));
}

function isFirst(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

// A name with a typing error would make a crash test pass because nothing crashes, so it ends the process instead.
function plansOf(variable: string, signal: Signal): readonly Plan[] {
  const text = process.env[variable];
  if (!text) return [];
  return text.split(',').map((part) => {
    const [name = '', hit = '1'] = part.split('#');
    if (!(crashPoints as readonly string[]).includes(name) || !/^[1-9]\d*$/.test(hit)) {
      throw new Error(`${variable} must be <point>#<n> with a point of ${crashPoints.join(', ')}, was ${part}`);
    }
    return { name, hit: Number(hit), signal };
  });
}
