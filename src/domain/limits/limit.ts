import { absolute, type Decimal, isMore } from '../decimal.ts';
import type { ErrorCode } from '../errors.ts';
import type { Known } from './known.ts';
import type { LimitsRead } from './limits.ts';
import type { EntryProposal } from './proposal.ts';
import type { Snapshot, Standing } from './snapshot.ts';

/** The controls, as records and reports name them (the portfolio limits by their `limit_type`). */
export type ControlName =
  | 'trading_state'
  | 'circuit_breaker'
  | 'entry_brake'
  | 'repeated_entries'
  | 'entry_rate'
  | 'request_deadline'
  | 'short_entry'
  | 'equity'
  | 'reference_price'
  | 'slippage'
  | 'venue_filters'
  | 'order_notional'
  | 'portfolio_delta'
  | 'portfolio_gamma'
  | 'symbol_delta'
  | 'concentration'
  | 'correlated_exposure'
  | 'total_exposure_cap';

/**
 * One control's answer. Money is in the account's currency, ages are milliseconds. A control that measures nothing, such
 * as a hold, has no numbers; one that should measure and can't has none either, denies, and says in `note` what is
 * unknown. `limit` is a bound that still passes.
 */
export type LimitEvaluation = {
  readonly control: ControlName;
  /** What a person looks up: in the error catalog, such as `PORTFOLIO_DELTA_EXCEEDED`. */
  readonly code: ErrorCode;
  /** `account`, `request`, or the symbol or correlation group that was measured. */
  readonly scope: string;
  readonly current: Decimal | null;
  readonly wouldBe: Decimal | null;
  readonly limit: Decimal | null;
  readonly allowed: boolean;
  /** Where the numbers alone do not say it: what was unknown, or which hold is in force. */
  readonly note?: string;
};

/** One rule of the gate. It answers with one evaluation, or with one for each symbol or group that the entry touches. */
export type Control = {
  readonly name: ControlName;
  readonly onEntry: (snapshot: Snapshot, entry: EntryProposal, limits: LimitsRead) => readonly LimitEvaluation[];
  /** Whether the book as it stands keeps the limit. Absent where the control is about entries alone. */
  readonly onBook?: (standing: Standing, limits: LimitsRead) => readonly LimitEvaluation[];
};

/** What an evaluation is of. */
export type Subject = Pick<LimitEvaluation, 'control' | 'code' | 'scope'>;

type Numbers = Pick<LimitEvaluation, 'current' | 'wouldBe' | 'limit'>;

const noNumbers: Numbers = { current: null, wouldBe: null, limit: null };

export const allow = (subject: Subject, note: string, numbers: Numbers = noNumbers): LimitEvaluation => ({
  ...subject,
  ...numbers,
  allowed: true,
  note,
});

export const deny = (subject: Subject, note: string, numbers: Numbers = noNumbers): LimitEvaluation => ({
  ...subject,
  ...numbers,
  allowed: false,
  note,
});

/** Denies what is more than the limit, without its sign; as much as the limit passes. */
export const bound = (
  subject: Subject,
  numbers: { readonly current: Decimal | null; readonly wouldBe: Decimal; readonly limit: Decimal },
): LimitEvaluation => ({ ...subject, ...numbers, allowed: !isMore(absolute(numbers.wouldBe), numbers.limit) });

/** Measures with what is known. What is not denies, under the code of the unknown. */
export function measure<T>(subject: Subject, facts: Known<T>, judge: (value: T) => LimitEvaluation): LimitEvaluation {
  return facts.isKnown ? judge(facts.value) : deny({ ...subject, code: facts.code }, facts.note);
}
