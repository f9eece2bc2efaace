import { type Decimal, decimal, divide, isMore, multiply, one, roundToPlaces, subtract } from '../../domain/decimal.ts';
import { type FeeSchedule, feeOf } from '../../domain/fees.ts';
import type { AcceptedOrder, FeeIn, Fill } from './ledger.ts';
import type { Level } from './matching.ts';

/** What fills cost and what they are paid in. */
export type FeeRules = FeeSchedule & {
  readonly paidIn: FeeIn;
  readonly third: {
    readonly asset: string;
    /** Of one, in the quote asset, where the venue has no market of the two. */
    readonly price: Decimal;
    /** How much of the fee is left to pay in this asset: 0.75 = a quarter off. */
    readonly share: Decimal;
  };
};

type Charge = Pick<Fill, 'fee' | 'feeAsset'>;
type Charged = Pick<AcceptedOrder, 'side' | 'baseAsset' | 'quoteAsset' | 'feeIn'>;

/** Charges the fills of one match, one after another, so that the third asset is not spent twice. */
export type FeeDesk = { charge(order: Charged, level: Level, isMaker: boolean): Charge };

export const standardThird: FeeRules['third'] = { asset: 'BNB', price: decimal('600'), share: decimal('0.75') };

const decimals = 8;

/** `thirdPrice` is the market's, where there is one; `thirdFree` is what the account has of the third asset. */
export function openFeeDesk(rules: FeeRules, thirdPrice: Decimal | null, thirdFree: Decimal): FeeDesk {
  const { asset, share, price } = rules.third;
  let left = thirdFree;
  return {
    charge(order, level, isMaker) {
      // A buyer who pays with the third asset has locked that for the purchase itself.
      const mayUseThird = order.feeIn === 'third' && !(order.side === 'BUY' && order.quoteAsset === asset);
      if (!mayUseThird) return usualCharge(rules, order, level, isMaker);
      const { fee } = feeOf(rules, { ...level, isMaker });
      const priceInQuote = order.quoteAsset === asset ? one : (thirdPrice ?? price);
      const due = roundToPlaces(divide(multiply(fee, share), priceInQuote), decimals, 'truncate');
      if (isMore(due, left)) return usualCharge(rules, order, level, isMaker);
      left = subtract(left, due);
      return { fee: due, feeAsset: asset };
    },
  };
}

function usualCharge(rules: FeeRules, order: Charged, level: Level, isMaker: boolean): Charge {
  const isInBase = order.side === 'BUY' && order.feeIn !== 'quote';
  // In the base asset a fee is a share of the quantity: of the value at a price of one.
  const { fee } = feeOf(rules, { quantity: level.quantity, price: isInBase ? one : level.price, isMaker });
  return {
    fee: roundToPlaces(fee, decimals, 'truncate'),
    feeAsset: isInBase ? order.baseAsset : order.quoteAsset,
  };
}
