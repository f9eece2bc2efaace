import { add, type Decimal, decimal, multiply, one, subtract } from '../decimal.ts';
import type { Side } from '../order.ts';

/** A basis point. */
const onePoint = decimal('0.0001');

/** The worst price that so many basis points away from the last trade allow: above it for a BUY, below it for a SELL. */
export function worstPrice(last: Decimal, side: Side, maxSlippageBps: Decimal): Decimal {
  const share = multiply(maxSlippageBps, onePoint);
  return multiply(last, side === 'BUY' ? add(one, share) : subtract(one, share));
}
