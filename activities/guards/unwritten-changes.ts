import type { Guard } from '../../src/domain/guard.ts';
import type { Seen } from '../../src/prices/symbol-eyes.ts';
import type { ArmedGuard, GuardCheckpoint } from '../../src/store/guards/guards.ts';

const tellMovesEveryMs = 60_000;

type Change = { readonly row: ArmedGuard; readonly seenVenueTradeId: number; readonly activated: boolean };

/**
 * What guards have gone through since the last checkpoint. Their lifecycles are told of an activation at once and of
 * moves at most once a minute: the book has every one of them.
 */
export function createUnwrittenChanges(now: () => number) {
  const changes = new Map<string, Change>();
  const tellAtMs = new Map<string, number>();

  return {
    note(row: ArmedGuard, { id, action, trade }: Seen): void {
      const activated = action === 'activated' || changes.get(id)?.activated === true;
      changes.set(id, { row, seenVenueTradeId: trade.venueTradeId, activated });
    },
    /** What its version before went through is still to be written, now under this one. */
    amend(row: ArmedGuard): void {
      const change = changes.get(row.id);
      if (change !== undefined) changes.set(row.id, { ...change, row });
    },
    forget(id: string): void {
      changes.delete(id);
      tellAtMs.delete(id);
    },
    /** What the book does not have yet. A trigger is not among it: it is committed with its exit or not at all. */
    list(find: (row: ArmedGuard) => Guard | undefined): readonly GuardCheckpoint[] {
      return [...changes].flatMap(([id, change]) => {
        const guard = find(change.row);
        if (guard === undefined || guard.state.status === 'triggered') return [];
        return [{ ...change, guard, tell: change.activated || now() >= (tellAtMs.get(id) ?? 0) }];
      });
    },
    written(checkpoints: readonly GuardCheckpoint[]): void {
      for (const { row, tell, seenVenueTradeId } of checkpoints) {
        if (tell) tellAtMs.set(row.id, now() + tellMovesEveryMs);
        // What happened while it was written is still to be written.
        if (changes.get(row.id)?.seenVenueTradeId === seenVenueTradeId) changes.delete(row.id);
      }
    },
  };
}
