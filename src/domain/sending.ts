import { isClosed, type OrderStatus } from './order.ts';
import type { OutcomeClass } from './outcome.ts';

/** One send of an order: `outcome` null = nobody knows whether the bytes left. */
export type Send = { readonly epoch: number; readonly signedAtMs: number; readonly outcome: OutcomeClass | null };

export type SendPlan =
  /** The order has ended: there is nothing to send. */
  | { readonly plan: 'done' }
  /** Some send may stand at the venue. Ask; never send again. */
  | { readonly plan: 'look-up' }
  /** Every send was refused before the engine, and the last one's window is over: a fresh timestamp may be taken. */
  | { readonly plan: 'renew'; readonly fromEpoch: number }
  /** The same, but the last timestamp is still valid at the venue. */
  | { readonly plan: 'wait'; readonly untilMs: number };

const definitelyNotPlaced: ReadonlySet<OutcomeClass> = new Set(['NOT_SENT', 'THROTTLED']);

/** What an attempt may do with an order whose intent stands already. */
export function planSend(
  order: { readonly status: OrderStatus; readonly inDoubt: boolean; readonly recvWindowMs: number },
  sends: readonly Send[],
  nowMs: number,
): SendPlan {
  if (isClosed(order.status)) return { plan: 'done' };
  const last = sends.at(-1);
  const isDefinite = sends.every(({ outcome }) => outcome !== null && definitelyNotPlaced.has(outcome));
  if (order.inDoubt || order.status !== 'pendingNew' || last === undefined || !isDefinite) return { plan: 'look-up' };
  const validUntilMs = last.signedAtMs + order.recvWindowMs;
  return nowMs > validUntilMs ? { plan: 'renew', fromEpoch: last.epoch } : { plan: 'wait', untilMs: validUntilMs + 1 };
}
