import { type Decimal, decimal, divide, isZero, multiply, roundToPlaces, subtract, sum, zero } from './decimal.ts';

/** What a venue takes of a fill's value, in basis points (1 = 0.01 %). A maker pays and gets the rebate back. */
export type FeeSchedule = { readonly makerBps: Decimal; readonly takerBps: Decimal; readonly rebateBps: Decimal };

/** Schedules by symbol; `*` stands for every symbol that has none of its own. */
export type FeeSchedules = Readonly<Record<string, FeeSchedule>> & { readonly '*': FeeSchedule };

export type ChargedFill = { readonly quantity: Decimal; readonly price: Decimal; readonly isMaker: boolean };

/** Amounts in the quote asset. */
export type Fee = { readonly notional: Decimal; readonly fee: Decimal; readonly rebate: Decimal };

/** Sums over fills, in the quote asset. `net` = fees - rebates; `makerRatio` = maker notional / gross, 0 without fills. */
export type FeeTotals = {
  readonly gross: Decimal;
  readonly fees: Decimal;
  readonly rebates: Decimal;
  readonly net: Decimal;
  readonly makerRatio: Decimal;
};

const oneBps = decimal('0.0001');

/** What one fill costs under a schedule, exactly. */
export function feeOf(schedule: FeeSchedule, fill: ChargedFill): Fee {
  const notional = multiply(fill.quantity, fill.price);
  const share = (bps: Decimal): Decimal => multiply(multiply(notional, bps), oneBps);
  return fill.isMaker
    ? { notional, fee: share(schedule.makerBps), rebate: share(schedule.rebateBps) }
    : { notional, fee: share(schedule.takerBps), rebate: zero };
}

/** What all fills cost together. Everything is exact but the ratio, which has 28 decimals. */
export function feesOf(
  schedules: FeeSchedules,
  fills: readonly (ChargedFill & { readonly symbol: string })[],
): FeeTotals {
  const charged = fills.map((fill) => ({ ...fill, ...feeOf(schedules[fill.symbol] ?? schedules['*'], fill) }));
  const gross = sum(charged.map((fill) => fill.notional));
  const fees = sum(charged.map((fill) => fill.fee));
  const rebates = sum(charged.map((fill) => fill.rebate));
  const maker = sum(charged.filter((fill) => fill.isMaker).map((fill) => fill.notional));
  return { gross, fees, rebates, net: subtract(fees, rebates), makerRatio: isZero(gross) ? zero : ratio(maker, gross) };
}

const ratio = (part: Decimal, whole: Decimal): Decimal => roundToPlaces(divide(part, whole, 40), 28, 'half-even');
