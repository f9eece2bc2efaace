import type { CorrectionKind } from '../../domain/reconciliation/correction.ts';
import type { Difference, Part } from '../../domain/reconciliation/difference.ts';

/** What a correction is asked for. Each is given with who asks and why, and can be refused. */
export const correctionUpdates = { approve: 'approve', reject: 'reject' } as const;
export const correctionQuery = 'correction';
/** To a correction: its difference is gone or has changed, so that there is nothing to decide any more. */
export const correctionWithdrawn = 'withdrawn';

export type ReconciliationInput = {
  readonly venue: string;
  readonly account: string;
  /** Compares the fills and orders of the last 24 hours, not only those since the last run. */
  readonly isFullDay: boolean;
  /** Who wants it now. What was rejected, or left until its time was over, is then put before people again. */
  readonly askedBy: string | null;
};

/** How a part could be compared: `read`, or why not. A part that was not read says nothing. */
export type PartReport = Readonly<Record<Part, string>>;

/** A difference that lasts, with what may be done about it. */
export type DifferenceView = {
  readonly differenceId: number;
  readonly foundAtMs: number;
  readonly description: string;
  readonly difference: Difference;
  /** What waits for a person's decision, if anything does. */
  readonly correctionId: string | null;
};

export type ReconciliationReport = {
  readonly account: string;
  readonly venue: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /**
   * `clean`: everything was read and nothing differs. `differences`: something differs. `unavailable`: nothing is known
   * to differ, and a part could not be read. `overtaken`: another run has looked later, or a correction came between.
   */
  readonly outcome: 'clean' | 'differences' | 'unavailable' | 'overtaken';
  readonly parts: PartReport;
  /** How many this run has found, how many have changed, and how many are gone. */
  readonly found: number;
  readonly changed: number;
  readonly gone: number;
  readonly differences: readonly DifferenceView[];
};

/** What one look came to: something new has to be seen a second time before it counts. */
export type ReconciliationStep =
  | { readonly step: 'look-again'; readonly suspects: readonly Difference[] }
  | { readonly step: 'done'; readonly report: ReconciliationReport };

export type CorrectionInput = {
  readonly correctionId: string;
  readonly account: string;
  readonly expiresAtMs: number;
  readonly what: string;
};

export type CorrectionVerdict = { readonly actor: string; readonly reason: string };

export type CorrectionState = 'proposed' | 'applied' | 'rejected' | 'expired' | 'superseded';

export type CorrectionView = {
  readonly correctionId: string;
  readonly account: string;
  readonly kind: CorrectionKind;
  readonly state: CorrectionState;
  /** What differs. */
  readonly description: string;
  /** What its approval does. */
  readonly effect: string;
  readonly proposedAtMs: number;
  readonly expiresAtMs: number;
  readonly settledAtMs: number | null;
  readonly actor: string | null;
  readonly reason: string | null;
};
