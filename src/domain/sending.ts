import { isClosed, type OrderStatus } from './order.ts';
import type { OutcomeClass } from './outcome.ts';

/** One send of an order, signed by the venue's clock. `outcome` null = nobody knows whether the bytes left. */
export type Send = { readonly epoch: number; readonly signedAtMs: number; readonly outcome: OutcomeClass | null };

export type SendPlan =
  /** The order has ended: there is nothing to send. */
  | { readonly plan: 'done' }
  /** Some send may stand at the venue. Ask; never send again. */
  | { readonly plan: 'look-up' }
  /** Every send was refused before the engine: once the venue's clock is past this, a fresh timestamp may be taken. */
  | { readonly plan: 'renew'; readonly fromEpoch: number; readonly afterVenueMs: number };

const definitelyNotPlaced: ReadonlySet<OutcomeClass> = new Set(['NOT_SENT', 'THROTTLED']);

/** What an attempt may do with an order whose intent stands already. */
export function planSend(
  order: { readonly status: OrderStatus; readonly inDoubt: boolean; readonly recvWindowMs: number },
  sends: readonly Send[],
): SendPlan {
  if (isClosed(order.status)) return { plan: 'done' };
  const last = sends.at(-1);
  const isDefinite = sends.every(({ outcome }) => outcome !== null && definitelyNotPlaced.has(outcome));
  if (order.inDoubt || order.status !== 'pendingNew' || last === undefined || !isDefinite) return { plan: 'look-up' };
  return { plan: 'renew', fromEpoch: last.epoch, afterVenueMs: last.signedAtMs + order.recvWindowMs };
}
