import type { DifferenceView, ReconciliationReport } from '../../contracts/messages/reconciliation.ts';
import { raiseAlert } from '../alerts.ts';
import type { Db } from '../database.ts';
import { differencesOf, lateCondition } from './commit.ts';

/**
 * How long ago the last run began that could read every part, and how much differs. Longer ago than `lateAfterMs` is an
 * alert, which the next complete run ends. Of an account that was never compared it counts from `sinceMs`.
 */
export async function seeReconciled(
  db: Db,
  {
    account,
    sinceMs,
    lateAfterMs,
    nowMs,
  }: { readonly account: string; readonly sinceMs: number; readonly lateAfterMs: number; readonly nowMs: number },
): Promise<{ readonly ageMs: number; readonly differences: number }> {
  const known = await db
    .selectFrom('reconciliation')
    .select('completed_at_ms')
    .where('account_id', '=', account)
    .executeTakeFirst();
  const { count } = await db
    .selectFrom('difference')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', account)
    .where('ended_at_ms', 'is', null)
    .executeTakeFirstOrThrow();
  // A stack that was ended for a while has not been late: its workers were not there.
  const ageMs = nowMs - Math.max(known?.completed_at_ms ?? 0, sinceMs);
  if (ageMs > lateAfterMs) {
    await raiseAlert(db, {
      condition: lateCondition(account),
      code: 'RECONCILIATION_LATE',
      severity: 'CRITICAL',
      context: { account, ageMs, allowedMs: lateAfterMs },
      nowMs,
    });
  }
  return { ageMs, differences: Number(count) };
}

/** How the comparison of an account stands, as people see it. */
export async function readReconciliation(
  db: Db,
  account: string,
): Promise<{
  readonly completedAtMs: number | null;
  readonly cleanAtMs: number | null;
  readonly lastRun: ReconciliationReport | null;
  readonly differences: readonly DifferenceView[];
}> {
  const known = await db
    .selectFrom('reconciliation')
    .select(['completed_at_ms', 'clean_at_ms', 'last_run'])
    .where('account_id', '=', account)
    .executeTakeFirst();
  return {
    completedAtMs: known?.completed_at_ms ?? null,
    cleanAtMs: known?.clean_at_ms ?? null,
    lastRun: known?.last_run ?? null,
    differences: await differencesOf(db, account),
  };
}
