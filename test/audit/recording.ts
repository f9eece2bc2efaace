import type { EventType } from '../../src/contracts/messages/events.ts';
import type { Db, Tx } from '../../src/store/database.ts';
import { recordAll } from '../../src/store/record.ts';
import { aTrade } from './fixtures.ts';

const nowMs = 1_795_262_400_000;

const eventsOf = (tradeId: string, stepMs = 0) =>
  aTrade(tradeId).map((told, i) => ({
    type: told.type as EventType,
    key: [tradeId, i],
    tradeId,
    atMs: nowMs + stepMs + i,
    actor: { type: 'workflow', id: `entry-${tradeId}` } as const,
    data: told,
  }));

export const recordsOfATrade = aTrade('x').length;

/** Records the whole story of a trade in one transaction. */
export const recordAtOnce = (tx: Tx, tradeId: string): Promise<void> => recordAll(tx, eventsOf(tradeId));

/** Records the story of a trade, each event in a transaction of its own that begins when the one before is committed. `stepMs` is how wrong the writer's clock is. */
export async function recordTrade(db: Db, tradeId: string, stepMs = 0): Promise<void> {
  for (const event of eventsOf(tradeId, stepMs)) await db.transaction().execute((tx) => recordAll(tx, [event]));
}
