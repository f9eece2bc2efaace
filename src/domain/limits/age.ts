import { type Decimal, decimal } from '../decimal.ts';
import type { ErrorCode } from '../errors.ts';
import { type Known, known, unknown } from './known.ts';

/** Whole milliseconds, rounded up, so that a part of one past a limit is past it. */
export const milliseconds = (ms: number): Decimal => decimal(Math.ceil(ms).toFixed(0));

/** How old something is. An age that is no number is no age. */
export const ageKnown = (ageMs: number | null, code: ErrorCode, what: string): Known<Decimal> =>
  ageMs !== null && Number.isFinite(ageMs)
    ? known(milliseconds(Math.max(0, ageMs)))
    : unknown(code, `the age of ${what} is unknown`);
