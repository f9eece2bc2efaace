import { type Decimal, decimal, multiply, zero } from './decimal.ts';

/** What a venue takes of a fill's value, in basis points (1 = 0.01 %). A maker pays and gets the rebate back. */
export type FeeSchedule = { readonly makerBps: Decimal; readonly takerBps: Decimal; readonly rebateBps: Decimal };

export type ChargedFill = { readonly quantity: Decimal; readonly price: Decimal; readonly isMaker: boolean };

/** Amounts in the quote asset. */
export type Fee = { readonly notional: Decimal; readonly fee: Decimal; readonly rebate: Decimal };

const oneBps = decimal('0.0001');

/** What one fill costs under a schedule, exactly. */
export function feeOf(schedule: FeeSchedule, fill: ChargedFill): Fee {
  const notional = multiply(fill.quantity, fill.price);
  const share = (bps: Decimal): Decimal => multiply(multiply(notional, bps), oneBps);
  return fill.isMaker
    ? { notional, fee: share(schedule.makerBps), rebate: share(schedule.rebateBps) }
    : { notional, fee: share(schedule.takerBps), rebate: zero };
}
