import type { Decimal } from '../decimal.ts';
import { bookOf } from './book.ts';
import type { LimitsRead } from './limits.ts';
import type { Book, Exposure, Standing } from './snapshot.ts';

/** As it is stored: the limits unchecked, the equity as it was last read and why it could not be read since. */
type StoredAccount = {
  readonly limits: unknown;
  readonly equity: Decimal | null;
  readonly equityAtMs: number | null;
  readonly equityFault: string | null;
};

/** The limits of an account that nobody has opened are not set, and so deny. */
export const limitsOf = (account: StoredAccount | undefined): LimitsRead => (account?.limits ?? {}) as LimitsRead;

/** What the stored rows come to, for the gate and for whoever shows what room it leaves. */
export const standingOf = (
  account: StoredAccount | undefined,
  exposures: readonly Exposure[],
  nowMs: number,
): Standing & { readonly book: Book } => ({
  equity: {
    amount: account?.equity ?? null,
    ageMs: account === undefined || account.equityAtMs === null ? null : nowMs - account.equityAtMs,
    fault: account?.equityFault ?? null,
  },
  book: bookOf(exposures, limitsOf(account)),
});
