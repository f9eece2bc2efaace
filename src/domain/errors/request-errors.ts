import type { CatalogEntry } from './catalog-entry.ts';

/** What is wrong with a request, a command or a caller. */
export const requestErrors = {
  REQUEST_INVALID: {
    retryable: false,
    summary: 'The request does not fit the contract.',
    remedy: 'Mend every field that is named; the contract is in the README and at /docs of the API.',
  },
  TRADE_ID_MISMATCH: {
    retryable: false,
    summary: 'This trade id was used before with other content.',
    remedy: 'Send the first content again to get its decision, or choose a new trade id for a new trade.',
  },
  WORKFLOW_ID_INVALID: {
    retryable: false,
    summary: 'An entry runs only under its own workflow id.',
    remedy: 'Start it with the workflow id entry-<tradeId>.',
  },
  REQUEST_EXPIRED: {
    retryable: false,
    summary: 'The request was decided after its deadline.',
    remedy: 'Send a fresh request with a new trade id; raise validForMs if decisions take longer than that here.',
  },
  UNDECIDED: {
    retryable: true,
    summary: 'No decision came in time. Whether there will be one is not known yet.',
    remedy:
      'Send the same request again, with the same trade id: it finds the decision, and never opens a second trade.',
  },
  ENTRY_ENDED_UNDECIDED: {
    retryable: false,
    summary: 'The entry of this trade id ended without a decision. No order was sent.',
    remedy: 'Send the trade again with a new trade id.',
  },
  COMMAND_ID_MISMATCH: {
    retryable: false,
    summary: 'This command id was used before with other content.',
    remedy: 'Send the first content again to get its result, or choose a new command id for a new command.',
  },
  TRADE_UNKNOWN: {
    retryable: false,
    summary: 'No trade with this id was ever decided.',
    remedy: 'Look the id up in the list of trades; a trade that is not decided yet is not in it.',
  },
  TRADE_NOT_OPEN: {
    retryable: false,
    summary: 'The trade has nothing to close: it was denied, never filled, or is closed.',
    remedy: 'Nothing. Its state says which of these it is.',
  },
  ALERT_UNKNOWN: {
    retryable: false,
    summary: 'No alert was ever raised with this id.',
    remedy: '`ratchet alerts` lists the open ones with their ids.',
  },
  ALERT_ENDS_BY_ITSELF: {
    retryable: false,
    summary: 'This alert tells of what lasts, and ends with it. Ended by hand it would hide what is still so.',
    remedy: 'Do what the alert says; it ends by itself with what is named (endsWith).',
  },
  HOLD_NOT_IN_FORCE: {
    retryable: false,
    summary: 'There is no hold of an operator in force on this scope to lift.',
    remedy: '`ratchet status` lists the holds in force with their scope, source and version.',
  },
  STACK_NOT_FOUND: {
    retryable: false,
    summary: 'There are no addresses of a running stack.',
    remedy: 'Start it with npm start, name its data folder with --data, or set DATABASE_URL and TEMPORAL_ADDRESS.',
  },
  STACK_NOT_RUNNING: {
    retryable: true,
    summary: 'The stack of this data folder was ended.',
    remedy: 'Start it again with npm start, or name the data folder of another one with --data.',
  },
  API_UNAVAILABLE: {
    retryable: true,
    summary: 'The HTTP API does not answer.',
    remedy: 'Nothing while retries last. If it goes on, look whether it runs at the address that is named.',
  },
  API_KEY_MISSING: {
    retryable: false,
    summary: 'The request carries no key that the API knows.',
    remedy: 'Send "Authorization: Bearer <key>". The first key is in the data folder, in the file stack.json names.',
  },
  API_SCOPE_MISSING: {
    retryable: false,
    summary: 'The key is not allowed to do this.',
    remedy: 'Use a key with one of the scopes that are named.',
  },
  API_KEY_NAME_TAKEN: {
    retryable: false,
    summary: 'There is or was a key with this name, and the record calls a key by its name. No key was made.',
    remedy: 'Choose another name; `ratchet keys list` shows those that are taken.',
  },
  API_KEY_UNKNOWN: {
    retryable: false,
    summary: 'No key with this name is in force.',
    remedy: '`ratchet keys list` shows every key, and which of them are revoked.',
  },
  API_ROUTE_UNKNOWN: {
    retryable: false,
    summary: 'The API has no such method and path.',
    remedy: 'See /docs of the API.',
  },
  API_BODY_UNREADABLE: {
    retryable: false,
    summary: 'The body is not JSON of at most 64 KB.',
    remedy: 'Send JSON with the header content-type: application/json.',
  },
  API_RATE_LIMITED: {
    retryable: true,
    summary: 'Too many requests with this key.',
    remedy: 'Wait as long as the header retry-after says. Halts have a budget of their own.',
  },
  TEMPORAL_UNAVAILABLE: {
    retryable: true,
    summary: 'Temporal does not answer.',
    remedy: 'Send the same request again. If it goes on, look whether Temporal runs at the address that is named.',
  },
  TEMPORAL_REFUSED: {
    retryable: false,
    summary: 'Temporal refuses the call.',
    remedy: 'Check namespace, credentials and search attributes; the set-up step registers the latter.',
  },
  INTERNAL_ERROR: {
    retryable: true,
    summary: 'A mistake of ours.',
    remedy: 'Report it with the request id, which is in the header x-request-id and in the log of the API.',
  },
} as const satisfies Record<string, CatalogEntry>;
