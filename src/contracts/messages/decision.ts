import type { Decimal } from '../../domain/decimal.ts';
import type { LimitEvaluation } from '../../domain/limits/limit.ts';

/** One reason of a denial. `code` is in the error catalog; the rest are its numbers and what to do about it. */
export type Reason = {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly context: Readonly<Record<string, string>>;
};

/** The first committed decision on a trade id. It stays for ever, denials included. */
export type EntryDecision = {
  readonly tradeId: string;
  readonly outcome: 'approved' | 'denied';
  /** Every reason, not only the first. Empty when approved. */
  readonly reasons: readonly Reason[];
  /** Every control that was evaluated, passed or not. */
  readonly evaluations: readonly LimitEvaluation[];
  /** The price the decision was made on, of the first leg; absent when none was to be had (which denies). */
  readonly price?: DecisionPrice;
  /** Those of the legs after the first, in their order; null where none was to be had. */
  readonly otherPrices?: readonly (DecisionPrice | null)[];
  readonly decidedAtMs: number;
};

export type DecisionPrice = { readonly last: Decimal; readonly venueTradeId: string; readonly ageMs: number };

/** The last price of a leg's symbol when the trade was decided; undefined when none was to be had. */
export const lastPriceOf = ({ price, otherPrices = [] }: EntryDecision, leg: number): Decimal | undefined =>
  [price, ...otherPrices][leg]?.last;

/**
 * Where an entry ended. `partly-entered` (one leg only) and `entered` have a position, `existing` is managed by another
 * run. `compensated`: a leg could not be filled, and what the trade had bought was sold again.
 */
export type EntryOutcome = {
  readonly tradeId: string;
  readonly outcome: 'denied' | 'entered' | 'partly-entered' | 'unfilled' | 'compensated' | 'existing';
  readonly decision: EntryDecision;
  /** What was bought of the first leg. */
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
  /** What was bought of the legs after the first, in their order. Absent where there is one leg. */
  readonly otherLegs?: readonly { readonly filledQuantity: Decimal; readonly filledQuote: Decimal }[];
};
