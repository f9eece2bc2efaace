import type { Decimal } from '../decimal.ts';

/** One control's answer. `limit` null = not set. `wouldBe` null = it could not be evaluated, which denies. */
export type LimitEvaluation = {
  /** Stable code of the control, in the error catalog, such as `PORTFOLIO_DELTA_EXCEEDED`. */
  readonly code: string;
  readonly scope: string;
  readonly current: Decimal | null;
  readonly wouldBe: Decimal | null;
  readonly limit: Decimal | null;
  readonly allowed: boolean;
  /** Where the numbers alone do not say it: what was unknown, or which hold is in force. */
  readonly note?: string;
};
