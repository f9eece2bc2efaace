import type { EntryRequest } from '../src/contracts/messages/entry-request.ts';
import { type Decimal, decimal, multiply } from '../src/domain/decimal.ts';
import { roundPrice, roundQuantity, type SymbolFilters } from '../src/domain/filters.ts';
import { invariant } from '../src/domain/invariant.ts';
import type { OrderType, Side, TimeInForce } from '../src/domain/order.ts';

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
    const limitPrice = roundPrice(filters, entry.price, side);
    return { side, orderType: 'LIMIT', timeInForce: entry.timeInForce, quantity, limitPrice };
  }
  if (entry.maxSlippageBps === undefined)
    return { side, orderType: 'MARKET', timeInForce: null, quantity, limitPrice: null };
  const limitPrice = roundPrice(filters, worstPrice(last, side, entry.maxSlippageBps), side);
  return { side, orderType: 'LIMIT', timeInForce: 'IOC', quantity, limitPrice };
}

const oneBasisPoint = decimal('0.0001');

/** The worst price that a slippage of so many basis points allows, from the last trade. */
function worstPrice(last: Decimal, side: Side, slippageBps: number): Decimal {
  const bps = decimal(String(side === 'BUY' ? 10_000 + slippageBps : 10_000 - slippageBps));
  return multiply(last, multiply(bps, oneBasisPoint));
}
