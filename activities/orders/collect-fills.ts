import type { OrderRef, OrderReported } from '../../src/contracts/messages/messages.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { invariant } from '../../src/domain/invariant.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf } from '../rooms.ts';
import { applyAnswer } from './apply-answer.ts';
import { readCurrent } from './current-order.ts';

/** Completes the fills of an order that the venue counts more of than the book has. Retried until they are there. */
export const createCollectFills = (deps: ActivityDependencies) =>
  function collectFills(ref: OrderRef): Promise<OrderReported> {
    return whileBeating(async (signal) => {
      const order = await readCurrent(deps, ref);
      invariant(order !== undefined, `an order whose fills are collected has an intent, ${ref.tradeId} has none`);
      if (order.reported.fillsComplete) return order.reported;
      const room = roomOf(deps, order.venue);
      const found = await room.venue.findOrder({ symbol: order.symbol, clientOrderId: order.clientOrderId }, signal);
      if (found.outcome !== 'found')
        throw new RatchetError('VENUE_UNAVAILABLE', { asked: 'fills', answer: found.outcome });
      const reported = await applyAnswer(deps, room, found.order, 'lookup');
      if (!reported.fillsComplete)
        throw new RatchetError('VENUE_UNAVAILABLE', { asked: 'fills', answer: 'incomplete' });
      return reported;
    });
  };
