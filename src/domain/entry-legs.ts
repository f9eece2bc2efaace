import { type Decimal, isPositive } from './decimal.ts';
import { isClosed, isWorking, type OrderStatus } from './order.ts';

/** The entry order of a leg, as far as the entry has heard of it. */
export type LegOrder = {
  readonly status: OrderStatus;
  readonly inDoubt: boolean;
  readonly fillsComplete: boolean;
  readonly filledQuantity: Decimal;
};

export type EntryLeg = {
  /** Null until its order is on its way. */
  readonly order: LegOrder | null;
  /** What was asked of its order had no answer, or a person wants it asked again: only the venue can say. */
  readonly isDoubted: boolean;
  /** The time that its order may work is over. */
  readonly isDue: boolean;
};

export type EntryStep =
  | { readonly step: 'place' | 'find' | 'cancel' | 'await'; readonly leg: number }
  /** A leg has failed: what the others have bought is sold again. */
  | { readonly step: 'compensate' }
  | { readonly step: 'end' };

/** How an entry stands; the last four are its ends. */
export type EntryPhase =
  | 'placing'
  | 'working'
  | 'in-doubt'
  | 'parked'
  | 'compensating'
  | 'entered'
  | 'partly-entered'
  | 'unfilled'
  | 'compensated';

/**
 * The next thing that an entry does. Its legs go out one after another, each once the one before is filled: so at most
 * one order is ever uncertain, and nothing more is bought while it is. A trade of several legs has all of them or none:
 * a leg that ends without being filled has the others sold again, whatever it filled itself included. A leg of which
 * nobody knows has failed only once it is known: until then the entry asks and waits.
 *
 * `isWithdrawn`: nobody wants the trade any more, so what works is canceled and nothing else is sent.
 */
export function nextEntryStep(legs: readonly EntryLeg[], isWithdrawn: boolean): EntryStep {
  const doubtful = legs.findIndex(mustLook);
  if (doubtful !== -1) return { step: 'find', leg: doubtful };
  const isOver = isWithdrawn || legs.some(({ order }) => hasFailed(order));
  const open = legs.findIndex(({ order }) => order !== null && !hasEnded(order));
  if (open !== -1) return { step: mustCancel(legs[open], isOver) ? 'cancel' : 'await', leg: open };
  const unsent = legs.findIndex(({ order }) => order === null);
  if (unsent !== -1 && !isOver) return { step: 'place', leg: unsent };
  // Where there is no intent, to ask for the order gives back what was reserved for it.
  if (legs.length === 1) return unsent === -1 ? { step: 'end' } : { step: 'find', leg: unsent };
  return unsent === -1 && !legs.some(({ order }) => hasFailed(order)) ? { step: 'end' } : { step: 'compensate' };
}

/** How the entry stands by its orders, one a leg. They do not say when what they bought has been sold again. */
export function entryPhaseOf(orders: readonly (LegOrder | null)[]): Exclude<EntryPhase, 'compensated'> {
  if (orders.some((order) => order?.status === 'parked')) return 'parked';
  if (orders.some((order) => order?.inDoubt)) return 'in-doubt';
  if (orders.every((order) => order === null)) return 'placing';
  if (orders.length > 1 && orders.some(hasFailed)) return 'compensating';
  if (!orders.every((order) => order !== null && hasEnded(order))) return 'working';
  if (!orders.some(hasFailed)) return 'entered';
  return hasFilled(orders) ? 'partly-entered' : 'unfilled';
}

export const hasFilled = (orders: readonly (LegOrder | null)[]): boolean =>
  orders.some((order) => order !== null && isPositive(order.filledQuantity));

// An order that nobody says anything of, though its placement was answered, may have lost its sender.
const mustLook = ({ order, isDoubted }: EntryLeg): boolean =>
  isDoubted || (order !== null && order.status !== 'parked' && (order.inDoubt || order.status === 'pendingNew'));

const mustCancel = (leg: EntryLeg | undefined, isOver: boolean): boolean =>
  (isOver || leg?.isDue === true) && isWorking(leg?.order?.status ?? 'parked');

const hasEnded = (order: LegOrder): boolean => isClosed(order.status) && order.fillsComplete && !order.inDoubt;

const hasFailed = (order: LegOrder | null): boolean => order !== null && hasEnded(order) && order.status !== 'filled';
