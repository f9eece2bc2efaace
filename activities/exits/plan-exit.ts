import type { ExitInstruction, OrderRef } from '../../src/contracts/messages/messages.ts';
import { type ExitLeg, type ExitPlan, type ExitStep, nextExitStep } from '../../src/domain/exit.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { type ExitBook, type ExitBookLeg, readExitBook } from '../../src/store/exits/exits.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { roomOf } from '../rooms.ts';

const escalateAfterMs = 3_000;

/** Reads the trade from the book and says what comes next on the way to flat. */
export const createPlanExit = (deps: ActivityDependencies) =>
  async function planExit(input: {
    readonly tradeId: string;
    /** What was asked to cancel, and when that last was. */
    readonly canceled: readonly (readonly [clientOrderId: string, askedAtMs: number])[];
  }): Promise<ExitInstruction> {
    const book = await readExitBook(deps.db, input.tradeId);
    invariant(book !== undefined, `an exit that runs was asked for, ${input.tradeId} was not`);
    const room = roomOf(deps, book.venue);
    const legs = await Promise.all(book.legs.map((leg) => legAtMarket(room, leg)));
    return instructionOf(book, nextExitStep(legs, planOf(book), new Map(input.canceled), deps.now()));
  };

/** A leg of the book with what only the venue knows: its filters and its price. */
export async function legAtMarket({ filters, prices }: VenueRoom, leg: ExitBookLeg): Promise<ExitLeg> {
  // Any process may run the exit, and only one watches its market: without a price it could not tell dust.
  prices.subscribe(leg.symbol);
  return { ...leg, filters: await filters.atHand(leg.symbol), price: prices.latest(leg.symbol)?.price ?? null };
}

/**
 * A profit that was reached is tried at its own price first; everything else is urgent and goes to market. So do several
 * legs: the price is that of the first, and while it rested the others would be naked.
 */
function planOf({ reason, takeProfitPrice, legs }: ExitBook): ExitPlan {
  return { limitPrice: reason === 'takeProfit' && legs.length === 1 ? takeProfitPrice : null, escalateAfterMs };
}

function instructionOf({ tradeId, legs }: ExitBook, step: ExitStep): ExitInstruction {
  switch (step.step) {
    case 'cancel':
    case 'find':
    case 'collectFills': {
      const order = legs[step.leg]?.orders.find(({ clientOrderId }) => clientOrderId === step.clientOrderId);
      invariant(order !== undefined, `the order ${step.clientOrderId} is one of the trade ${tradeId}`);
      const { purpose, generation, clientOrderId } = order;
      return { step: step.step, order: { tradeId, leg: step.leg, purpose, generation, clientOrderId } };
    }
    case 'place': {
      const order: OrderRef = { tradeId, leg: step.leg, purpose: 'exit', generation: step.generation };
      const { side, orderType, quantity, limitPrice } = step;
      return { step: 'place', order, terms: { side, orderType, quantity, limitPrice, stopPrice: null } };
    }
    case 'await':
    case 'settle':
      return step;
  }
}
