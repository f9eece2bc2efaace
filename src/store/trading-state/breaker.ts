import { sql } from 'kysely';
import { accountScope, breakerId } from '../../contracts/messages/names.ts';
import type { BreakerState, BreakerTransition } from '../../domain/circuit-breaker.ts';
import type { Db, Tx } from '../database.ts';
import { enqueuePoke } from '../outbox.ts';
import { recordAll } from '../record.ts';

/** A breaker as the book has it: the state after what was folded, and what was not folded yet, oldest first. */
export type BreakerReadout = {
  readonly scope: string;
  /** Null before the first fold. */
  readonly state: BreakerState | null;
  readonly version: number;
  readonly unapplied: readonly BreakerOutcome[];
  /** Entries let through while HALF_OPEN that have neither reported nor expired. */
  readonly probes: readonly BreakerProbe[];
};

type BreakerOutcome = {
  readonly outcomeId: number;
  readonly kind: 'failure' | 'success';
  readonly cause: string;
  readonly atMs: number;
};

type BreakerProbe = {
  readonly tradeId: string;
  readonly halfOpenAtMs: number;
  readonly expiresAtMs: number;
};

/** The gate and the lifecycle read the same and fold it with the same machine, so that OPEN is never seen late. */
export async function readBreaker(db: Db, scope: string, nowMs: number): Promise<BreakerReadout> {
  // One statement, because the gate reads it under the lock of the account.
  const { rows } = await sql<BreakerReadout>`
    select one.scope, state, coalesce(version, 0) as version,
      (select coalesce(json_agg(json_build_object('outcomeId', outcome_id, 'kind', kind, 'cause', cause, 'atMs', at_ms)
          order by at_ms, outcome_id), '[]')
        from breaker_outcome o where o.scope = one.scope and not is_applied) as unapplied,
      (select coalesce(json_agg(json_build_object('tradeId', trade_id, 'halfOpenAtMs', half_open_at_ms,
          'expiresAtMs', expires_at_ms) order by half_open_at_ms, trade_id), '[]')
        from breaker_probe p where p.scope = one.scope and expires_at_ms > ${nowMs}) as probes
    from (select ${scope}::text as scope) one left join breaker using (scope)
  `.execute(db);
  return rows[0] ?? { scope, state: null, version: 0, unapplied: [], probes: [] };
}

/**
 * Adds an outcome for the breaker of the account to fold, in the transaction of the result, and says so to its
 * lifecycle.
 */
export async function addOutcome(
  tx: Tx,
  outcome: {
    readonly account: string;
    readonly kind: 'failure' | 'success';
    readonly cause: string;
    readonly clientOrderId: string;
    readonly nowMs: number;
  },
): Promise<void> {
  const scope = accountScope(outcome.account);
  await tx
    .insertInto('breaker_outcome')
    .values({
      scope,
      kind: outcome.kind,
      cause: outcome.cause,
      client_order_id: outcome.clientOrderId,
      at_ms: outcome.nowMs,
    })
    .execute();
  await enqueuePoke(tx, breakerId(scope), outcome.nowMs);
}

/** Lets go of the probe that a trade was, once its entry can report nothing more. */
export async function releaseProbe(tx: Tx, account: string, tradeId: string): Promise<void> {
  await tx
    .deleteFrom('breaker_probe')
    .where('scope', '=', accountScope(account))
    .where('trade_id', '=', tradeId)
    .execute();
}

/**
 * Writes the state that the lifecycle has folded, marks what went into it, and records each transition once. By
 * compare-and-set on the version that was read: `conflict` means that somebody else has folded, read again.
 */
export function applyOutcomes(
  db: Db,
  fold: {
    readonly scope: string;
    readonly outcomeIds: readonly number[];
    /** As read; 0 before the first fold. */
    readonly version: number;
    readonly state: BreakerState;
    readonly transitions: readonly BreakerTransition[];
    readonly nowMs: number;
  },
): Promise<'applied' | 'conflict'> {
  const { scope, outcomeIds, version, state, transitions, nowMs } = fold;
  return db.transaction().execute(async (tx) => {
    if (!(await writeState(tx, scope, version, state))) return 'conflict';
    if (outcomeIds.length > 0) {
      await tx.updateTable('breaker_outcome').set({ is_applied: true }).where('outcome_id', 'in', outcomeIds).execute();
    }
    await recordAll(
      tx,
      transitions.map((transition, index) => ({
        type: eventOf[transition.to],
        key: [scope, version, index],
        atMs: nowMs,
        actor: { type: 'workflow', id: breakerId(scope) },
        data: { scope, ...transition, state },
      })),
    );
    return 'applied';
  });
}

const eventOf = { OPEN: 'BreakerTripped', HALF_OPEN: 'BreakerHalfOpened', CLOSED: 'BreakerReset' } as const;

async function writeState(tx: Tx, scope: string, version: number, state: BreakerState): Promise<boolean> {
  const text = JSON.stringify(state);
  const written =
    version === 0
      ? tx
          .insertInto('breaker')
          .values({ scope, state: text, version: 1 })
          .onConflict((conflict) => conflict.doNothing())
          .returning('scope')
      : tx
          .updateTable('breaker')
          .set({ state: text, version: version + 1 })
          .where('scope', '=', scope)
          .where('version', '=', version)
          .returning('scope');
  return (await written.executeTakeFirst()) !== undefined;
}
