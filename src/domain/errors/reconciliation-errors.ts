import type { CatalogEntry } from './catalog-entry.ts';

/** What differs between the book and the venue, and what people decide about it. */
export const reconciliationErrors = {
  BALANCE_DRIFT: {
    retryable: false,
    summary: "A balance at the venue is not what the book's own fills make of it.",
    remedy:
      'Find out what moved it. If it was you, `ratchet corrections` names the correction that takes it for a transfer: ratchet approve <id> --reason TEXT.',
  },
  POSITION_SHORT: {
    retryable: false,
    summary: 'Open positions hold more of an asset than the account has at the venue.',
    remedy:
      'Find out who sold it. `ratchet corrections` shows what would be written off of which trade: ratchet approve <id> --reason TEXT.',
  },
  ORDER_MISSING: {
    retryable: false,
    summary: 'An order works in the book, and the venue does not know it.',
    remedy:
      'Look for it in the account at the venue. If it is not there: ratchet corrections, then ratchet approve <id> --reason TEXT.',
  },
  FILL_MISSING: {
    retryable: false,
    summary: 'A fill is in the book and not in the list of the venue.',
    remedy:
      'Compare it with the account statement of the venue; the book keeps it. Then ratchet approve <id> --reason TEXT.',
  },
  FILL_UNCOUNTED: {
    retryable: false,
    summary: 'The venue lists a fill of one of our orders that the book can not take.',
    remedy:
      'Look at the alert of that order: it says why its report was refused. Then ratchet approve <id> --reason TEXT.',
  },
  RECONCILIATION_LATE: {
    retryable: true,
    summary: 'The book has not been compared with the venue for three intervals.',
    remedy:
      'See that a worker runs and that the venue answers; `ratchet reconcile` says what can not be read. The schedule can be paused in the Temporal UI.',
  },
  RECONCILIATION_UNANSWERED: {
    retryable: true,
    summary: 'No worker has answered in time to what was asked of the reconciliation.',
    remedy: 'See that a worker runs (`ratchet status`), then ask again; what was asked goes on by itself.',
  },
  CORRECTION_UNKNOWN: {
    retryable: false,
    summary: 'There is no correction with this id.',
    remedy: 'Take the id from `ratchet corrections`.',
  },
  CORRECTION_DECIDED: {
    retryable: false,
    summary: 'This correction does not wait for a decision any more.',
    remedy: 'Look at `ratchet corrections`. What still differs is proposed anew by `ratchet reconcile`.',
  },
  CORRECTION_UNREASONED: {
    retryable: false,
    summary: 'A decision on a correction needs who decides and why.',
    remedy: 'Give both as texts that are not empty.',
  },
} as const satisfies Record<string, CatalogEntry>;
