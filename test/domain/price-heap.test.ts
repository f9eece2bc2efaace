import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPriceHeap, type HeapNode, heapNode } from '../../src/domain/price-heap.ts';
import { isReached, type Threshold } from '../../src/domain/thresholds.ts';
import { centPrice } from '../support/arbitrary-decimal.ts';

const anyThreshold: fc.Arbitrary<Threshold | null> = fc.option(
  fc.record({ price: centPrice(9_990, 10_010), touchCounts: fc.boolean() }),
);
const anyPlacements = fc.array(fc.record({ id: fc.nat({ max: 30 }), threshold: anyThreshold }), { maxLength: 200 });

test.each(['below', 'above'] as const)(
  'finds exactly the thresholds %s that a price reaches, whatever was moved or removed',
  (direction) => {
    fc.assert(
      fc.property(anyPlacements, centPrice(9_985, 10_015), (placements, price) => {
        const heap = createPriceHeap<number>(direction);
        const nodes = new Map<number, HeapNode<number>>();
        for (const { id, threshold } of placements) {
          const node = nodes.get(id) ?? heapNode(id);
          nodes.set(id, node);
          node.threshold = threshold;
          heap.place(node);
        }
        const expected = [...nodes.values()].filter(
          ({ threshold }) => threshold !== null && isReached(threshold, direction, price),
        );
        const byNumber = (a: number, b: number) => a - b;
        expect([...heap.reachedBy(price)].sort(byNumber)).toEqual(expected.map((node) => node.owner).sort(byNumber));
      }),
      { numRuns: 500 },
    );
  },
);
