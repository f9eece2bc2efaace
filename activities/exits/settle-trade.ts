import type { PositionClosed } from '../../src/contracts/messages/messages.ts';
import { isLegFlat } from '../../src/domain/exit.ts';
import { type ExitBook, readExitBook, settleTrade as settle, tradeClosed } from '../../src/store/exits/exits.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { roomOf } from '../rooms.ts';
import { legAtMarket } from './plan-exit.ts';

/** Counts the money of a trade whose legs are all flat, and closes it. Null when something came in between: look again. */
export const createSettleTrade = (deps: ActivityDependencies) =>
  async function settleTrade(tradeId: string): Promise<PositionClosed | null> {
    const book = await readExitBook(deps.db, tradeId);
    if (book === undefined) return null;
    const room = roomOf(deps, book.venue);
    const markets = await Promise.all(book.legs.map((leg) => legAtMarket(room, leg)));
    // Asked again under the trade's lock, on what the book says then.
    const isSettled = ({ legs }: ExitBook) =>
      legs.every((leg) =>
        markets.some(({ leg: number, filters, price }) => number === leg.leg && isLegFlat({ ...leg, filters, price })),
      );
    const closed = await settle(deps.db, { tradeId, isSettled, nowMs: deps.now() });
    return closed && tradeClosed(closed);
  };
