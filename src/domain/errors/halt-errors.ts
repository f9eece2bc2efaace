import type { CatalogEntry } from './catalog-entry.ts';

/** Halts, what they sweep, and who may lift them. */
export const haltErrors = {
  CANCEL_SWEEP_INCOMPLETE: {
    retryable: false,
    summary: 'Trading is frozen, and these entry orders could not be canceled yet. They are tried again and again.',
    remedy: 'Cancel them at the venue by hand if it can not wait; the alert ends by itself once the venue lists none.',
  },
  FLATTEN_INCOMPLETE: {
    retryable: false,
    summary: 'Every position is to be closed, and these trades are not flat yet. Their exits go on.',
    remedy: 'Look at each exit with ratchet trade <tradeId>, and close by hand at the venue what can not wait.',
  },
  HALT_NOT_IMPORTED: {
    retryable: true,
    summary: 'A halt that was made without the database waits in the spool, so no entry passes.',
    remedy: 'Nothing: a worker writes it into the database within seconds. If it stays, the log says why.',
  },
  HALT_SCOPE_NEEDS_DATABASE: {
    retryable: true,
    summary: 'Only the database knows which orders belong to a strategy or account, and it does not answer.',
    remedy: 'Halt everything, or a symbol; or bring the database back.',
  },
  HALT_VENUE_UNKNOWN: {
    retryable: false,
    summary: 'The venue can not be reached from here: its addresses or keys are not known.',
    remedy:
      'Run it where stack.json of the data folder is, or set RATCHET_VENUE_REST_URL, RATCHET_VENUE_STREAM_URL, RATCHET_VENUE_WS_API_URL, VENUE_API_KEY and VENUE_API_SECRET.',
  },
  RESUME_NEEDS_APPROVAL: {
    retryable: false,
    summary: 'Here a second person has to approve before a halt is lifted.',
    remedy:
      'Ask for it with a key of yours: POST /v1/resumes or ratchet resume --key-file FILE. Another person approves with another key: POST /v1/approvals or ratchet approvals approve <id>.',
  },
  LIMITS_NEED_APPROVAL: {
    retryable: false,
    summary: 'Here a second person has to approve before a limit is loosened. What was tightened is in force.',
    remedy:
      'Ask for it with a key of yours: POST /v1/limits or ratchet limits set FILE --key-file FILE. Another person approves with another key.',
  },
  ACCOUNT_UNKNOWN: {
    retryable: false,
    summary: 'There is no such account here.',
    remedy: 'Name the account of this stack: ratchet status shows it.',
  },
  APPROVAL_KEY_MISSING: {
    retryable: false,
    summary: 'Where people approve, a key says who they are.',
    remedy: 'Give a key that may operate: --key-file FILE. ratchet keys create makes one.',
  },
  APPROVAL_KEY_REFUSED: {
    retryable: false,
    summary: 'A key behind the request may not operate, or not any more.',
    remedy: 'Ask again with keys that may operate; nothing was carried out.',
  },
  APPROVAL_UNKNOWN: {
    retryable: false,
    summary: 'No request with this id waits for an approval.',
    remedy: 'Take the id from ratchet approvals list, or from the answer to the request.',
  },
  APPROVAL_EXPIRED: {
    retryable: false,
    summary: 'The request was not approved within fifteen minutes.',
    remedy: 'Ask for it again, and look at why it was needed: things may have changed.',
  },
  APPROVAL_CHANGED: {
    retryable: false,
    summary: 'The request is another one than the one that was seen.',
    remedy: 'Look at the request again and approve what it says now, with its hash.',
  },
  APPROVAL_SAME_PERSON: {
    retryable: false,
    summary: 'The same person, or the same key, can not approve what it has asked for.',
    remedy: 'Another person approves, with a key of their own.',
  },
  APPROVAL_USED: {
    retryable: false,
    summary: 'This request has been carried out. It works once.',
    remedy: 'Ask again if it is needed again.',
  },
  STRATEGY_THROTTLED: {
    retryable: false,
    summary: 'The strategy sends the same entry over and over, and is switched off.',
    remedy:
      'Find out why it repeats itself, then: ratchet resume --strategy <name> --source throttle --reason TEXT. Limits are options.throttle of the limits file.',
  },
  ENTRY_RATE_EXCEEDED: {
    retryable: true,
    summary: 'The account sends more entries than it may in this time.',
    remedy: 'Send fewer, or have options.entryRate of the limits file raised.',
  },
  WORKER_LAGGING: {
    retryable: true,
    summary: 'The worker is too busy to react in time, so it takes on no new risk. Exits go on.',
    remedy: 'Send the trade again, with a new trade id. If it stays, give the worker more CPU or add workers.',
  },
} as const satisfies Record<string, CatalogEntry>;
