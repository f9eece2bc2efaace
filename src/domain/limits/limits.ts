import { type Decimal, decimal } from '../decimal.ts';

/**
 * An account's limits. Each is a bound that still passes: only more than it is denied. A share is of the equity, so
 * `'0.5'` is half of it. A limit that is absent denies every entry; only the cap has a way to say that there is none.
 */
export type Limits = {
  /** Share of the equity that the deltas of all positions may add up to, without their sign. */
  readonly portfolioDeltaMax: Decimal;
  /** Sum of unit gamma x quantity over all positions, without its sign. Spot has none. */
  readonly portfolioGammaMax: Decimal;
  /** Share of the equity that the deltas in one symbol may add up to, without their sign. */
  readonly symbolDeltaMax: Decimal;
  /** Share of `exposureBase` that one entry may cost. */
  readonly concentrationMax: Decimal;
  /** Share of `exposureBase` that all positions of one correlation group may cost. */
  readonly correlatedExposureMax: Decimal;
  /** What all positions together may cost, in the account's currency; null = explicitly no cap. */
  readonly totalExposureCap: Decimal | null;
  /** What one order may cost, in the account's currency. */
  readonly orderNotionalMax: Decimal;
  /** An equity read longer ago than this denies. */
  readonly equityAgeMsMax: number;
  /** A price stream that was silent for longer than this denies. */
  readonly priceAgeMsMax: number;
  readonly options?: LimitOptions;
};

/** How the limits are measured. Each has a default. */
type LimitOptions = {
  /**
   * What `concentrationMax` and `correlatedExposureMax` are shares of: the `equity` (default), or the total `exposure`
   * with the new entry. By exposure, the first entry of an empty book is 100 % of it.
   */
  readonly exposureBase?: 'equity' | 'exposure';
  /** Whether the gamma limit looks at the gamma with the entry (default) or before it. */
  readonly gammaIncludesEntry?: boolean;
  /** Whether an entry that brings a delta or gamma nearer to zero passes its limit even from above it (default true). */
  readonly reducingExempt?: boolean;
  /** Whether an entry may sell what the account does not hold (default false: a spot venue can't). */
  readonly shortEntriesAllowed?: boolean;
  /** How often a strategy may send the same entry in a time before it is switched off (default 300 in a minute). */
  readonly throttle?: { readonly identicalMax: number; readonly windowMs: number };
  /** How many entries the account may send in a time (default 600 in a minute). */
  readonly entryRate?: { readonly entriesMax: number; readonly windowMs: number };
  /** The correlation group of a symbol; by default its base asset. */
  readonly correlationGroups?: Readonly<Record<string, string>>;
};

/** As it is read from outside: whatever is absent or no number counts as not set, and denies. */
export type LimitsRead = Partial<Limits>;

/** The limits of a paper account that sets none of its own. A live account always sets its own. */
export const paperLimits: Limits = {
  portfolioDeltaMax: decimal('1'),
  portfolioGammaMax: decimal('10'),
  symbolDeltaMax: decimal('0.5'),
  concentrationMax: decimal('0.5'),
  correlatedExposureMax: decimal('0.8'),
  totalExposureCap: null,
  orderNotionalMax: decimal('25000'),
  equityAgeMsMax: 60_000,
  priceAgeMsMax: 5_000,
};

/** These are on unless a limits file says otherwise. */
export const throttleOf = (limits: LimitsRead) => limits.options?.throttle ?? { identicalMax: 300, windowMs: 60_000 };
export const entryRateOf = (limits: LimitsRead) => limits.options?.entryRate ?? { entriesMax: 600, windowMs: 60_000 };

/** The group whose positions are taken to lose together: as configured, or all that trade the same base asset. */
export const groupOf = (limits: LimitsRead, symbol: string): string =>
  limits.options?.correlationGroups?.[symbol] ?? symbol.split('/')[0] ?? symbol;
