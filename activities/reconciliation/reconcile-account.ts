import type {
  PartReport,
  ReconciliationInput,
  ReconciliationReport,
  ReconciliationStep,
} from '../../src/contracts/messages/reconciliation.ts';
import type { Look } from '../../src/domain/reconciliation/assess.ts';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import { commitLook, differencesOf, type LookCommitted, markRun } from '../../src/store/reconciliation/commit.ts';
import { readStanding } from '../../src/store/reconciliation/compared-book.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf } from '../rooms.ts';
import { holdOrLift } from './reconcile-hold.ts';
import { type LookTaken, takeLook } from './reconcile-look.ts';

const dayMs = 86_400_000;
/** Clocks differ, and lists lag: so much of what the last run compared is compared again. */
const overlapMs = 600_000;

/**
 * Compares the book with the venue once. Something new is not committed before a second look saw it too: then it
 * answers with what it suspects, to be asked again with that some seconds later. A run that dies after its differences
 * are committed and is done again finds nothing new, and only says that it ran.
 */
export const createReconcileAccount = (deps: ActivityDependencies) =>
  function reconcileAccount(
    input: ReconciliationInput & { readonly suspects: readonly Difference[] | null },
  ): Promise<ReconciliationStep> {
    return whileBeating(() => reconcileOnce(deps, input));
  };

async function reconcileOnce(
  deps: ActivityDependencies,
  input: ReconciliationInput & { readonly suspects: readonly Difference[] | null },
): Promise<ReconciliationStep> {
  const { account, venue } = input;
  const room = roomOf(deps, venue);
  const startedAtMs = deps.now();
  const standing = await readStanding(deps.db, { account, nowMs: startedAtMs });
  const sinceMs = Math.max(startedAtMs - dayMs, input.isFullDay ? 0 : (standing.completedAtMs ?? 0) - overlapMs);
  const taken = await takeLook(deps, room, { account, venue, sinceMs, suspects: input.suspects ?? [] }, standing);
  const look = withoutBaseline(taken, standing.hasBaseline);
  const committed = await commitLook(deps.db, {
    account,
    venue,
    version: standing.version,
    startedAtMs,
    look,
    harmless: taken.harmless,
    suspects: input.suspects,
    baseline: baselineOf(taken, standing.hasBaseline),
    askedBy: input.askedBy,
    correctionTimeoutMs: deps.reconciliation.correctionTimeoutMs,
    tolerances: deps.reconciliation.tolerances,
    nowMs: deps.now(),
  });
  if (committed.outcome === 'look-again') return { step: 'look-again', suspects: committed.suspects };
  crashPoint('afterDifferences');
  const report = await reportOf(deps, input, startedAtMs, look, committed);
  if (committed.outcome === 'committed') {
    await holdOrLift(deps, room, account, {
      differences: report.differences.map(({ difference }) => difference),
      isComplete: Object.values(report.parts).every((part) => part === 'read'),
    });
    await markRun(deps.db, report);
  }
  return { step: 'done', report };
}

/** Before the balances of the beginning are known, no balance can be compared. */
function withoutBaseline({ look, holdings }: LookTaken, hasBaseline: boolean): Look {
  if (hasBaseline || holdings === null || holdings.book.expectation.recent.length === 0) return look;
  const balances = 'the balances of the beginning are taken at a moment without fills';
  return { ...look, unavailable: { ...look.unavailable, balances } };
}

/** Only balances that no fill was on its way to can be the beginning: what is off then would be off for ever. */
function baselineOf({ holdings }: LookTaken, hasBaseline: boolean) {
  if (hasBaseline || holdings === null || holdings.book.expectation.recent.length > 0) return null;
  return { balances: holdings.balances, fromFills: holdings.book.expectation.before };
}

async function reportOf(
  deps: ActivityDependencies,
  { account, venue }: ReconciliationInput,
  startedAtMs: number,
  { unavailable }: Look,
  committed: Exclude<LookCommitted, { outcome: 'look-again' }>,
): Promise<ReconciliationReport> {
  const differences = await differencesOf(deps.db, account);
  const { found, changed, gone } = committed.outcome === 'committed' ? committed : { found: 0, changed: 0, gone: 0 };
  return {
    account,
    venue,
    startedAtMs,
    finishedAtMs: deps.now(),
    outcome: outcomeOf(committed.outcome, differences.length, Object.keys(unavailable).length),
    parts: partsOf(unavailable),
    found,
    changed,
    gone,
    differences,
  };
}

function outcomeOf(
  committed: 'committed' | 'overtaken',
  differences: number,
  unavailable: number,
): ReconciliationReport['outcome'] {
  if (committed === 'overtaken') return 'overtaken';
  if (differences > 0) return 'differences';
  return unavailable > 0 ? 'unavailable' : 'clean';
}

const partsOf = (unavailable: Look['unavailable']): PartReport => ({
  orders: unavailable.orders ?? 'read',
  fills: unavailable.fills ?? 'read',
  balances: unavailable.balances ?? 'read',
  positions: unavailable.positions ?? 'read',
});
