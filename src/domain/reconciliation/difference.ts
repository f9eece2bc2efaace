import type { Decimal } from '../decimal.ts';
import type { OrderStatus, Side } from '../order.ts';
import { isDifferent, type Tolerances, toleranceOf } from './tolerance.ts';

/** What is compared. A part that could not be read is no difference: it says nothing at all. */
export type Part = 'orders' | 'fills' | 'balances' | 'positions';

/** An order at the venue that the book does not have. Without a client order id, only its fills were seen. */
export type ExternalOrder = {
  readonly kind: 'externalOrder';
  readonly symbol: string;
  readonly venueOrderId: string;
  readonly clientOrderId: string | null;
  readonly side: Side | null;
  readonly quantity: Decimal | null;
  readonly filledQuantity: Decimal;
  readonly isWorking: boolean;
  /** Its client order id has our form: it was sent by this product, and no intent of it is in the book. */
  readonly isOrphan: boolean;
};

/** The book says that it works, and the venue, asked for this very order, does not know it. */
export type MissingOrder = {
  readonly kind: 'missingOrder';
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly tradeId: string;
  readonly status: OrderStatus;
};

/** One fill of one of our orders, without its numbers. */
export type FillRef = {
  readonly symbol: string;
  readonly side: Side;
  readonly venueTradeId: string;
  readonly venueOrderId: string;
  readonly clientOrderId: string;
  readonly tradeId: string;
  readonly transactedAtMs: number;
};

/** The book has a fill that the venue's own list lacks. */
export type MissingFill = FillRef & { readonly kind: 'missingFill'; readonly quantity: Decimal };

/** The venue lists a fill of our order, and the book does not take it, not even after it was told. */
export type UncountedFill = FillRef & { readonly kind: 'uncountedFill'; readonly quantity: Decimal };

/** The numbers of a fill, as the book keeps them or as the venue tells them now. */
export type FillNumbers = {
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly quoteQuantity: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
};

/** The venue tells a fill with other content than before. The first one stays in the book. */
export type ChangedFill = FillRef & {
  readonly kind: 'changedFill';
  readonly kept: FillNumbers;
  readonly reported: FillNumbers;
};

/** The venue's balance, free and locked, against what our own fills make of what was accepted before. */
export type BalanceDrift = {
  readonly kind: 'balance';
  readonly asset: string;
  readonly expected: Decimal;
  readonly actual: Decimal;
  /** actual - expected. */
  readonly drift: Decimal;
};

/** What a trade would have to write off. */
export type Share = {
  readonly tradeId: string;
  readonly leg: number;
  readonly symbol: string;
  readonly quantity: Decimal;
};

/** Open positions hold more of an asset than the whole account has of it. */
export type PositionShortage = {
  readonly kind: 'position';
  readonly asset: string;
  readonly held: Decimal;
  readonly actual: Decimal;
  /** held - actual. */
  readonly shortage: Decimal;
  /** How it would be written off: from the oldest position on. */
  readonly shares: readonly Share[];
};

export type Difference =
  | ExternalOrder
  | MissingOrder
  | MissingFill
  | UncountedFill
  | ChangedFill
  | BalanceDrift
  | PositionShortage;

export type DifferenceKind = Difference['kind'];

const parts: Record<DifferenceKind, Part> = {
  externalOrder: 'orders',
  missingOrder: 'orders',
  missingFill: 'fills',
  uncountedFill: 'fills',
  changedFill: 'fills',
  balance: 'balances',
  position: 'positions',
};

/** The part that must be readable before anybody may say that the difference is gone. */
export const partOf = (difference: Difference): Part => parts[difference.kind];

/** What makes a difference this one: as long as it lasts it is one, whatever its numbers are. */
export function keyOf(difference: Difference): string {
  switch (difference.kind) {
    case 'externalOrder':
      return `externalOrder:${difference.symbol}:${difference.venueOrderId}`;
    case 'missingOrder':
      return `missingOrder:${difference.symbol}:${difference.clientOrderId}`;
    case 'missingFill':
    case 'uncountedFill':
      return `${difference.kind}:${fillKeyOf(difference)}`;
    case 'changedFill':
      // With its content: told a third time with yet other numbers, it is another correction.
      return `changedFill:${fillKeyOf(difference)}:${numbersKeyOf(difference.reported)}`;
    case 'balance':
    case 'position':
      return `${difference.kind}:${difference.asset}`;
  }
}

// Name by name: what comes back from a database has its fields in another order.
const numbersKeyOf = ({ quantity, price, quoteQuantity, fee, feeAsset }: FillNumbers): string =>
  [quantity, price, quoteQuantity, fee, feeAsset].join(':');

/** With its order, because the two orders of a trade with oneself share the venue's trade id. */
export const fillKeyOf = (fill: Pick<FillRef, 'symbol' | 'venueTradeId' | 'venueOrderId'>): string =>
  `${fill.symbol}:${fill.venueTradeId}:${fill.venueOrderId}`;

/** Whether two looks saw the same thing: amounts that differ by no more than the tolerance are the same amount. */
export function isSameDifference(a: Difference, b: Difference, tolerances: Tolerances): boolean {
  if (keyOf(a) !== keyOf(b)) return false;
  if (a.kind === 'balance' && b.kind === 'balance') {
    return !isDifferent(a.drift, b.drift, toleranceOf(tolerances, a.asset));
  }
  if (a.kind === 'position' && b.kind === 'position') {
    return !isDifferent(a.shortage, b.shortage, toleranceOf(tolerances, a.asset)) && tradesOf(a) === tradesOf(b);
  }
  if (a.kind === 'externalOrder' && b.kind === 'externalOrder') {
    return a.isWorking === b.isWorking && a.filledQuantity === b.filledQuantity;
  }
  return true;
}

const tradesOf = ({ shares }: PositionShortage): string =>
  shares.map(({ tradeId, leg }) => `${tradeId}:${leg}`).join(' ');

/** One sentence for people. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'externalOrder':
      return describeExternal(difference);
    case 'missingOrder':
      return `order ${difference.clientOrderId} of trade ${difference.tradeId} is ${difference.status} in the book, and the venue does not know it`;
    case 'missingFill':
      return `fill ${difference.venueTradeId} of order ${difference.clientOrderId} (${difference.quantity} ${difference.symbol}) is in the book and not at the venue`;
    case 'uncountedFill':
      return `fill ${difference.venueTradeId} of order ${difference.clientOrderId} (${difference.quantity} ${difference.symbol}) is at the venue and the book does not take it`;
    case 'changedFill':
      return `fill ${difference.venueTradeId} of order ${difference.clientOrderId} was ${sayFill(difference.kept)} and is now told as ${sayFill(difference.reported)}`;
    case 'balance':
      return `${difference.asset}: the venue has ${difference.actual}, expected ${difference.expected}, a drift of ${difference.drift}`;
    case 'position':
      return `${difference.asset}: open positions hold ${difference.held}, the venue has ${difference.actual}, ${difference.shortage} is missing`;
  }
}

function describeExternal({ symbol, side, quantity, filledQuantity, isWorking, ...order }: ExternalOrder): string {
  const what = side === null ? `order in ${symbol}` : `${side} ${quantity} ${symbol}`;
  const state = isWorking ? 'works' : 'has ended';
  const whose = order.isOrphan ? 'bears our mark and has no intent' : 'is not ours';
  return `${what} (${order.clientOrderId ?? order.venueOrderId}) ${whose}: it ${state}, filled ${filledQuantity}`;
}

const sayFill = ({ quantity, price, fee, feeAsset }: FillNumbers): string =>
  `${quantity} at ${price}, fee ${fee} ${feeAsset}`;
