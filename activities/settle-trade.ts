import type { PositionClosed } from '../src/contracts/messages/messages.ts';
import * as exits from '../src/store/exits.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Counts the money of a trade that is flat, and closes it. Null when something came in between: look again. */
export const createSettleTrade = ({ db, now }: ActivityDependencies) =>
  function settleTrade(tradeId: string): Promise<PositionClosed | null> {
    return exits.settleTrade(db, { tradeId, nowMs: now() });
  };
