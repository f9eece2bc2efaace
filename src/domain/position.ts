import { add, type Decimal, divide, isZero, larger, multiply, negate, subtract, zero } from './decimal.ts';
import type { OrderPurpose, PositionSide } from './order.ts';

/** A fill of one of the position's orders. `venueTradeId` is unique per symbol, account and side. */
export type PositionFill = {
  readonly venueTradeId: string;
  readonly purpose: OrderPurpose;
  readonly quantity: Decimal;
  readonly quoteQuantity: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
  /** What one unit of the fee's asset was worth in the quote asset; needed only where that is a third asset. */
  readonly feeAssetPrice: Decimal | null;
};

/**
 * A leg's position: sums over the set of its fills, in the base and quote assets. Short positions are sold first and
 * bought back.
 */
export type Position = {
  readonly side: PositionSide;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
  readonly exitQuantity: Decimal;
  readonly exitQuote: Decimal;
  /** Fees taken in the base asset. They never enter the P&L as such: there is that much less to sell. */
  readonly baseFee: Decimal;
  /** Fees in the quote asset, and those in third assets at the price given with the fill. */
  readonly quoteFee: Decimal;
  /** What people have found to be gone from the venue: worth nothing, and not there to sell. */
  readonly writtenOff?: Decimal;
  /** Fees in third assets that came without a price, by asset. They are in no sum, but they are not forgotten. */
  readonly unvaluedFees: Readonly<Record<string, Decimal>>;
  /** The fills that are in the sums, so that the same one again changes nothing. */
  readonly fillKeys: readonly string[];
};

export const openPosition = (leg: Pick<Position, 'side' | 'baseAsset' | 'quoteAsset'>): Position => ({
  side: leg.side,
  baseAsset: leg.baseAsset,
  quoteAsset: leg.quoteAsset,
  entryQuantity: zero,
  entryQuote: zero,
  exitQuantity: zero,
  exitQuote: zero,
  baseFee: zero,
  quoteFee: zero,
  unvaluedFees: {},
  fillKeys: [],
});

/** The position with one more fill. A fill it has already changes nothing; the order of the fills does not matter. */
export function applyFill(position: Position, fill: PositionFill): Position {
  // With its purpose, because the two orders of a trade with oneself share the venue's trade id.
  const key = `${fill.purpose}:${fill.venueTradeId}`;
  if (position.fillKeys.includes(key)) return position;
  return { ...position, ...traded(position, fill), ...charged(position, fill), fillKeys: [...position.fillKeys, key] };
}

/** As much of a position as its open part needs. */
type Holding = Pick<Position, 'side' | 'entryQuantity' | 'entryQuote' | 'exitQuantity' | 'baseFee' | 'writtenOff'>;

/** What is left to sell, or for a short position to buy back. Never negative. */
export function sellableQuantity(position: Holding): Decimal {
  const open = subtract(subtract(position.entryQuantity, position.exitQuantity), position.writtenOff ?? zero);
  return larger(zero, position.side === 'long' ? subtract(open, position.baseFee) : add(open, position.baseFee));
}

/**
 * What a closed position made: quote received - quote paid - fees, exactly. What is left by then is dust and counts
 * zero, so this is final only once nothing is left to sell.
 */
export function realizedPnl(position: Position): Decimal {
  const gain = subtract(position.exitQuote, position.entryQuote);
  return subtract(position.side === 'long' ? gain : negate(gain), position.quoteFee);
}

/**
 * What the part that is still open would make at `price`, fees in the quote asset aside: (price - average entry price)
 * x quantity, its sign turned for a short position. The average is over what the entry brought in, net of fees in the
 * base asset.
 */
export function unrealizedPnl(position: Holding, price: Decimal): Decimal {
  const open = sellableQuantity(position);
  if (isZero(open)) return zero;
  const bought = position.side === 'long' ? subtract(position.entryQuantity, position.baseFee) : position.entryQuantity;
  // One division at the end, so that a result that can be exact is exact.
  const gain = divide(multiply(open, subtract(multiply(price, bought), position.entryQuote)), bought);
  return position.side === 'long' ? gain : negate(gain);
}

function traded(position: Position, { purpose, quantity, quoteQuantity }: PositionFill): Partial<Position> {
  if (purpose === 'entry') {
    return {
      entryQuantity: add(position.entryQuantity, quantity),
      entryQuote: add(position.entryQuote, quoteQuantity),
    };
  }
  return { exitQuantity: add(position.exitQuantity, quantity), exitQuote: add(position.exitQuote, quoteQuantity) };
}

function charged(position: Position, { fee, feeAsset, feeAssetPrice }: PositionFill): Partial<Position> {
  if (feeAsset === position.baseAsset) return { baseFee: add(position.baseFee, fee) };
  if (feeAsset === position.quoteAsset) return { quoteFee: add(position.quoteFee, fee) };
  if (feeAssetPrice !== null) return { quoteFee: add(position.quoteFee, multiply(fee, feeAssetPrice)) };
  const unvalued = add(position.unvaluedFees[feeAsset] ?? zero, fee);
  return { unvaluedFees: { ...position.unvaluedFees, [feeAsset]: unvalued } };
}
