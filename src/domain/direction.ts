import { compare, type Decimal } from './decimal.ts';
import type { PositionSide } from './order.ts';

/** Whether `price` is better than `other` for the position: higher for a long one, lower for a short one. */
export const isBetter = (side: PositionSide, price: Decimal, other: Decimal): boolean =>
  side === 'long' ? compare(price, other) > 0 : compare(price, other) < 0;

/** The better of the two for the position. */
export const better = (side: PositionSide, a: Decimal, b: Decimal): Decimal => (isBetter(side, b, a) ? b : a);
