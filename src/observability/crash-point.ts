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
  /** CP1. Before the transaction that decides and reserves. */
  'beforeReserve',
  /** CP2. The reservation is committed, the intent is not. */
  'afterReserve',
  /** CP3. The intent is committed, nothing has been sent. */
  'afterIntent',
  /** CP4. The last byte of a placement is with the system, nothing of its answer has been read. */
  'afterBytes',
  /** CP5. The answer to an entry order is read, nothing of it is committed. */
  'afterAnswer',
  /** CP6. The answer is committed, the activity has not told the server. */
  'afterRecord',
  /** CP7. The server knows that the activity is done, the workflow that hears of it has not run. */
  'beforeWorkflowTask',
  /** CP8. The first fill is committed, the monitor has not been started. */
  'betweenFillAndMonitor',
  /** CP9. The last byte of a cancel is with the system, nothing of its answer has been read. */
  'cancelSent',
  /** The watch has seen the trigger, nothing of it is committed. */
  'beforeTrigger',
  /** CP10. The trigger is committed, the exit has not been started. */
  'afterTrigger',
  /** CP11. The answer to an exit order is read, nothing of it is committed. */
  'afterExitAnswer',
  /** CP12. A reservation is posted or given back, in a transaction that is not committed. */
  'duringReservationChange',
  /** The watch holds its lease and is between two prices. */
  'whileWatching',
  /** CP13. The statement that seals a batch of records is sent, its answer has not been read. */
  'sealSent',
  /** Records have their place in the chain, no checkpoint covers them. */
  'afterSeal',
  /** CP14. The checkpoint is in the file, the database does not have it. */
  'afterCheckpointFile',
  /** CP15. A reconciliation has committed its differences, and has not said that it ran. */
  'afterDifferences',
  /** CP16. A hold is committed, nobody has been told and nothing is canceled. */
  'afterHold',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

type Signal = 'SIGKILL' | 'SIGSTOP';
type Plan = { readonly name: string; readonly hit: number; readonly signal: Signal };

const plans: readonly Plan[] = [...plansOf('CRASH_AT', 'SIGKILL'), ...plansOf('PAUSE_AT', 'SIGSTOP')];
const hits = new Map<CrashPoint, number>();
const onceDir = process.env['CRASH_ONCE_DIR'] || undefined;

/** Whether a crash is planned there. What is only needed to get to the point exists only then. */
export const isPlanned = (name: CrashPoint): boolean => plans.some((plan) => plan.name === name);

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
