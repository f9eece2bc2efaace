import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import { roundPrice, roundQuantity, type SymbolFilters } from '../../src/domain/filters.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { worstPrice } from '../../src/domain/limits/worst-price.ts';
import type { OrderType, Side, TimeInForce } from '../../src/domain/order.ts';

export type EntryOrderTerms = {
  readonly side: Side;
  readonly orderType: OrderType;
  readonly timeInForce: TimeInForce | null;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
};

/**
 * The entry order that a request asks for, in the venue's steps: quantities and BUY prices down, SELL prices up, so
 * that rounding never pays more than was asked. A market order with a bound on its slippage goes out as a limit that
 * fills at once or not at all (IOC), because a market order has no bound of its own.
 */
export function entryTerms(request: EntryRequest, leg: number, filters: SymbolFilters, last: Decimal): EntryOrderTerms {
  const wanted = request.legs[leg];
  invariant(wanted !== undefined, `the request has a leg ${leg}`);
  const { side } = wanted;
  const quantity = roundQuantity(filters, wanted.quantity);
  const { entry } = request;
  if (entry.type === 'LIMIT') {
    const limitPrice = roundPrice(filters, wanted.price ?? entry.price, side);
    return { side, orderType: 'LIMIT', timeInForce: entry.timeInForce, quantity, limitPrice };
  }
  if (entry.maxSlippageBps === undefined)
    return { side, orderType: 'MARKET', timeInForce: null, quantity, limitPrice: null };
  const limitPrice = roundPrice(filters, worstPrice(last, side, decimal(String(entry.maxSlippageBps))), side);
  return { side, orderType: 'LIMIT', timeInForce: 'IOC', quantity, limitPrice };
}
