import { type Decimal, isPositive } from './decimal.ts';
import { RatchetError } from './errors.ts';
import { type Guard, type GuardAction, guardThresholds, stepGuard } from './guard.ts';
import { createPriceHeap, type HeapNode, heapNode } from './price-heap.ts';
import { noThresholds, type Thresholds } from './thresholds.ts';

/** A guard that one price changed, as it is after that price. */
export type Change = { readonly id: string; readonly guard: Guard; readonly action: Exclude<GuardAction, 'hold'> };

/**
 * The guards that watch one symbol. A price answers exactly what stepping every guard with it would answer, but only
 * the guards whose thresholds it reaches are touched: with a hundred thousand of them, a price that changes none costs
 * as much as with one.
 */
export type ArmedSet = {
  size(): number;
  find(id: string): Guard | undefined;
  /** Throws GUARD_ALREADY_ARMED when the id is taken. */
  arm(id: string, guard: Guard): void;
  /** Puts another guard in the place of the one with this id. Throws GUARD_NOT_ARMED when there is none. */
  amend(id: string, guard: Guard): void;
  /** An id that is not armed is no error: it may have been disarmed before. */
  disarm(id: string): void;
  /** Everything the price changed. What triggered stays, latched, until it is disarmed. Throws PRICE_INVALID. */
  onPrice(price: Decimal): readonly Change[];
};

type Armed = { readonly id: string; guard: Guard; readonly below: HeapNode<Armed>; readonly above: HeapNode<Armed> };

const nothing: readonly Change[] = [];

export function createArmedSet(): ArmedSet {
  const armed = new Map<string, Armed>();
  const heaps = { below: createPriceHeap<Armed>('below'), above: createPriceHeap<Armed>('above') };

  function place(one: Armed, thresholds: Thresholds): void {
    one.below.threshold = thresholds.below;
    one.above.threshold = thresholds.above;
    heaps.below.place(one.below);
    heaps.above.place(one.above);
  }

  function step(one: Armed, price: Decimal): readonly Change[] {
    const { guard, action } = stepGuard(one.guard, price);
    one.guard = guard;
    place(one, guardThresholds(guard));
    return action === 'hold' ? nothing : [{ id: one.id, guard, action }];
  }

  return {
    size: () => armed.size,
    find: (id) => armed.get(id)?.guard,
    arm(id, guard) {
      if (armed.has(id)) throw new RatchetError('GUARD_ALREADY_ARMED', { id });
      const one = anArmed(id, guard);
      armed.set(id, one);
      place(one, guardThresholds(guard));
    },
    amend(id, guard) {
      const one = armed.get(id);
      if (one === undefined) throw new RatchetError('GUARD_NOT_ARMED', { id });
      one.guard = guard;
      place(one, guardThresholds(guard));
    },
    disarm(id) {
      const one = armed.get(id);
      if (one === undefined) return;
      armed.delete(id);
      place(one, noThresholds);
    },
    onPrice(price) {
      if (!isPositive(price)) throw new RatchetError('PRICE_INVALID', { price });
      const reached = [...heaps.below.reachedBy(price), ...heaps.above.reachedBy(price)];
      if (reached.length === 0) return nothing;
      // A guard between two thresholds at one price can be reached from both sides; it sees the price once all the same.
      return [...new Set(reached)].flatMap((one) => step(one, price));
    },
  };
}

// The nodes point back to what they stand for, so the object has to exist before them.
function anArmed(id: string, guard: Guard): Armed {
  const one = { id, guard } as { -readonly [K in keyof Armed]: Armed[K] };
  one.below = heapNode<Armed>(one);
  one.above = heapNode<Armed>(one);
  return one;
}
