import type { Difference, DifferenceKind } from './difference.ts';

/**
 * What a person's approval does to the book. Each is an entry beside what stands there, never an edit:
 * `acceptBalance` takes the venue's balance for the expected one, `writeOff` takes from positions what the venue no
 * longer has, `endOrder` ends an order that the venue does not know, `acknowledge` changes nothing and raises the
 * difference no more.
 */
export type CorrectionKind = 'acceptBalance' | 'writeOff' | 'endOrder' | 'acknowledge';

const corrections: Record<DifferenceKind, CorrectionKind> = {
  balance: 'acceptBalance',
  position: 'writeOff',
  missingOrder: 'endOrder',
  externalOrder: 'acknowledge',
  missingFill: 'acknowledge',
  uncountedFill: 'acknowledge',
  changedFill: 'acknowledge',
};

export const correctionOf = (difference: Difference): CorrectionKind => corrections[difference.kind];

/** What is told to a person who has to decide. */
export function describeCorrection(difference: Difference): string {
  switch (difference.kind) {
    case 'balance':
      return `take ${difference.drift} ${difference.asset} for a transfer, so that ${difference.actual} is expected`;
    case 'position':
      return `write off ${difference.shares.map(({ quantity, symbol, tradeId }) => `${quantity} ${symbol} of trade ${tradeId}`).join(', ')}`;
    case 'missingOrder':
      return `end order ${difference.clientOrderId} with what it has filled`;
    case 'externalOrder':
      return `take note of the order ${difference.clientOrderId ?? difference.venueOrderId}: its exposure stays outside of the limits`;
    default:
      return `take note of fill ${difference.venueTradeId}: the book keeps what it has`;
  }
}

/** The id people name a correction by: readable, and of this one content of the difference only. */
export function correctionIdOf(difference: Difference, differenceId: number, revision: number): string {
  const subject = 'asset' in difference ? difference.asset : difference.symbol.replace('/', '-');
  return `${difference.kind}-${subject}-${differenceId}${revision > 1 ? `.${revision}` : ''}`;
}
