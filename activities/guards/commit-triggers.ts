import { setTimeout } from 'node:timers/promises';
import { RatchetError } from '../../src/domain/errors.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import type { Seen } from '../../src/prices/symbol-eyes.ts';
import { type ArmedGuard, commitTrigger, type ShardLease } from '../../src/store/guards/guards.ts';
import type { ActivityDependencies } from '../dependencies.ts';

const retryMs = 100;

export type TriggerCommits = {
  /** Starts committing and does not wait: prices go on. */
  commit(row: ArmedGuard, seen: Seen): void;
  /** Whether the book still lacks a trigger at a price of this symbol. */
  isPending(symbol: string): boolean;
  /** Gives up what is not committed; whoever watches next sees the same price again. */
  close(): Promise<void>;
};

/**
 * Commits triggers, each with the exit it asks for. A trigger is latched in memory, so it is tried until the database
 * takes it, or until another watch has the lease: that one sees the same trade and triggers itself.
 */
export function openTriggerCommits(deps: ActivityDependencies, lease: ShardLease): TriggerCommits {
  const { db, now, logger } = deps;
  const running = new Map<Promise<void>, ArmedGuard>();
  let isClosed = false;

  const untilCommitted = async (row: ArmedGuard, { guard, trade }: Seen): Promise<void> => {
    const { tradeId } = row;
    while (!isClosed) {
      try {
        const { outcome } = await commitTrigger(db, { ...lease, row, guard, trade, nowMs: now() });
        logger.info({ tradeId, kind: guard.kind, price: trade.price, outcome }, 'guard triggered');
        crashPoint('afterTrigger');
        return;
      } catch (error) {
        if (error instanceof RatchetError && error.code === 'WATCH_LEASE_LOST') return;
        logger.error({ error, tradeId }, 'trigger is not committed yet');
        await setTimeout(retryMs);
      }
    }
  };

  return {
    commit(row, seen) {
      crashPoint('beforeTrigger');
      const committing = untilCommitted(row, seen).finally(() => running.delete(committing));
      running.set(committing, row);
    },
    isPending: (symbol) => [...running.values()].some((row) => row.symbol === symbol),
    async close() {
      isClosed = true;
      await Promise.all(running.keys());
    },
  };
}
