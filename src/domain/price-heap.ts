import { compare, type Decimal } from './decimal.ts';
import { type Direction, isReached, type Threshold } from './thresholds.ts';

/** A place in the heap. It knows where it stands, so that it can be moved or taken out without a search. */
export type HeapNode<T> = { readonly owner: T; threshold: Threshold | null; index: number };

/**
 * A binary heap of thresholds, the one that a price moving in `direction` reaches first on top. Whether a price reaches
 * any costs one comparison however many there are; putting and removing cost a logarithm.
 */
export type PriceHeap<T> = {
  /** The owners of every threshold that `price` reaches. They stay where they are. */
  reachedBy(price: Decimal): readonly T[];
  /** Puts the node where its threshold belongs, or takes it out when it has none. */
  place(node: HeapNode<T>): void;
};

export const heapNode = <T>(owner: T): HeapNode<T> => ({ owner, threshold: null, index: -1 });

export function createPriceHeap<T>(direction: Direction): PriceHeap<T> {
  const nodes: HeapNode<T>[] = [];

  const settle = (node: HeapNode<T>, index: number): void => {
    nodes[index] = node;
    node.index = index;
  };

  function rise(node: HeapNode<T>): void {
    let index = node.index;
    while (index > 0) {
      const parent = nodes[(index - 1) >> 1];
      if (parent === undefined || !isFirst(direction, node, parent)) break;
      settle(parent, index);
      index = (index - 1) >> 1;
    }
    settle(node, index);
  }

  function sink(node: HeapNode<T>): void {
    let index = node.index;
    for (;;) {
      const child = firstOf(direction, nodes[2 * index + 1], nodes[2 * index + 2]);
      if (child === undefined || !isFirst(direction, child, node)) break;
      const next = child.index;
      settle(child, index);
      index = next;
    }
    settle(node, index);
  }

  function remove(node: HeapNode<T>): void {
    const last = nodes.pop();
    if (last !== undefined && last !== node) {
      settle(last, node.index);
      rise(last);
      sink(last);
    }
    node.index = -1;
  }

  // A node that is not reached has none below it that is, so the walk visits at most two nodes for each it finds.
  function collect(index: number, price: Decimal, reached: T[]): void {
    const node = nodes[index];
    if (!node?.threshold || !isReached(node.threshold, direction, price)) return;
    reached.push(node.owner);
    collect(2 * index + 1, price, reached);
    collect(2 * index + 2, price, reached);
  }

  return {
    reachedBy(price) {
      const reached: T[] = [];
      collect(0, price, reached);
      return reached;
    },
    place(node) {
      if (node.threshold === null) {
        if (node.index >= 0) remove(node);
        return;
      }
      if (node.index < 0) settle(node, nodes.length);
      rise(node);
      sink(node);
    },
  };
}

function firstOf<T>(direction: Direction, a?: HeapNode<T>, b?: HeapNode<T>): HeapNode<T> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isFirst(direction, b, a) ? b : a;
}

// Of two thresholds at one price, the one that a touch reaches comes before the one that lies beyond.
function isFirst<T>(direction: Direction, { threshold: a }: HeapNode<T>, { threshold: b }: HeapNode<T>): boolean {
  if (a === null || b === null) return false;
  const order = compare(a.price, b.price);
  if (order === 0) return a.touchCounts && !b.touchCounts;
  return direction === 'below' ? order > 0 : order < 0;
}
