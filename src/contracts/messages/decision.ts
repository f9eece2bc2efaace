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
  /** The price the decision was made on; absent when none was to be had (which denies). */
  readonly price?: { readonly last: Decimal; readonly venueTradeId: string; readonly ageMs: number };
  readonly decidedAtMs: number;
};

/** Where an entry ended. `partly-entered` and `entered` have a position, `existing` is managed by another run. */
export type EntryOutcome = {
  readonly tradeId: string;
  readonly outcome: 'denied' | 'entered' | 'partly-entered' | 'unfilled' | 'existing';
  readonly decision: EntryDecision;
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
};
