import { isEqual } from '../decimal.ts';
import {
  type ChangedFill,
  type FillNumbers,
  type FillRef,
  fillKeyOf,
  type MissingFill,
  type UncountedFill,
} from './difference.ts';

/** A fill of one of our orders, as the book has it or as the venue lists it. */
export type OwnFill = FillNumbers & FillRef;

/**
 * Compares the fills of our orders within a window of the venue's time. The venue's list may lag behind its own stream,
 * so a fill counts as missing there only if it is older than `listedUntilMs`.
 */
export function compareFills(
  book: readonly OwnFill[],
  venue: readonly OwnFill[],
  listedUntilMs: number,
): readonly (MissingFill | UncountedFill | ChangedFill)[] {
  const inBook = new Map(book.map((fill) => [fillKeyOf(fill), fill]));
  const listed = new Set(venue.map(fillKeyOf));
  const missing = book
    .filter((fill) => !listed.has(fillKeyOf(fill)) && fill.transactedAtMs < listedUntilMs)
    .map((fill): MissingFill => ({ kind: 'missingFill', ...refOf(fill), quantity: fill.quantity }));
  const strange = venue.flatMap((fill): readonly (UncountedFill | ChangedFill)[] => {
    const kept = inBook.get(fillKeyOf(fill));
    if (kept === undefined) return [{ kind: 'uncountedFill', ...refOf(fill), quantity: fill.quantity }];
    if (isSameFill(kept, fill)) return [];
    return [{ kind: 'changedFill', ...refOf(fill), kept: numbersOf(kept), reported: numbersOf(fill) }];
  });
  return [...missing, ...strange];
}

const isSameFill = (a: FillNumbers, b: FillNumbers): boolean =>
  isEqual(a.quantity, b.quantity) &&
  isEqual(a.price, b.price) &&
  isEqual(a.quoteQuantity, b.quoteQuantity) &&
  isEqual(a.fee, b.fee) &&
  a.feeAsset === b.feeAsset;

const refOf = ({
  symbol,
  side,
  venueTradeId,
  venueOrderId,
  clientOrderId,
  tradeId,
  transactedAtMs,
}: FillRef): FillRef => ({
  symbol,
  side,
  venueTradeId,
  venueOrderId,
  clientOrderId,
  tradeId,
  transactedAtMs,
});

const numbersOf = ({ quantity, price, quoteQuantity, fee, feeAsset }: OwnFill): FillNumbers => ({
  quantity,
  price,
  quoteQuantity,
  fee,
  feeAsset,
});
