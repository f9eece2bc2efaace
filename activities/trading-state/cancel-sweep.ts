import { afterLook, type SweepLook } from '../../src/domain/cancel-sweep.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import { requestExit } from '../../src/store/exits/exits.ts';
import {
  readSweep,
  type Sweep,
  type SweepKey,
  saveLook,
  takeSweep,
} from '../../src/store/trading-state/cancel-sweeps.ts';
import { tradesToFlatten } from '../../src/store/trading-state/sweep-orders.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { inParallel } from '../in-parallel.ts';
import { lookAndCancel, type SweepDependencies } from './sweep-look.ts';

/** How the sweep stands after a look. */
export type SweepProgress = {
  readonly isEnded: boolean;
  readonly nextLookAtMs: number;
  readonly left: readonly string[];
  readonly notFlat: readonly string[];
  readonly canceled: number;
  readonly looks: number;
  readonly outcome: 'clear' | 'withdrawn' | null;
};

/** A look ends before it: its reads and cancels are cut off earlier. */
const leaseMs = 6_000;
/** Beyond the window in which the venue accepts an order that was signed before the halt: for what the clocks differ. */
const settleMarginMs = 250;
/** An exit takes a second or two; one that takes longer is something to look at. */
const flatWithinMs = 10_000;
const flatLookMs = 1_000;
const exitsAtOnce = 4;
/** Of one look, so that a book full of trades does not keep a look from its end. */
const exitsMax = 100;

/** One look of the sweep of a freeze: see `sweepOnce`. */
export const createCancelSweep = (deps: ActivityDependencies) =>
  function cancelSweep(key: SweepKey): Promise<SweepProgress> {
    return whileBeating(() => sweepOnce(deps, key));
  };

/**
 * Looks once at what the venue lists in the scope of a halt, cancels the entry orders in it, asks for the exits where
 * the halt says so, and keeps what is left. Any number of processes may call it at any time, an activity or not: the
 * sweep has one worker at a time.
 */
export async function sweepOnce(deps: SweepDependencies, key: SweepKey): Promise<SweepProgress> {
  const { db, now, holder } = deps;
  const taken = await takeSweep(db, { ...key, holder, leaseMs, nowMs: now() });
  if (taken.outcome !== 'taken') return progressOf(deps, key, taken.outcome === 'busy' ? taken.untilMs : null);
  const { sweep } = taken;
  if (sweep.state.looks === 0) crashPoint('afterHold');
  const [seen, notFlat] = await Promise.all([lookAndCancel(deps, sweep), flatten(deps, sweep)]);
  const plan = afterLook(sweep.state, seen.look, { settleMs: deps.timings.recvWindowMs + settleMarginMs });
  const isFinished = plan.isFinished && notFlat.length === 0;
  await saveLook(db, {
    ...key,
    holder,
    state: plan.state,
    canceled: seen.canceled,
    notFlat,
    isFinished,
    nextLookAtMs: nextLookOf(plan.nextLookAtMs, notFlat, seen.look),
    toName: plan.toName,
    lateTrades: now() - sweep.state.startedAtMs > flatWithinMs ? notFlat : [],
    nowMs: now(),
  });
  return progressOf(deps, key, null);
}

// A venue that has said when it will answer again is not asked before, whatever else is waited for.
const nextLookOf = (plannedAtMs: number, notFlat: readonly string[], { atMs, retryAtMs }: SweepLook): number =>
  notFlat.length === 0 || retryAtMs !== undefined ? plannedAtMs : Math.min(plannedAtMs, atMs + flatLookMs);

async function progressOf(
  { db, now }: SweepDependencies,
  key: SweepKey,
  busyUntilMs: number | null,
): Promise<SweepProgress> {
  const view = await readSweep(db, key);
  if (view === undefined) {
    return { isEnded: true, nextLookAtMs: now(), left: [], notFlat: [], canceled: 0, looks: 0, outcome: 'withdrawn' };
  }
  const { venue: _, ...rest } = view;
  return { ...rest, isEnded: view.outcome !== null, nextLookAtMs: Math.max(view.nextLookAtMs, busyUntilMs ?? 0) };
}

/** Asks for the exit of every trade in the scope. Returns those that are not flat yet. */
async function flatten(deps: SweepDependencies, sweep: Sweep): Promise<readonly string[]> {
  if (sweep.level !== 'flatten') return [];
  const { db, now, logger } = deps;
  const trades = await tradesToFlatten(db, sweep);
  const fresh = trades.filter(({ isLeaving }) => !isLeaving).slice(0, exitsMax);
  await inParallel(fresh, exitsAtOnce, async ({ tradeId }) => {
    const request = { tradeId, reason: 'flatten', source: 'cancelAll', nowMs: now() } as const;
    await requestExit(db, request).catch((error) => logger.warn({ error, tradeId }, 'exit is asked for again'));
  });
  return trades.map(({ tradeId }) => tradeId);
}
