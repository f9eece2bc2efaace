import { overdueSweeps } from '../../src/store/trading-state/cancel-sweeps.ts';
import { startRelayLoop } from '../relay-loop.ts';
import { sweepOnce } from './cancel-sweep.ts';
import type { SweepDependencies } from './sweep-look.ts';

const everyMs = 500;
/** How long the lifecycle has for a look that is due, before somebody stands in for it. */
const graceMs = 1_000;

/**
 * Stands in for `cancelAll` while Temporal does not run it: looks whenever a look is overdue, as the lifecycle would. A
 * freeze is in force once its hold is committed, so it may not wait for an engine that is away. Both at once do no
 * harm: a sweep has one worker at a time.
 */
export function startSweepRelay(
  deps: SweepDependencies,
  onHoldsChanged: (listener: () => void) => () => void,
): { readonly stop: () => Promise<void> } {
  return startRelayLoop({
    everyMs,
    onNews: onHoldsChanged,
    round: () => standIn(deps).then(() => false),
    onFault: (error) => deps.logger.warn({ error }, 'sweeps can not be read'),
  });
}

/** One look at each sweep of ours that is overdue. */
export async function standIn(deps: SweepDependencies): Promise<void> {
  const nowMs = deps.now();
  for (const key of await overdueSweeps(deps.db, nowMs - graceMs, nowMs)) {
    // Another process knows that venue.
    if (!deps.rooms.has(key.venue)) continue;
    const { left, looks } = await sweepOnce(deps, key);
    deps.logger.info({ ...key, left: left.length, looks }, 'stood in for a sweep that nobody carries on');
  }
}
